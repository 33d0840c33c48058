"""A registry in memory, as `models.promoting` sees one."""

from dataclasses import dataclass, field

from events.errors import ConfigError, Problem, Unavailable
from models.artifact import BrokenModelError
from models.registry_answers import DIGEST_TAG, Registered, Version
from tests.unit.models.versions import MODEL, files_of, version_of


@dataclass
class MemoryRegistry:
    """Versions by their numbers. `down` names what fails; an alias that moves may do so nevertheless."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    moves_all_the_same: bool = False
    refuses: bool = False

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
        number = self.aliases.get(alias)
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
        if self.refuses:
            raise ConfigError([Problem("model registry", 0, MODEL, "refused")])
        if "point" in self.down and not self.moves_all_the_same:
            raise Unavailable("model registry", "timed out")
        self.aliases[alias] = number
        if "point" in self.down:
            raise Unavailable("model registry", "timed out")
