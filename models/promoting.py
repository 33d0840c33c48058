"""Promotion: moves an alias to another version, checked, and recorded before and after."""

from typing import Protocol

from events.errors import ConfigError, Problem
from models import artifact
from models.artifact import METADATA_FILE, BrokenModelError, Metadata
from models.changes import Changes
from models.recipe import lacks
from models.registry import place
from models.registry_answers import Registered, Version
from models.written import OUTSIDE, Change, OvertakenError, Written, under_way
from transport.clock import Clock, system_clock

PATIENCE_MS = 30_000
"""How long a change may be under way before the next one settles it."""
NOTHING = Version("", "")
"""What an alias names that is not there."""


class Aliases(Protocol):
    """The registry, as far as aliases go. Every method raises `Unavailable`."""

    def pointed(self, model: str, alias: str) -> Version | None:
        """The version that an alias points to."""

    def version(self, model: str, number: str) -> Registered | None:
        """One version."""

    def read(self, model: str, number: str, name: str) -> bytes:
        """One file of a version. Raises `BrokenModelError`."""

    def point(self, model: str, alias: str, number: str) -> None:
        """Move an alias. Raises `ConfigError`."""


class Promoting:
    """Moves aliases. Every method raises `Unavailable`, and `ConfigError` if it will not."""

    def __init__(self, registry: Aliases, changes: Changes, clock: Clock = system_clock) -> None:
        self._registry = registry
        self._changes = changes
        self._clock = clock

    def move(self, model: str, alias: str, number: str, who: str, why: str) -> Change:
        """Let an alias name a version that is whole, and that it does not name already."""
        digest = self._check(model, number)
        return self._move(self.settle(model, alias), Version(number, digest), who, why)

    def roll_back(self, model: str, alias: str, who: str, why: str) -> Change:
        """Let an alias name again what it named before its last change."""
        written = self.settle(model, alias)
        if written.unended is not None:
            raise under_way(written.unended)
        if not written.done or not (number := written.done[-1].previous):
            problem = f"{alias} named nothing before: there is nothing to go back to"
            raise ConfigError([Problem("registry", 0, model, problem)])
        return self._move(written, Version(number, self._check(model, number)), who, why)

    def settle(self, model: str, alias: str) -> Written:
        """Write down how a change ended whose maker did not come back, and what was moved by others.

        What is written down by then: it names what the alias named, where no change is under way.
        """
        while True:
            written = self._changes.written(model, alias)
            # asked later than what is written down was read: whoever moves it after that writes more, and
            # what is concluded here meets his number
            pointed = self._registry.pointed(model, alias) or NOTHING
            try:
                if not self._conclude(written, pointed):
                    return written
            except OvertakenError:
                continue

    def _conclude(self, written: Written, pointed: Version) -> bool:
        """Whether there was something to write down."""
        unended = written.unended
        if unended is not None:
            if self._clock() - unended.at < PATIENCE_MS:
                return False
            # it moved within moments of the intent, if it did
            self._changes.end(unended, "done" if pointed.number == unended.version else "void", unended.at)
            return True
        if pointed.number == written.version:
            return False
        why = "found so: moved some time before"
        found = self._changes.intend(written, *pointed, written.version, OUTSIDE, why)
        self._changes.end(found, "done")
        return True

    def _move(self, written: Written, version: Version, who: str, why: str) -> Change:
        """The next change after those that are written down."""
        model, alias, number = written.model, written.alias, version.number
        if written.unended is not None:
            raise under_way(written.unended)
        if written.version == number:
            last = written.done[-1]
            problem = f"is {alias} already, by {last.who}: {last.why}"
            raise ConfigError([Problem("registry", 0, place(model, number), problem)])
        change = self._changes.intend(written, *version, written.version, who, why)
        try:
            self._registry.point(model, alias, number)
        except ConfigError:
            self._changes.end(change, "void")
            raise
        return self._changes.end(change, "done")

    def _check(self, model: str, number: str) -> str:
        """The digest of a version that is whole and says all of itself."""
        registered = self._registry.version(model, number)
        if registered is None:
            problem = "is not in the registry: see `signalbox models list`"
            raise ConfigError([Problem("registry", 0, place(model, number), problem)])
        where = place(model, number)
        try:
            metadata = read_whole(self._registry, model, number)
        except BrokenModelError as error:
            raise ConfigError([Problem("registry", 0, where, f"is not whole: {error.reason}")]) from error
        if metadata.digest != registered.version.digest:
            problem = (
                f"was registered as {registered.version.digest[:12] or 'nothing'}, is {metadata.digest[:12]}"
            )
            raise ConfigError([Problem("registry", 0, where, problem)])
        if lacking := lacks(metadata.recipe, metadata.provenance):
            raise ConfigError(Problem("registry", 0, where, f"does not say {name}") for name in lacking)
        return metadata.digest


def read_whole(registry: Aliases, model: str, number: str) -> Metadata:
    """A version's metadata, once each of its files was verified. Raises `BrokenModelError`."""
    where = place(model, number)
    metadata = artifact.parse(where, registry.read(model, number, METADATA_FILE))
    for name, expected in metadata.files.items():
        artifact.check_file(where, name, registry.read(model, number, name), expected)
    return metadata
