"""How other terminals find the local stack: a file with its addresses that counts while its writer lives."""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from events.errors import SignalboxError
from settings import LOCAL_ENV


class AlreadyRunningError(SignalboxError):
    """Another local stack runs in this folder. Its addresses are in the file; stop it with Ctrl-C."""


@contextlib.contextmanager
def published(env: Mapping[str, str], path: Path = LOCAL_ENV) -> Iterator[None]:
    """The addresses stand in the file for the length of a `with`. Raises `AlreadyRunningError`.

    The lock, and not the file's being there, says that the stack runs: a SIGKILL leaves the file behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(
                f"a local stack runs here already: its addresses are in {path}"
            ) from error
        # beside addresses it holds what opens the support desk
        os.fchmod(file.fileno(), 0o600)
        file.truncate(0)
        file.write("".join(f"{name}={value}\n" for name, value in env.items()))
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
