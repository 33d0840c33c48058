"""Schema evolution check: whether the declared payloads may replace those that were written down."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from events.comparing import narrowed
from events.contract import Contract

Version = tuple[str, int]
"""An event type and one of its major versions."""


class Difference(NamedTuple):
    """What is not written down as it is declared."""

    version: Version
    message: str

    def __str__(self) -> str:
        return f"{self.version[0]} {self.version[1]}: {self.message}"


@dataclass(frozen=True, slots=True)
class Review:
    """`refused` breaks producers that keep to what was written down; `unwritten` only has to be written."""

    refused: tuple[Difference, ...]
    unwritten: tuple[Difference, ...]

    @property
    def holds(self) -> bool:
        """Whether what is declared is what is written down."""
        return not self.refused and not self.unwritten


def schemas(contract: Contract) -> dict[Version, dict[str, Any]]:
    """The JSON Schema of every payload that is declared and not retired."""
    return {
        (event_type, major): by_major[major].model_json_schema()
        for event_type, by_major in contract.payloads.items()
        for major in contract.accepted(event_type)
    }


def review(contract: Contract, written: Mapping[Version, dict[str, Any]]) -> Review:
    """Hold what is declared against what was written down, each major version against itself."""
    declared = schemas(contract)
    return Review(
        refused=tuple(_refused(contract, declared, written)),
        unwritten=tuple(_unwritten(declared, written)),
    )


def _refused(
    contract: Contract,
    declared: Mapping[Version, dict[str, Any]],
    written: Mapping[Version, dict[str, Any]],
) -> Iterator[Difference]:
    for version in sorted(written):
        if version in contract.retired:
            continue
        if version not in declared:
            yield Difference(version, "is declared no more: bring it back, or name it in RETIRED")
            continue
        rises = max(contract.payloads[version[0]]) + 1
        for change in narrowed(written[version], declared[version]):
            way_out = f"take it back, or declare it as major version {rises}"
            yield Difference(version, f"{change}: {way_out}")


def _unwritten(
    declared: Mapping[Version, dict[str, Any]], written: Mapping[Version, dict[str, Any]]
) -> Iterator[Difference]:
    for version, schema in sorted(declared.items()):
        if version not in written:
            yield Difference(version, "is new")
        else:
            # the other way round: what is declared takes more than what is written down
            for field in dict.fromkeys(change.field for change in narrowed(schema, written[version])):
                yield Difference(version, f"{field or 'the payload'} has changed, compatibly")
