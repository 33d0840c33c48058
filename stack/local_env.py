"""How other terminals find the local stack: a file with its addresses that counts while its writer lives."""

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import SecretStr

from events.errors import SignalboxError
from settings import LOCAL_ENV, Settings, variable_of

_PLAIN = re.compile(r"[\w:/.,@%+=?&~-]*")


class AlreadyRunningError(SignalboxError):
    """Another local stack runs in this folder. Its addresses are in the file; stop it with Ctrl-C."""


def in_force(settings: Settings) -> dict[str, str]:
    """Every setting that has a value, by its variable: files, limits, addresses and what opens them."""
    found = {}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value is not None:
            found[variable_of(str(field.validation_alias or name))] = _text(value)
    return found


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_line(name: str, value: str) -> str:
    """`NAME=value`, quoted as dotenv files are if the value holds more than plain characters."""
    if _PLAIN.fullmatch(value):
        return f"{name}={value}\n"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{name}='{escaped}'\n"


@contextlib.contextmanager
def published(env: Mapping[str, str], path: Path = LOCAL_ENV) -> Iterator[None]:
    """Write `env` to the file for the length of a `with`. Raises `AlreadyRunningError`.

    The lock, and not that the file is there, says that the stack runs: a SIGKILL leaves the file behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(
                f"a local stack runs here already: its addresses are in {path}"
            ) from error
        # beside addresses it holds what opens the support desk, and the passwords that are configured
        os.fchmod(file.fileno(), 0o600)
        file.truncate(0)
        file.write("".join(as_line(name, value) for name, value in env.items()))
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
