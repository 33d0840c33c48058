"""One source record to its prediction, nothing in between: what the plain way and the bare loop share."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from confluent_kafka import Message

import routing
from events import codec, payloads
from events.decision import Position
from events.errors import SignalboxError
from events.lane import Fed
from features.offline.store import open_offline
from features.reading import Asked, FeatureReader
from features.redis_store import RedisStore
from features.retail import DEFINITIONS
from features.tiered import TieredReader
from models.artifact import load_newest
from models.fraud import MODEL, FraudWorkflow
from models.thresholds import load_thresholds
from models.workflow import Case
from routing.rules import Rules
from settings import load_settings
from tasks.records import Stamp, iso, prediction
from transport.clock import system_clock
from transport.kafka import Outgoing


@dataclass(frozen=True, slots=True)
class Source:
    """A record of the source topic."""

    value: bytes
    position: Position
    timestamp: int

    @classmethod
    def of(cls, message: Message) -> "Source":
        """What was consumed."""
        position = Position(message.topic() or "", message.partition() or 0, message.offset() or 0)
        return cls(message.value() or b"", position, message.timestamp()[1])


class Deciding:
    """The same codec, validation, features, model and record as the pipeline's, in one call."""

    def __init__(self, workflow: FraudWorkflow, features: FeatureReader, rules: Rules) -> None:
        self._workflow = workflow
        self._features = features
        self._table = rules.table

    @classmethod
    def from_settings(cls) -> "Deciding":
        """As configured by the environment. Call it after the fork."""
        settings = load_settings()
        thresholds = load_thresholds(settings.fraud_config)
        workflow = load_newest(
            settings.model_dir, MODEL, lambda artifact: FraudWorkflow.load(artifact, thresholds)
        )
        rules = routing.load(settings.routing_table, settings.workflows)
        online, offline = RedisStore(settings.redis_url), open_offline(settings.database_url)
        return cls(workflow, TieredReader(DEFINITIONS, online, offline), rules)

    def predictions(self, sources: Sequence[Source]) -> list[Outgoing]:
        """One prediction for each record. Raises where one is bad: benchmarks play good orders."""
        decided = []
        for source in sources:
            envelope = codec.decode(source.value, ()).envelope
            payloads.validate(envelope)
            (decision,) = routing.route(envelope, self._table, source.position, source.timestamp)
            decided.append((source, envelope, decision, self._workflow.entities(envelope)))
        asked = [
            Asked(entities, envelope.occurred_at, source.timestamp)
            for source, envelope, _, entities in decided
        ]
        vectors = self._features.read(self._workflow.needs, asked)
        cases = [
            Case(envelope, decision, entities, vector)
            for (_, envelope, decision, entities), vector in zip(decided, vectors, strict=True)
        ]
        answers = self._workflow.infer(cases)
        now = system_clock()
        stamp = Stamp(self._workflow.version, "benchmark", now, 1, now, iso(now), 0.0)
        records = []
        for source, case, answer in zip(sources, cases, answers, strict=True):
            if isinstance(answer, SignalboxError):
                raise answer
            fed = Fed(source.position, source.timestamp, msgspec.Raw(b"{}"))
            records.append(prediction(fed, case, answer, self._workflow.entity_id(case.event), stamp))
        return records
