"""What comes out of an inference, and what it rests on. Audit, replay and rollout read it."""

from typing import Annotated, Any, Literal

import msgspec

from events.decision import Arm, Millis, Position
from events.priority import Priority


class FraudDetail(msgspec.Struct, frozen=True, tag="fraud"):
    """The thresholds on `confidence` at which an order was held for review, or held back."""

    review_at: float
    hold_at: float


class ChurnDetail(msgspec.Struct, frozen=True, tag="churn"):
    """`confidence` is the probability of no order within `horizon_days` of the event.

    From `remind_at` on the customer is reminded, from `offer_at` on made an offer.
    """

    horizon_days: int
    remind_at: float
    offer_at: float


class DemandQuantiles(msgspec.Struct, frozen=True):
    """Pieces that demand does not exceed with a probability of 0.5, 0.8, 0.9 and 0.95."""

    p50: float
    p80: float
    p90: float
    p95: float


class DayDemand(msgspec.Struct, frozen=True, omit_defaults=True):
    """Pieces on one day (ISO 8601): the expected value, and bounds between which most of what comes will lie.

    `quantiles` are of the day, its `p50` the median. A forecast that was made before there were any has none,
    and its `mean` is near the median.
    """

    day: str
    mean: float
    low: float
    high: float
    quantiles: DemandQuantiles | None = None


class ForecastDetail(msgspec.Struct, frozen=True, tag="forecast", omit_defaults=True):
    """What is forecast of a SKU as of a night's midnight, day by day, and by which method.

    `coverage` is how much of what comes is to lie between `low` and `high`, 0 to 1. The forecast was made by
    `model_id` at `made_at` (epoch ms): later in the day the answer is the same, whatever serves by then.
    `expected` is the mean of the whole horizon, all of `days` together, and `total` its quantiles: what a
    restock goes by. The quantiles of days do not add up to it. Both are None in forecasts that were made
    before there were any.
    """

    night: str
    method: str
    model_id: str
    made_at: Millis
    coverage: float
    days: tuple[DayDemand, ...]
    expected: float | None = None
    total: DemandQuantiles | None = None


class NightDetail(msgspec.Struct, frozen=True, tag="night"):
    """How many SKUs a night's run is of, and for how many of them a forecast was still to be made."""

    night: str
    planned: int
    requested: int


class TrainingDetail(msgspec.Struct, frozen=True, tag="training"):
    """What a dataset's version brought, and how many rows await a training that begins at `min_rows`."""

    dataset_version: str
    rows_added: int
    pending_rows: int
    min_rows: int


CallState = Literal[
    "declined",  # the limits did not allow it: it was never sent
    "withdrawn",  # intended, and never sent: the run came to no draft that holds
    "intended",  # allowed, and not sent yet
    "confirmed",  # the support platform has done it
    "refused",  # the support platform will not do it
    "unknown",  # sent, and nobody knows whether it was done
]


class ToolCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """One action that an agent chose, and what became of it. Amounts are in minor units of `currency`."""

    tool: str
    state: CallState
    amount_minor: int = 0
    currency: str = ""


class SupportDetail(msgspec.Struct, frozen=True, tag="support"):
    """What an agent made of a ticket; the label says whether it was resolved or handed over to a human.

    That is a fact and no estimate: `confidence` is None. `reason` says why it was handed over, `summary` what
    the agent made of it, and neither has personal data. `model_id` began the run at `began_at` (epoch ms): a
    run that is taken up again keeps to its prompt, whatever serves by then. `llm_calls` are those that were
    answered, with their tokens; `cost` is in USD, at the prices of the version. `cited` are the ids of the
    policies that the reply rests on, `policies` is the SHA-256 of all that could be searched.
    """

    outcome: Literal["resolved", "handed_over"]
    reason: str
    summary: str
    steps: int
    llm_calls: int
    searches: int
    input_tokens: int
    output_tokens: int
    cost: float
    tool_calls: tuple[ToolCall, ...]
    cited: tuple[str, ...]
    policies: str
    model_id: str
    began_at: Millis


Origin = Literal["online", "offline"]
"""Which tier of the feature store answered: the other one only if the online tier had lost something."""

Detail = (  # a tagged union: a workflow that says more than a decision adds its own
    FraudDetail | ChurnDetail | ForecastDetail | NightDetail | TrainingDetail | SupportDetail
)


class Output(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer itself.

    `confidence` (0 to 1) of a classifier is the probability of `label`'s positive class, of a forecast the
    median of the horizon's total by its 0.9 quantile: 1 is certain, near 0 anything may come. It is None if
    the answer estimates nothing: a plan of a night, a training, a ticket. `detail` is what a workflow says
    besides; None if it has nothing to add.
    """

    label: str
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] | None
    decision: str
    detail: Detail | None = None


class Explanation(msgspec.Struct, frozen=True):
    """How the model came to `confidence`, in log-odds.

    `base` is what it says before it looks at anything, `contributions` what each feature added to that, the
    weightiest first. All together are the log-odds of `confidence`, to the six digits that are kept.
    """

    base: float
    contributions: dict[str, float]


class Prediction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One inference, as a record of `ml.predictions`.

    `latency_ms` runs from the source record's entry into Kafka to `predicted_at`; `inference_ms` is this
    event's share of its batch's time in the model. `feature_version` (ISO 8601) is the data time of the
    oldest feature value, `feature_hash` says which definitions made it. `features` are the values that the
    model saw; `missing` names those of which the store had nothing, `stale` those that may lack what arrived
    long before the event. `feature_keys` says whose they were, by entity; `feature_position`, such as
    "0@1234 1@1500", up to which offset of each source partition all was counted that they are made of.
    `explanation` is there if the route asks for one and the model answered. Times without a unit in their
    type are epoch milliseconds.
    """

    prediction_id: str
    model_id: str
    source_event_id: str
    entity_id: str
    output: Output
    latency_ms: float
    feature_version: str
    predicted_at: str

    tenant_id: str
    event_type: str
    occurred_at: Millis
    workflow: str
    queue: str
    priority: Priority
    arm: Arm
    bucket: int | None = None
    propensity: float = 1.0
    rule: str
    table_hash: str
    model_version: str
    model_digest: str
    code_version: str
    features: dict[str, Any]
    feature_hash: str
    missing: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    feature_keys: dict[str, str] = {}
    feature_origin: Origin = "online"
    feature_position: str = ""
    inference_ms: float
    sla_ms: int
    deadline: Millis
    fed_at: Millis
    attempts: int
    source: Position
    lane: Position
    fallback: str | None = None
    explanation: Explanation | None = None
    traceparent: str | None = None


_encoder = msgspec.json.Encoder()
_decode = msgspec.json.Decoder(Prediction).decode


def encode_prediction(prediction: Prediction) -> bytes:
    """The value of a record in `ml.predictions`: one JSON object."""
    return _encoder.encode(prediction)


def decode_prediction(value: bytes) -> Prediction:
    """Read a prediction event. Raises `msgspec.ValidationError` naming the field that does not fit."""
    return _decode(value)
