"""Signatures of Celery messages (HMAC-SHA256, RFC 2104): a worker acts on its own installation's batches."""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from events.errors import ConfigError, DeadLetter, Problem

VARIABLE: Final = "SIGNALBOX_MESSAGE_KEY"
LEAST_CHARACTERS = 32
_MARK: Final = "."  # no character of base64, in which a batch is written


class Seal:
    """Signs the argument of a task, and refuses one that was not signed with a key.

    The first key signs; each is accepted, so that a new one can be brought in before the old one goes.
    Without a key nothing is signed, and everything is accepted.
    """

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self._keys = tuple(keys)

    @classmethod
    def of(cls, text: str | None) -> "Seal":
        """From one key, or several with commas between. Raises `ConfigError` for one that can be guessed."""
        keys = [key.strip() for key in (text or "").split(",") if key.strip()]
        if any(len(key) < LEAST_CHARACTERS for key in keys):
            way_out = f"a key has {LEAST_CHARACTERS} characters at least: openssl rand -hex 32"
            raise ConfigError([Problem("environment", 0, VARIABLE, way_out)])
        return cls([key.encode() for key in keys])

    def sign(self, argument: str) -> str:
        """The argument with its signature behind it."""
        if not self._keys:
            return argument
        return f"{argument}{_MARK}{_signature(self._keys[0], argument)}"

    def open(self, argument: object) -> object:
        """The argument without its signature. Raises `DeadLetter` (undecodable) unless a key made it.

        What is no text has no signature either, and is returned as it is if there are no keys.
        """
        if not isinstance(argument, str):
            if self._keys:
                raise DeadLetter("undecodable", "the message is not signed")
            return argument
        content, mark, signature = argument.rpartition(_MARK)
        if not self._keys:
            return content if mark else argument
        shown = signature.encode("utf-8", "surrogatepass")
        if mark and any(hmac.compare_digest(shown, _signature(key, content).encode()) for key in self._keys):
            return content
        what = "signed with another key" if mark else "not signed"
        raise DeadLetter("undecodable", f"the message is {what}: {VARIABLE} must be that of the dispatcher")


def _signature(key: bytes, content: str) -> str:
    return hmac.new(key, content.encode("utf-8", "surrogatepass"), sha256).hexdigest()
