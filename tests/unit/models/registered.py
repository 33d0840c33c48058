"""A registry in memory, as `models.promoting` sees one."""

from collections.abc import Callable
from dataclasses import dataclass, field

from events.errors import ConfigError, Problem, Unavailable
from models.artifact import BrokenModelError
from models.registry_answers import DIGEST_TAG, Registered, Version
from tests.unit.models.versions import MODEL, files_of, version_of


@dataclass
class MemoryRegistry:
    """Versions by their numbers. `down` names what fails; an alias that moves may do so nevertheless.

    `meanwhile` is what others do, once each: before it is `asked` where an alias points, after it was `told`,
    and before an alias is `moved`.
    """

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    moves_all_the_same: bool = False
    refuses: bool = False
    meanwhile: dict[str, Callable[[], None]] = field(default_factory=dict)

    @classmethod
    def of(cls, *answers: str) -> "MemoryRegistry":
        """Versions 1, 2, …, each with the file that says so."""
        made = cls()
        for number, answer in enumerate(answers, 1):
            made.files[str(number)] = files_of(answer)
            made.digests[str(number)] = version_of(str(number), answer).digest
        return made

    def pointed(self, _model: str, alias: str) -> Version | None:
        """See `Aliases`."""
        self._others("asked")
        number = self.aliases.get(alias)
        self._others("told")
        return Version(number, self.digests[number]) if number else None

    def version(self, _model: str, number: str) -> Registered | None:
        """See `Aliases`."""
        if number not in self.files:
            return None
        return Registered(number=number, created_at=0, tags={DIGEST_TAG: self.digests[number]})

    def read(self, model: str, number: str, name: str) -> bytes:
        """See `Aliases`."""
        try:
            return self.files[number][name]
        except KeyError:
            raise BrokenModelError(f"{model} v{number}", f"the registry gives no {name}") from None

    def point(self, _model: str, alias: str, number: str) -> None:
        """See `Aliases`."""
        self._others("moved")
        if self.refuses:
            raise ConfigError([Problem("model registry", 0, MODEL, "refused")])
        if "point" in self.down and not self.moves_all_the_same:
            raise Unavailable("model registry", "timed out")
        self.aliases[alias] = number
        if "point" in self.down:
            raise Unavailable("model registry", "timed out")

    def _others(self, moment: str) -> None:
        act = self.meanwhile.pop(moment, None)
        if act is not None:
            act()
