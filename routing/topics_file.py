"""Reads `config/topics.yaml`, the declaration of the Kafka topics, and reports everything wrong in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from events.errors import ConfigError
from routing.catalogue import Catalogue
from routing.reading import read
from routing.report import Report, nearest
from routing.section import Section
from routing.topics import KINDS, Declared, topics_of

ALL = "all"
_LONGEST = 10**15
_MOST_BYTES = 1_000_000_000
"""Kafka's own limit is 2^31-1 for a record; none of ours comes near."""

PARTITIONS, REPLICAS, MIN_REPLICAS = "partitions", "replication.factor", "min.replicas"
MIN_ISR = "min.insync.replicas"

Reader = Callable[[Section, str], str | None]


def _whole(low: int, high: int, zero: bool = True) -> Reader:
    def take(section: Section, key: str) -> str | None:
        number = section.maybe_whole(key, low, high)
        if number == 0 and not zero:
            section.report(key, f"{key} must be -1 (without a bound) or positive, is 0")
        return None if number is None else str(number)

    return take


def _one_of(*choices: str) -> Reader:
    return lambda section, key: section.text(key, choices)


def _truth(section: Section, key: str) -> str:
    return str(section.truth(key, default=False)).lower()


_READERS: Mapping[str, Reader] = {
    "retention.ms": _whole(-1, _LONGEST, zero=False),
    "retention.bytes": _whole(-1, _LONGEST, zero=False),
    # compact keeps the newest record of each key alone: the events of a customer before it would be lost
    "cleanup.policy": _one_of("delete"),
    "message.timestamp.type": _one_of("LogAppendTime", "CreateTime"),
    "message.timestamp.before.max.ms": _whole(0, _LONGEST),
    "message.timestamp.after.max.ms": _whole(0, _LONGEST),
    "max.message.bytes": _whole(10_000, _MOST_BYTES),
    "compression.type": _one_of("producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"),
    MIN_ISR: _whole(1, 100),
    "unclean.leader.election.enable": _truth,
    "segment.ms": _whole(1, _LONGEST),
    "segment.bytes": _whole(1_048_576, 2**31 - 1),
}


@dataclass(slots=True)
class _Part:
    """What one mapping of the file declares; what it leaves out is another's to say."""

    section: Section | None = None
    partitions: int | None = None
    replicas: int | None = None
    min_replicas: int | None = None
    properties: dict[str, str] = field(default_factory=dict)

    def over(self, other: "_Part") -> "_Part":
        """This one, and of the other what this one leaves out."""
        return _Part(
            self.section or other.section,
            self.partitions or other.partitions,
            self.replicas or other.replicas,
            self.min_replicas or other.min_replicas,
            other.properties | self.properties,
        )


def load_topics(path: Path | str, catalogue: Catalogue) -> dict[str, Declared]:
    """What the file declares of each topic that the catalogue may need.

    Raises `ConfigError` with every problem, each with its line.
    """
    report = Report(str(path))
    content = read(report, "topics")
    kinds = topics_of(catalogue)
    parts: dict[str, _Part] = {}
    for section in content.children() if content is not None else ():
        if section.name not in (ALL, *KINDS) and section.name not in kinds:
            way_out = nearest(section.name, (ALL, *KINDS, *kinds))
            report.add(section.line, section.name, f"neither a kind of topic nor a topic{way_out}")
        parts[section.name] = _part(section)
    everything, none = parts.get(ALL, _Part()), _Part()
    whole = {
        name: parts.get(name, none).over(parts.get(kind, none)).over(everything)
        for name, kind in kinds.items()
    }
    for part in {id(part.section): part for part in whole.values()}.values():
        _check_replicas(part)
    if problems := report.in_order():
        raise ConfigError(problems)
    return {name: _declared(part) for name, part in whole.items()}


def _part(section: Section) -> _Part:
    part = _Part(
        section,
        section.maybe_whole(PARTITIONS, 1, 100_000),
        section.maybe_whole(REPLICAS, 1, 100),
        section.maybe_whole(MIN_REPLICAS, 1, 100),
    )
    for key, reader in _READERS.items():
        if section.has(key) and (value := reader(section, key)) is not None:
            part.properties[key] = value
    section.refuse_unknown(_READERS)
    return part


def _check_replicas(part: _Part) -> None:
    """A topic that needs all its replicas in sync takes no record while one broker is away."""
    replicas = part.replicas or part.min_replicas or 1
    in_sync = int(part.properties.get(MIN_ISR, 1))
    if part.section is not None and in_sync > max(1, replicas - 1):
        part.section.report(
            MIN_ISR,
            f"{MIN_ISR} must be below the number of replicas ({replicas}), is {in_sync}:"
            " no record is taken while one broker is away",
        )


def _declared(part: _Part) -> Declared:
    return Declared(part.partitions, part.replicas, part.min_replicas or 1, part.properties)
