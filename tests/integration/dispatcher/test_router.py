"""The router on a real broker: what is written, what is committed, and what happens when it goes wrong."""

import random
import string
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient

from dispatcher.overflow import Overflows
from dispatcher.router import Router
from dispatcher.writer import PRODUCER
from events.deadletter import DeadLetterHeaders
from events.decision import Position, overflow_topic
from events.lane import decode_record
from events.topics import DEAD_LETTERS
from routing import Table
from tests import services
from tests.fatal import make_fatal
from tests.integration.dispatcher.ground import Ground, order, refund, wait_until
from transport import metrics
from transport.kafka import headers_of, producer_config
from transport.topics import TopicSpec, create_topics


class Routing:
    """A router on a thread of its own, until told to stop."""

    def __init__(self, ground: Ground, table: Callable[[], Table]) -> None:
        self.stop = threading.Event()
        self.error: BaseException | None = None
        self.group = f"router.{ground.source}"
        self._router = Router(ground.kafka, table, self.stop, source=ground.source, group=self.group)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._router.run()
        except BaseException as error:
            self.error = error
            raise

    def meet_a_fatal_error(self) -> None:
        """Put the producer into the state from which librdkafka knows no way back."""
        make_fatal(self._router._writer._producer)

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join(30)
        assert not self._thread.is_alive()


@contextmanager
def routing(ground: Ground, table: Callable[[], Table] | None = None) -> Iterator[Routing]:
    """A router that is stopped in the end."""
    in_force = ground.rules().table
    running = Routing(ground, table or (lambda: in_force))
    try:
        yield running
    finally:
        running.stop.set()
        running.join()


def test_every_order_stands_once_in_its_lane_under_its_key(ground: Ground) -> None:
    ground.produce(ground.source, (order(number) for number in range(2_000)))
    with routing(ground) as running:
        wait_until(lambda: ground.committed(running.group, ground.source) == 2_000, 60, "all are committed")
    messages = ground.read(ground.lane)
    by_key = {message.key(): decode_record(message.value() or b"") for message in messages}
    assert len(messages) == len(by_key) == 2_000
    assert {key: record.event.event_id for key, record in by_key.items()} == {
        str(number).encode(): f"e-{number}" for number in range(2_000)
    }


def test_a_decision_names_the_record_that_it_was_made_for(ground: Ground) -> None:
    ground.produce(ground.source, [order(1)], partition=2)
    with routing(ground):
        wait_until(lambda: ground.read(ground.lane, 0.2), 60, "it is routed")
    decision = decode_record(ground.read(ground.lane)[0].value() or b"").decision
    assert decision.source == Position(ground.source, 2, 0)
    assert decision.table_hash == ground.rules().table.hash


def dead_letters(ground: Ground) -> dict[Position, DeadLetterHeaders]:
    """What was given up of this test's source, by its place there."""
    letters = [DeadLetterHeaders.parse(headers_of(message)) for message in ground.read(DEAD_LETTERS, 1.0)]
    return {letter.original: letter for letter in letters if letter.original.topic == ground.source}


def test_bad_events_go_to_the_dead_letters_and_hold_up_nobody(ground: Ground) -> None:
    ground.produce(ground.source, [b"\xff", order(1), None, order(2, version="9.0.0"), order(3)], partition=0)
    with routing(ground) as running:
        wait_until(lambda: ground.committed(running.group, ground.source) == 5, 60, "all are committed")
    causes = {at.offset: letter.cause for at, letter in dead_letters(ground).items()}
    assert causes == {0: "undecodable", 2: "undecodable", 3: "unknown_version"}
    assert len(ground.read(ground.lane)) == 2


def test_a_stopped_router_goes_on_where_it_stood(ground: Ground) -> None:
    ground.produce(ground.source, (order(number) for number in range(100)))
    with routing(ground) as running:
        wait_until(lambda: len(ground.read(ground.lane, 0.3)) == 100, 60, "the first are routed")
    assert ground.committed(running.group, ground.source) == 100
    ground.produce(ground.source, (order(number) for number in range(100, 150)))
    with routing(ground):
        wait_until(lambda: ground.committed(running.group, ground.source) == 150, 60, "the others are")
    assert len(ground.read(ground.lane)) == 150


def test_a_new_table_decides_from_the_next_batch_on(ground: Ground) -> None:
    tables = [ground.rules().table]
    with routing(ground, lambda: tables[-1]):
        ground.produce(ground.source, [order(1)])
        wait_until(lambda: ground.read(ground.lane, 0.3), 60, "the old table decides")
        ground.write_table(order_placed="low")
        ground.make_topics()
        tables.append(ground.rules().table)
        ground.produce(ground.source, [order(2)])
        wait_until(lambda: ground.read(f"{ground.queue}.low", 0.3), 60, "the new table decides")
    record = decode_record(ground.read(f"{ground.queue}.low")[0].value() or b"")
    assert (record.event.event_id, record.decision.table_hash) == ("e-2", tables[-1].hash)


def test_a_topic_that_can_never_be_written_holds_up_no_other_and_completes_nothing(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Overflows, "ready", lambda self, lane: False)
    ground.write_table(order_placed="high", refund_requested="low")
    ground.make_topics()
    refused, good = sorted(ground.rules().table.all_routes, key=lambda route: route.event_type)
    table = Table.of([replace(refused, queue="no such/queue"), good])
    ground.produce(ground.source, [order(1)], partition=0)
    with routing(ground, lambda: table) as running:
        wait_until(lambda: refusals("no such/queue.high") == 1, 60, "the refusal is exported")
        ground.produce(ground.source, [refund(2)], partition=1)
        wait_until(lambda: ground.read(f"{ground.queue}.low", 0.3), 60, "the other lane goes on")
    assert running.error is None
    assert ground.committed(running.group, ground.source) == 0


def test_records_of_a_deleted_lane_wait_in_its_overflow_topic_until_it_is_there_again(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    if services.configured("KAFKA_BOOTSTRAP_SERVERS") is None:
        pytest.skip("the embedded broker takes records of a deleted topic")
    monkeypatch.setitem(PRODUCER, "message.timeout.ms", 1_000)
    admin = AdminClient({"bootstrap.servers": ground.kafka})
    with routing(ground) as running:
        ground.produce(ground.source, [order(1)])
        wait_until(lambda: ground.read(ground.lane, 0.3), 60, "the lane takes records")
        admin.delete_topics([ground.lane])[ground.lane].result(30)
        ground.produce(ground.source, [order(2)])
        wait_until(lambda: ground.committed(running.group, ground.source) == 2, 60, "it is committed")
        assert refusals(ground.lane) == 1
        assert [event_of(message) for message in ground.read(overflow_topic(ground.lane))] == ["e-2"]
        ground.make_topics()

        def again() -> bool:
            ground.produce(ground.source, [order(3)])
            return bool(ground.read(ground.lane, 0.3))

        wait_until(again, 60, "the lane takes records again")
        wait_until(lambda: refusals(ground.lane) == 0, 30, "which is exported")
    assert running.error is None


def test_a_producer_that_meets_a_fatal_error_is_replaced(ground: Ground) -> None:
    with routing(ground) as running:
        ground.produce(ground.source, [order(1)])
        wait_until(lambda: ground.read(ground.lane, 0.3), 60, "the first is routed")
        running.meet_a_fatal_error()
        ground.produce(ground.source, (order(number) for number in range(2, 100)))
        wait_until(lambda: ground.committed(running.group, ground.source) == 99, 60, "all are committed")
    assert {event_of(message) for message in ground.read(ground.lane)} == {f"e-{n}" for n in range(1, 100)}


def event_of(message: Message) -> str:
    """The id of the event in a lane record."""
    return decode_record(message.value() or b"").event.event_id


def refusals(topic: str) -> float:
    """What the gauge says of a topic's refusal."""
    value: float = metrics.TOPIC_REFUSED.labels(topic, "write")._value.get()
    return value


def test_what_a_lane_made_for_smaller_records_refuses_is_a_dead_letter(ground: Ground) -> None:
    ground.write_table(order_placed="low")
    lane = f"{ground.queue}.low"
    large = "".join(random.Random(1).choices(string.ascii_letters, k=100_000))
    create_topics(
        AdminClient({"bootstrap.servers": ground.kafka}), [TopicSpec(lane, 4, {"max.message.bytes": "50000"})]
    )
    if accepted(ground.kafka, lane, large.encode()):
        pytest.skip("the embedded broker takes records of any size")
    ground.produce(ground.source, [order(1), order(2, note=large), order(3)], partition=1)
    with routing(ground) as running:
        wait_until(lambda: ground.committed(running.group, ground.source) == 3, 60, "all are committed")
    (letter,) = dead_letters(ground).values()
    assert (letter.cause, letter.original) == ("too_large", Position(ground.source, 1, 1))
    assert len(ground.read(lane)) == 2


def accepted(kafka: str, topic: str, value: bytes) -> bool:
    """Whether the broker takes a record."""
    errors: list[KafkaError | None] = []
    producer = Producer(producer_config(kafka))
    producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    producer.flush(30)
    return all(error is None for error in errors)


def test_a_second_router_takes_over_half_and_gives_it_back(ground: Ground) -> None:
    ground.produce(ground.source, (order(number) for number in range(1_000)))
    with routing(ground) as running:
        wait_until(lambda: len(ground.read(ground.lane, 0.3)) == 1_000, 60, "the first works alone")
        with routing(ground):
            ground.produce(ground.source, (order(number) for number in range(1_000, 2_000)))
            wait_until(lambda: len(ground.read(ground.lane, 0.3)) >= 2_000, 60, "both work")
        ground.produce(ground.source, (order(number) for number in range(2_000, 3_000)))
        wait_until(lambda: ground.committed(running.group, ground.source) == 3_000, 60, "all are committed")
    events = {decode_record(message.value() or b"").event.event_id for message in ground.read(ground.lane)}
    assert events == {f"e-{number}" for number in range(3_000)}
