"""Where an event is, told from the logs that hold it."""

import secrets

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from dispatcher.lane_reader import feeder_group
from dispatcher.where import Search
from dispatcher.whereabouts import GivenUp, InLane, InSource, Predicted, Sighting
from events.decision import Position
from tests.integration.dispatcher.ground import Ground, lane_records, order
from tests.integration.dispatcher.outcomes import given_up, prediction, publish
from transport.kafka import consumer_config
from transport.topics import existing_topics


def sightings(ground: Ground, event_id: str) -> tuple[Sighting, ...]:
    """What a search of every topic comes to."""
    topics = existing_topics(AdminClient({"bootstrap.servers": ground.kafka}))
    search = Search(ground.kafka, ground.rules().catalogue, event_id, source=ground.source)
    found = search.run(topics, since=0, seconds=60)
    assert not found.unfinished
    return found.sightings


def in_lane(ground: Ground, event_id: str) -> InLane:
    """The one lane record of an event."""
    (lane,) = (each for each in sightings(ground, event_id) if isinstance(each, InLane))
    return lane


def feed(ground: Ground, partition: int, offset: int) -> None:
    """Let the feeder have sent all below an offset."""
    consumer = Consumer(consumer_config(ground.kafka, feeder_group(ground.lane)))
    consumer.commit(offsets=[TopicPartition(ground.lane, partition, offset)], asynchronous=False)
    consumer.close()


def test_an_event_is_found_in_its_source_and_waiting_in_its_lane_behind_others(ground: Ground) -> None:
    first = secrets.randbits(40)
    ground.produce(ground.source, [order(first)], partition=2)
    ground.produce(ground.lane, lane_records(ground, range(first, first + 5)), partition=3)
    source, lane = sightings(ground, f"e-{first}")
    assert isinstance(source, InSource)
    assert source.position == Position(ground.source, 2, 0)
    assert isinstance(lane, InLane)
    assert (lane.position, lane.ahead) == (Position(ground.lane, 3, 0), 0)
    assert in_lane(ground, f"e-{first + 4}").ahead == 4
    feed(ground, 3, 2)
    assert in_lane(ground, f"e-{first}").ahead is None
    assert in_lane(ground, f"e-{first + 4}").ahead == 2


def test_what_came_out_is_found_beside_the_lane_record_it_answers(ground: Ground) -> None:
    first = secrets.randbits(40)
    lane = Position(ground.lane, 0, 0)
    ground.produce(ground.lane, lane_records(ground, [first, first + 1]), partition=0)
    publish(ground, [prediction(lane, f"e-{first}")])
    _, outcome = sightings(ground, f"e-{first}")
    assert isinstance(outcome, Predicted)
    assert outcome.prediction.lane == lane


def test_an_event_that_was_given_up_is_found_by_its_original(ground: Ground) -> None:
    number = secrets.randbits(40)
    lane = Position(ground.lane, 0, 0)
    ground.produce(ground.lane, lane_records(ground, [number]), partition=0)
    publish(ground, [given_up(lane, order(number))])
    _, outcome = sightings(ground, f"e-{number}")
    assert isinstance(outcome, GivenUp)
    assert (outcome.letter.lane, outcome.letter.cause) == (lane, "rejected")


def test_an_id_that_another_event_only_speaks_of_is_not_its_event(ground: Ground) -> None:
    number = secrets.randbits(40)
    ground.produce(ground.source, [order(number, note=f"e-{number + 1}")])
    assert sightings(ground, f"e-{number + 1}") == ()
