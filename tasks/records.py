"""A prediction's record in Kafka: the answer, and all that it is based on."""

from dataclasses import dataclass
from functools import lru_cache

import msgspec

from core.timestamps import iso_milliseconds
from events.decision import Millis
from events.envelope import Envelope
from events.errors import DeadLetter
from events.lane import Fed
from events.prediction import Prediction, encode_prediction
from events.topics import PREDICTIONS
from models.workflow import Answer, Case, ModelVersion
from transport.kafka import Outgoing


@dataclass(frozen=True, slots=True)
class Stamp:
    """What all predictions of one batch share. `inference_ms` is one event's part of the time."""

    model: ModelVersion
    code_version: str
    fed_at: Millis
    attempts: int
    now: Millis
    predicted_at: str
    inference_ms: float


@lru_cache(maxsize=4_096)
def iso(time: Millis) -> str:
    """`iso_milliseconds`, cached: all events of a batch came within few milliseconds."""
    return iso_milliseconds(time)


def prediction(fed: Fed, case: Case, answer: Answer, entity_id: str, stamp: Stamp) -> Outgoing:
    """The record for `ml.predictions`, keyed by its id. Raises `DeadLetter` if the answer is none."""
    event, decision, model = case.event, case.decision, stamp.model
    features = case.features if answer.read is None else answer.read
    confidence = answer.output.confidence
    if confidence is not None and not 0 <= confidence <= 1:
        raise DeadLetter("invalid_output", f"confidence must be from 0 to 1, is {confidence}")
    record = Prediction(
        prediction_id=decision.prediction_id,
        model_id=model.model_id,
        source_event_id=event.event_id,
        entity_id=entity_id,
        output=answer.output,
        latency_ms=float(stamp.now - (decision.deadline - decision.sla_ms)),
        # the event itself is the oldest data where the store has nothing
        feature_version=iso(event.occurred_at if features.data_time is None else features.data_time),
        predicted_at=stamp.predicted_at,
        tenant_id=event.tenant_id,
        event_type=event.event_type,
        occurred_at=event.occurred_at,
        workflow=decision.workflow,
        queue=decision.queue,
        priority=decision.priority,
        arm=decision.arm,
        bucket=decision.bucket,
        propensity=decision.propensity,
        rule=decision.rule,
        table_hash=decision.table_hash,
        model_version=model.version,
        model_digest=model.digest,
        code_version=stamp.code_version,
        features=dict(answer.features),
        feature_hash=model.feature_hash,
        missing=features.missing,
        stale=features.stale,
        feature_keys={entity: key.entity_id for entity, key in case.keys.items()},
        feature_origin=features.origin,
        feature_position=features.position,
        inference_ms=stamp.inference_ms,
        sla_ms=decision.sla_ms,
        deadline=decision.deadline,
        fed_at=stamp.fed_at,
        attempts=stamp.attempts,
        source=decision.source,
        lane=fed.lane,
        fallback=answer.fallback,
        explanation=answer.explanation,
        traceparent=event.traceparent,
    )
    try:
        value = encode_prediction(record)
    except (TypeError, OverflowError) as error:
        raise DeadLetter("invalid_output", f"the answer cannot be written: {error}") from error
    return Outgoing(PREDICTIONS, value, decision.prediction_id.encode())


def event_record(topic: str, event: Envelope, key: str) -> Outgoing:
    """An event of our own, for a topic of events; its key decides on the partition."""
    return Outgoing(topic, msgspec.json.encode(event), key.encode())
