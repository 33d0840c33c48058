"""Dead letters and their replays in Kafka: read, and written."""

from collections.abc import Iterator, Sequence
from getpass import getuser

from commands.deadletters_report import Letters, Wanted
from dispatcher.replaying import Letter, NotReplayableError, again, parse_letter, replay_record, replayed
from dispatcher.topics import DeclaredTopics
from events.decision import dead_letter_topic
from events.errors import DeadLetter
from events.topics import DEAD_LETTERS, REPLAYS
from monitoring.reading import LogReader
from routing import load
from settings import load_settings
from transport.clock import system_clock
from transport.kafka import admin_client, headers_of, position_of
from transport.publisher import Publisher
from transport.registry import connect_schemas
from transport.topics import create_topics

AT_ONCE = 500
PUBLISH_S = 30.0


def read(wanted: Wanted) -> Letters:
    """The letters that are wanted, by where they stand, and which of them were replayed."""
    settings = load_settings()
    queues = load(settings.routing_table, settings.workflows).catalogue.queues
    topics = [wanted.topic] if wanted.topic else [DEAD_LETTERS, *map(dead_letter_topic, queues)]
    reader = LogReader(settings.kafka_cluster, [*topics, REPLAYS])
    letters, replays, foreign = [], [], []
    for message in reader.read_all():
        if message.topic() == REPLAYS:
            replays.append(message.value())
            continue
        at = position_of(message)
        try:
            letter = parse_letter(at, message.key(), message.value(), headers_of(message))
        except DeadLetter:
            foreign.append(at)
            continue
        if wanted.holds(letter):
            letters.append(letter)
    reader.close()
    letters.sort(key=lambda each: (each.position.topic, each.position.partition, each.position.offset))
    return Letters(letters, replayed(replays), foreign)


def write(letters: Sequence[Letter], reason: str, dry_run: bool) -> Iterator[tuple[str, bool]]:
    """Write what can be replayed; a line for each letter, and whether that one cannot be."""
    settings = load_settings()
    rules = load(settings.routing_table, settings.workflows)
    declared = DeclaredTopics(settings.topics, settings.partitions, settings.replicas)
    schemas = connect_schemas(settings.schema_registry)
    publisher = Publisher(settings.kafka_cluster)
    if letters and not dry_run:
        # before anything is replayed that could not be written down
        admin = admin_client(settings.kafka_cluster)
        create_topics(admin, [spec for spec in declared.specs(rules) if spec.name == REPLAYS])
    for first in range(0, len(letters), AT_ONCE):
        writes, records = [], []
        for letter in letters[first : first + AT_ONCE]:
            try:
                made = again(letter, rules.table, system_clock(), schemas, settings.event_spans)
            except NotReplayableError as error:
                yield f"{letter.position}: not replayed: {error}", True
                continue
            writes.append(made)
            records.append(replay_record(letter, made.topic, system_clock(), getuser(), reason))
            yield f"{letter.position}: {'would go' if dry_run else 'goes'} to {made.topic}", False
        if not dry_run:
            # in this order: one that is written down as replayed was replayed, even if this is killed
            publisher.publish(writes, PUBLISH_S)
            publisher.publish(records, PUBLISH_S)
