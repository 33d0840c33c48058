"""What does the schema registry say of an Avro schema's id? Asked once for each id, over HTTP."""

from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec

from events.avro import SHIPPED, Schemas, Writer, parse_writer
from events.decision import Millis
from events.errors import DeadLetter, Unavailable
from transport.clock import Clock, system_clock
from transport.http import HttpPlace, parse_address

NAME = "schema registry"
TIMEOUT_S = 2.0
ASK_AGAIN_MS = 3_000
"""After how long a registry that did not answer is asked again; until then it counts as down."""
REMEMBER_UNKNOWN_MS = 30_000
MAX_REMEMBERED = 1_000
MAX_ANSWER_BYTES = 1_000_000

_NOT_FOUND = 404
_SCHEMA_NOT_FOUND = 40_403
_ACCEPT = "application/vnd.schemaregistry.v1+json, application/json"


class _Answer(msgspec.Struct, rename="camel"):
    schema: str
    schema_type: str = "AVRO"


class _Refusal(msgspec.Struct):
    error_code: int


_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_refusal = msgspec.json.Decoder(_Refusal).decode


def connect_schemas(place: str | HttpPlace | None) -> Schemas:
    """The registry at this place, or without one the schemas that are shipped. Asks nothing yet."""
    return Registry(place) if place else SHIPPED


class Registry:
    """A schema registry with Confluent's API. Use from one thread.

    A schema never changes: it is kept for as long as the process lives. That an id is unknown is believed for
    half a minute.
    """

    def __init__(
        self, place: str | HttpPlace, clock: Clock = system_clock, timeout_s: float = TIMEOUT_S
    ) -> None:
        """`place` may carry a user and a password. Raises `ConfigError` if it is none of HTTP."""
        self._base, headers, self._tls = parse_address(place, "SCHEMA_REGISTRY_URL")
        self._headers = {"Accept": _ACCEPT, **headers}
        self._clock = clock
        self._timeout_s = timeout_s
        self._writers: dict[int, Writer] = {}
        self._unusable: dict[int, tuple[Millis, str]] = {}
        self._down_until = 0
        self._reason = ""

    def writer(self, schema_id: int) -> Writer:
        """See `Schemas`."""
        writer = self._writers.get(schema_id)
        if writer is None:
            self._check_remembered(schema_id)
            writer = self._writers[schema_id] = self._learn(schema_id)
        return writer

    def _check_remembered(self, schema_id: int) -> None:
        now = self._clock()
        if schema_id in self._unusable:
            until, message = self._unusable[schema_id]
            if now < until:
                raise DeadLetter("undecodable", message)
            del self._unusable[schema_id]
        if now < self._down_until:
            raise Unavailable(NAME, self._reason)

    def _learn(self, schema_id: int) -> Writer:
        try:
            return parse_writer(schema_id, self._fetch(schema_id))
        except DeadLetter as error:
            if len(self._unusable) >= MAX_REMEMBERED:
                self._unusable.clear()
            self._unusable[schema_id] = self._clock() + REMEMBER_UNKNOWN_MS, str(error)
            raise

    def _fetch(self, schema_id: int) -> str:
        """The schema's text. Raises `DeadLetter` where the registry says there is none, and `Unavailable`."""
        # confluent-kafka's own client for this one GET brings fourteen packages, cryptography among them
        request = Request(f"{self._base}/schemas/ids/{schema_id}", headers=self._headers)  # noqa: S310  # HTTP: checked
        try:
            with urlopen(request, timeout=self._timeout_s, context=self._tls) as answer:  # noqa: S310  # HTTP: checked
                said = _decode_answer(answer.read(MAX_ANSWER_BYTES))
        except HTTPError as error:
            with error:
                if error.code == _NOT_FOUND and _says_unknown(error):
                    raise DeadLetter(
                        "undecodable", f"Avro schema {schema_id} is not in the schema registry"
                    ) from error
                raise self._down(error) from error
        except (OSError, HTTPException, msgspec.MsgspecError) as error:
            raise self._down(error) from error
        if said.schema_type != "AVRO":
            raise DeadLetter("undecodable", f"schema {schema_id} is {said.schema_type[:32]}, not Avro")
        return said.schema

    def _down(self, reason: Exception) -> Unavailable:
        self._down_until, self._reason = self._clock() + ASK_AGAIN_MS, str(reason) or type(reason).__name__
        return Unavailable(NAME, self._reason)


def _says_unknown(answer: Any) -> bool:
    """Whether it is the registry that does not know the id: a proxy or a wrong path answers 404 too."""
    try:
        return _decode_refusal(answer.read(MAX_ANSWER_BYTES)).error_code == _SCHEMA_NOT_FOUND
    except (OSError, HTTPException, msgspec.MsgspecError):
        return False
