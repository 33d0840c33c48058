"""How topics differ from what is declared of them: what loses records, and what is only stricter. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from transport.topics import MIN_ISR, TopicSpec, create_command

Level = Literal["error", "warning", "unknown"]
"""`error`: records or deadlines are lost by it. `warning`: stricter or dearer than needed."""


@dataclass(frozen=True, slots=True)
class Described:
    """A topic as Kafka describes it: the fewest replicas of a partition, and properties by Kafka's names.

    Without the right DESCRIBE_CONFIGS `properties` is None.
    """

    partitions: int
    replicas: int
    properties: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One property of one topic that is not as declared. `safe`: to set it as declared loses nothing."""

    level: Level
    topic: str
    property: str
    declared: str
    found: str
    effect: str
    way_out: str
    safe: bool = False


class _Meaning(NamedTuple):
    """What it means if a number is below what is declared, or above; None means that nothing is wrong."""

    below: tuple[Level, str]
    above: tuple[Level, str] | None
    above_safe: bool = False


_KEPT_LONGER = _Meaning(
    ("error", "records expire that may not be worked on yet"),
    ("warning", "records are kept longer than declared"),
)
_NUMBERS: Mapping[str, _Meaning] = {
    "retention.ms": _KEPT_LONGER,
    "retention.bytes": _KEPT_LONGER,
    "max.message.bytes": _Meaning(
        ("error", "records that the system writes are refused"),
        ("warning", "takes records that are larger than declared"),
    ),
    MIN_ISR: _Meaning(
        ("error", "an acknowledged record is lost with too few disks"),
        ("warning", "writes stop with fewer brokers away than declared"),
        above_safe=True,
    ),
    "message.timestamp.before.max.ms": _Meaning(("error", "older records are refused"), ("warning", "wider")),
    "message.timestamp.after.max.ms": _Meaning(("error", "later records are refused"), ("warning", "wider")),
}
_UNBOUNDED = frozenset({"retention.ms", "retention.bytes"})
_WORDS: Mapping[str, tuple[Level, str]] = {
    "cleanup.policy": ("error", "records of a key go once a newer one comes, or never go"),
    "message.timestamp.type": ("error", "deadlines and retention follow a producer's clock"),
    "unclean.leader.election.enable": ("error", "a replica that lags may become leader and lose records"),
}


_STRICTER = frozenset(
    {("unclean.leader.election.enable", "false"), ("message.timestamp.type", "LogAppendTime")}
)


def as_lines(found: Iterable[Difference]) -> Iterator[str]:
    """The differences for a log: a line for each kind of difference, with its topics."""
    topics: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for each in found:
        topics[each.property, each.found, each.declared, each.effect].append(each.topic)
    for (name, value, declared, effect), of_kind in topics.items():
        names, wanted = ", ".join(sorted(of_kind)), f", declared {declared}" if declared else ""
        yield f"{names}: {name} is {value}{wanted}: {effect}; see `signalbox topics check`"


def differences(spec: TopicSpec, found: Described | None) -> tuple[Difference, ...]:
    """In what a topic differs from its declaration; `found` is None if it does not exist."""
    if found is None:
        way_out = f"`signalbox topics create`, or `{create_command(spec)}`"
        return (Difference("error", spec.name, "topic", "", "missing", "what needs it stops", way_out),)
    return (*_layout(spec, found), *_properties(spec, found))


def _layout(spec: TopicSpec, found: Described) -> Iterator[Difference]:
    least = spec.replicas or spec.min_replicas
    if found.replicas < least:
        yield Difference(
            "error",
            spec.name,
            "replication.factor",
            str(least),
            str(found.replicas),
            "a lost disk loses records",
            "add replicas with kafka-reassign-partitions.sh, or accept it by"
            f" SIGNALBOX_REPLICAS={found.replicas}",
        )
    if found.partitions < spec.partitions:
        yield Difference(
            "warning",
            spec.name,
            "partitions",
            str(spec.partitions),
            str(found.partitions),
            f"at most {found.partitions} processes share it",
            f"kafka-topics.sh --alter --topic {spec.name} --partitions {spec.partitions}"
            " (keys move: see docs/topics.md)",
        )


def _properties(spec: TopicSpec, found: Described) -> Iterator[Difference]:
    if found.properties is None:
        yield Difference(
            "unknown",
            spec.name,
            "properties",
            "",
            "not readable",
            "retention and limits were not checked",
            f"grant DESCRIBE_CONFIGS on topic {spec.name}",
        )
        return
    for key, declared in declared_properties(spec, found.replicas).items():
        value = found.properties.get(key)
        if value is None:
            yield _difference(spec, key, declared, "not set", ("unknown", "Kafka does not describe it"))
        elif value != declared:
            yield from _property(spec, key, declared, value)


def declared_properties(spec: TopicSpec, replicas: int) -> dict[str, str]:
    """What is declared, of a topic with so many replicas: with all of them in sync, writes would stop."""
    properties = dict(spec.properties)
    if MIN_ISR in properties:
        properties[MIN_ISR] = str(min(int(properties[MIN_ISR]), max(1, replicas - 1)))
    return properties


def _property(spec: TopicSpec, key: str, declared: str, value: str) -> Iterator[Difference]:
    meaning = _NUMBERS.get(key)
    if meaning is None:
        level, effect = _WORDS.get(key, ("warning", "not as declared"))
        if (key, value) in _STRICTER:
            level, effect = "warning", "stricter than declared"
        yield _difference(spec, key, declared, value, (level, effect))
    elif _size(key, value) < _size(key, declared):
        yield _difference(spec, key, declared, value, meaning.below)
    elif meaning.above is not None:
        yield _difference(spec, key, declared, value, meaning.above, safe=meaning.above_safe)


def _size(key: str, value: str) -> float:
    number = int(value)
    return float("inf") if key in _UNBOUNDED and number < 0 else number


def _difference(
    spec: TopicSpec, key: str, declared: str, value: str, meaning: tuple[Level, str], *, safe: bool = True
) -> Difference:
    by_hand = (
        f"kafka-configs.sh --alter --entity-type topics --entity-name {spec.name}"
        f" --add-config {key}={declared}"
    )
    way_out = f"`signalbox topics apply`, or {by_hand}" if safe else by_hand
    return Difference(meaning[0], spec.name, key, declared, value, meaning[1], way_out, safe)
