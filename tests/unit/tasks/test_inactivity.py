"""Who is told of, where something fails or somebody else is faster: nobody never, nobody under two ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import pytest

from events.decision import Millis
from events.envelope import Envelope
from events.errors import Unavailable
from events.inactivity import DAY_MS
from events.topics import EVENTS
from features.heartbeats import Heartbeat
from features.inactivity import Rule, Seen, Spell
from tasks.inactivity import AT_ONCE, Finder
from tests.unit.tasks.fakes import NOW, Kafka

RULE = Rule(after_days=30, lost_days=90)


@dataclass
class Book:
    """A ledger in memory. `down` is how often noting fails."""

    last_orders: list[Spell]
    as_of: Millis | None = NOW
    told: list[Spell] = field(default_factory=list)
    down: int = 0

    def counted(self) -> Mapping[int, Heartbeat]:
        """One partition."""
        return {} if self.as_of is None else {0: Heartbeat(1, self.as_of, self.as_of)}

    def due(self, seen: Seen) -> list[Spell]:
        """As the offline tier has it."""
        fresh = [spell for spell in self.last_orders if spell not in self.told]
        return [spell for spell in fresh if seen.after < spell.last_seen_at <= seen.until]

    def note(self, spells: Sequence[Spell], now: Millis) -> None:
        """Raises `Unavailable` the next `down` times."""
        if self.down:
            self.down -= 1
            raise Unavailable("database", "gone")
        self.told += spells


def spell(customer: str, days_ago: int, tenant: str = "acme") -> Spell:
    return Spell(tenant, customer, NOW - days_ago * DAY_MS)


def finder(book: Book, kafka: Kafka) -> Finder:
    return Finder(book, kafka.publish, RULE, lambda: NOW)


def events(kafka: Kafka) -> list[Envelope]:
    return [msgspec.json.decode(record.value or b"", type=Envelope) for record in kafka.records]


def test_each_is_told_of_once_in_the_topic_of_events_beside_their_others() -> None:
    book, kafka = Book([spell("c-1", 31), spell("c-2", 40), spell("c-3", 5)]), Kafka()
    assert finder(book, kafka).look() == 2
    assert finder(book, kafka).look() == 0
    assert [(record.topic, record.key) for record in kafka.records] == [(EVENTS, b"c-1"), (EVENTS, b"c-2")]
    assert [event.payload["customer_id"] for event in events(kafka)] == ["c-1", "c-2"]


def test_who_ordered_again_and_went_away_again_is_told_of_again() -> None:
    book, kafka = Book([spell("c-1", 80)]), Kafka()
    finder(book, kafka).look()
    book.last_orders = [spell("c-1", 31)]
    finder(book, kafka).look()
    first, second = events(kafka)
    assert first.event_id != second.event_id


def test_whoever_is_killed_between_telling_and_noting_tells_the_same_event_again() -> None:
    book, kafka = Book([spell("c-1", 31)], down=1), Kafka()
    with pytest.raises(Unavailable):
        finder(book, kafka).look()
    finder(book, kafka).look()
    first, second = kafka.records
    assert first == second


def test_what_kafka_did_not_take_is_not_noted() -> None:
    book, kafka = Book([spell("c-1", 31)]), Kafka(down=1)
    with pytest.raises(Unavailable):
        finder(book, kafka).look()
    assert book.told == []
    assert finder(book, kafka).look() == 1


def test_while_the_pipeline_stands_still_nobody_becomes_inactive() -> None:
    book, kafka = Book([spell("c-1", 31)], as_of=NOW - 2 * DAY_MS), Kafka()
    assert finder(book, kafka).look() == 0
    book.as_of = None
    assert finder(book, kafka).look() == 0
    assert kafka.records == []


def test_many_are_told_of_in_parts_and_those_done_stay_done() -> None:
    many = [spell(f"c-{number}", 31) for number in range(AT_ONCE + 1)]
    book, kafka = Book(many), Kafka()

    def publish_once(records: Sequence[object]) -> None:
        if kafka.records:
            raise Unavailable("kafka")
        kafka.publish(records)  # type: ignore[arg-type]  # they are records

    with pytest.raises(Unavailable):
        Finder(book, publish_once, RULE, lambda: NOW).look()
    assert len(book.told) == AT_ONCE
    assert finder(book, kafka).look() == 1
