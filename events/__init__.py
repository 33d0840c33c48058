"""The contract: what are an event, a decision, a prediction, a dead letter? Pure; knows no infrastructure."""

from events.codec import Decoded, decode
from events.deadletter import DeadLetterHeaders, Letter, dead_letter, fingerprint
from events.decision import Arm, Decision, Millis, Position, dead_letter_topic, lane_topic, overflow_topic
from events.envelope import Envelope
from events.errors import (
    CAUSES,
    Cause,
    ConfigError,
    DeadLetter,
    Escalate,
    Fallback,
    Problem,
    Retry,
    SignalboxError,
    Unavailable,
)
from events.identity import prediction_id
from events.lane import (
    Batch,
    Fed,
    LaneRecord,
    Original,
    Waiting,
    decode_batch,
    decode_record,
    encode_batch,
    encode_waiting,
)
from events.payloads import EVENT_TYPES, declared, validate
from events.prediction import Output, Prediction, decode_prediction, encode_prediction
from events.priority import Priority

__all__ = [
    "CAUSES",
    "EVENT_TYPES",
    "Arm",
    "Batch",
    "Cause",
    "ConfigError",
    "DeadLetter",
    "DeadLetterHeaders",
    "Decision",
    "Decoded",
    "Envelope",
    "Escalate",
    "Fallback",
    "Fed",
    "LaneRecord",
    "Letter",
    "Millis",
    "Original",
    "Output",
    "Position",
    "Prediction",
    "Priority",
    "Problem",
    "Retry",
    "SignalboxError",
    "Unavailable",
    "Waiting",
    "dead_letter",
    "dead_letter_topic",
    "declared",
    "decode",
    "decode_batch",
    "decode_prediction",
    "decode_record",
    "encode_batch",
    "encode_prediction",
    "encode_waiting",
    "fingerprint",
    "lane_topic",
    "overflow_topic",
    "prediction_id",
    "validate",
]
