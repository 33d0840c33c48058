"""The steps of a run as its journal holds them, in the order in which they happened: a write-ahead log.

Each is committed before the next begins, so that the worker that takes a run up goes on where it stopped.
"""

from typing import Literal

import msgspec

from events.decision import Millis
from features.reading import FeatureVector
from models.support.actions import Action
from models.support.fallback import Reason
from models.support.limits import Purse
from models.support.passage import Passage

Outcome = Literal["resolved", "handed_over"]


class Begun(msgspec.Struct, frozen=True, kw_only=True, tag="begun"):
    """The run began, with this prompt, which it keeps. `policies` is the SHA-256 of what is searched.

    `features` stand in the prompt; `read` is what the store said of them, without the values.
    """

    model_id: str
    began_at: Millis
    policies: str
    instructions: str
    prompt: str
    features: dict[str, float]
    read: FeatureVector | None = None


class Asked(msgspec.Struct, frozen=True, tag="asked"):
    """The LLM is about to be asked for the `call`th time (from 1).

    `messages` are those that no request before it had, as pydantic-ai writes them in JSON.
    """

    call: int
    messages: str


class Answered(msgspec.Struct, frozen=True, kw_only=True, tag="answered"):
    """The LLM's answer to that request, as pydantic-ai writes a `ModelResponse` in JSON."""

    call: int
    response: str
    input_tokens: int
    output_tokens: int


class Searched(msgspec.Struct, frozen=True, tag="searched"):
    """The policies were searched for `query`; what was found is all that a reply may cite."""

    query: str
    namespace: str
    passages: tuple[Passage, ...]


class Intended(msgspec.Struct, frozen=True, tag="intended"):
    """The limits allow this action, and it was taken from `purses`.

    It is carried out under `key` once the draft holds, and not before.
    """

    key: str
    action: Action
    purses: tuple[Purse, ...] = ()


class Declined(msgspec.Struct, frozen=True, tag="declined"):
    """The limits do not allow this action; `human`: but somebody may."""

    action: Action
    reason: str
    human: bool


class Concluded(msgspec.Struct, frozen=True, kw_only=True, tag="concluded"):
    """What is to be done: from here on nothing is decided any more.

    `reason` says why it is handed over, and is None if it is resolved; `fallback` why no LLM wrote this.
    `carry_out`: the actions that were intended are sent; otherwise they are withdrawn. `reply` is for the
    customer, or a proposal to the human. `at` (epoch ms) is when; 0 in the journal of a build that sent
    actions without a `Sent` before them.
    """

    reason: Reason | None
    reply: str
    summary: str
    cites: tuple[str, ...]
    carry_out: bool
    fallback: str | None = None
    at: Millis = 0


class Sent(msgspec.Struct, frozen=True, tag="sent"):
    """The action under `key` is about to be sent, at `at` (epoch ms): from here on it may have been done."""

    key: str
    at: Millis = 0


class NotSent(msgspec.Struct, frozen=True, tag="not_sent"):
    """What was about to be sent under `key` surely did not arrive: it is still to be done."""

    key: str


class Confirmed(msgspec.Struct, frozen=True, tag="confirmed"):
    """The support platform has done what stands under `key`, and calls it `reference`."""

    key: str
    reference: str


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The support platform will not do what stands under `key`."""

    key: str
    reason: str


class Unknown(msgspec.Struct, frozen=True, tag="unknown"):
    """Nobody knows whether what stands under `key` was done, and asking again might do it twice."""

    key: str
    reason: str


class Withdrawn(msgspec.Struct, frozen=True, tag="withdrawn"):
    """What stands under `key` was never sent, and will not be."""

    key: str


class Posting(msgspec.Struct, frozen=True, tag="posting"):
    """The support platform is about to be told: from here on it may know, and is told nothing else.

    `reason` says why the ticket is handed over, and is None if it is resolved.
    """

    reason: Reason | None


class Unposted(msgspec.Struct, frozen=True, tag="unposted"):
    """The support platform will not take the resolution, for `reason`: a person is to have the ticket."""

    reason: str


class Posted(msgspec.Struct, frozen=True, tag="posted"):
    """The support platform has the resolution, or the hand-over, and calls it `reference`."""

    outcome: Outcome
    reference: str


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The prediction's output (`events.prediction.Output` in JSON): whoever asks again is told the same."""

    output: str
    fallback: str | None = None


Step = (
    Begun
    | Asked
    | Answered
    | Searched
    | Intended
    | Declined
    | Concluded
    | Sent
    | NotSent
    | Confirmed
    | Refused
    | Unknown
    | Withdrawn
    | Posting
    | Unposted
    | Posted
    | Ended
)

_encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[Step] = msgspec.json.Decoder(Step)


def encode_step(step: Step) -> str:
    """As it stands in the journal: one JSON object with its `type`."""
    return _encode(step).decode()


def decode_step(text: str) -> Step:
    """Read a step. Raises `msgspec.ValidationError`."""
    return _decoder.decode(text)


def kind(step: Step) -> str:
    """`intended`: the tag that it is written under."""
    return str(step.__struct_config__.tag)
