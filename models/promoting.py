"""How does an alias come to name another version? Checked, and written down before and after."""

from typing import Protocol

from events.errors import ConfigError, Problem
from models import artifact
from models.artifact import METADATA_FILE, BrokenModelError, Metadata
from models.changes import Change, Changes
from models.recipe import lacks
from models.registry import place
from models.registry_answers import Registered, Version
from transport.clock import Clock, system_clock

OUTSIDE = "(outside of signalbox)"
PATIENCE_MS = 30_000
"""How long a change may be under way before whoever comes next settles it."""


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
    """Moves aliases. Every method raises `Unavailable`, and `ConfigError` where it will not."""

    def __init__(self, registry: Aliases, changes: Changes, clock: Clock = system_clock) -> None:
        self._registry = registry
        self._changes = changes
        self._clock = clock

    def move(self, model: str, alias: str, number: str, who: str, why: str) -> Change:
        """Let an alias name a version that is whole. What it names already is not moved: see `Change.at`."""
        self.settle(model, alias)
        digest = self._check(model, number)
        before = self._registry.pointed(model, alias)
        if before is not None and before.number == number:
            last = self._changes.done(model, alias)[-1]
            raise ConfigError(
                [
                    Problem(
                        "registry", 0, place(model, number), f"is {alias} already, by {last.who}: {last.why}"
                    )
                ]
            )
        change = self._changes.intend(model, alias, number, digest, before.number if before else "", who, why)
        try:
            self._registry.point(model, alias, number)
        except ConfigError:
            self._changes.end(change, "void")
            raise
        return self._changes.end(change, "done")

    def roll_back(self, model: str, alias: str, who: str, why: str) -> Change:
        """Let an alias name again what it named before its last change."""
        self.settle(model, alias)
        done = self._changes.done(model, alias)
        if not done or not done[-1].previous:
            problem = f"{alias} named nothing before: there is nothing to go back to"
            raise ConfigError([Problem("registry", 0, model, problem)])
        return self.move(model, alias, done[-1].previous, who, why)

    def settle(self, model: str, alias: str) -> None:
        """Write down how a change ended whose maker did not come back, and what was moved by others."""
        pointed = self._registry.pointed(model, alias)
        unended = self._changes.unended(model, alias)
        if unended is not None:
            if self._clock() - unended.at < PATIENCE_MS:
                return
            moved = pointed is not None and pointed.number == unended.version
            # it moved within moments of the intent, if it did
            self._changes.end(unended, "done" if moved else "void", unended.at)
        self._own(model, alias, pointed)

    def _own(self, model: str, alias: str, pointed: Version | None) -> None:
        done = self._changes.done(model, alias)
        last = done[-1].version if done else ""
        if pointed is not None and pointed.number != last:
            why = "found so: moved some time before"
            found = self._changes.intend(model, alias, pointed.number, pointed.digest, last, OUTSIDE, why)
            self._changes.end(found, "done")

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
