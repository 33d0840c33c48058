"""A client of the schema registry: the writer schema of an Avro schema id, asked once for each id."""

from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request

import msgspec

from core.circuit_breaker import CircuitBreaker
from events.avro import SHIPPED, Schemas, Writer, parse_writer
from events.decision import Millis
from events.errors import DeadLetter, Unavailable
from transport.clock import Clock, system_clock
from transport.http import HttpPlace, ask, parse_address, read_body

NAME = "schema registry"
TIMEOUT_S = 2.0
ASK_AGAIN_MS = 3_000
"""After how long a registry that did not answer is asked again; until then it counts as down."""
REMEMBER_UNKNOWN_MS = 30_000
MAX_REMEMBERED = 1_000
MAX_ANSWER_BYTES = 1_000_000

_REFUSED = frozenset({400, 403, 406, 409, 410, 422, 451})
"""What is said of one schema. 401, 407, 408, 425 and 429 are said of the client: they may pass."""
_NOT_FOUND = 404
_SCHEMA_NOT_FOUND = 40_403
_ACCEPT = "application/vnd.schemaregistry.v1+json, application/json"


class _Answer(msgspec.Struct, rename="camel"):
    schema: str
    schema_type: str | None = None
    """None is Avro: some registries leave it out, others send null."""


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
        self._breaker = CircuitBreaker(ASK_AGAIN_MS)
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
        if self._breaker.is_open(now):
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
        """The schema's text. Raises `DeadLetter` if the registry refuses this id, and `Unavailable`."""
        # confluent-kafka's own client for this one GET brings fourteen packages, cryptography among them
        request = Request(f"{self._base}/schemas/ids/{schema_id}", headers=self._headers)  # noqa: S310  # HTTP: checked
        try:
            body = ask(request, self._timeout_s, MAX_ANSWER_BYTES + 1, self._tls)
            if len(body) > MAX_ANSWER_BYTES:
                raise DeadLetter(
                    "undecodable", f"Avro schema {schema_id} is larger than {MAX_ANSWER_BYTES:,} bytes"
                )
            said = _decode_answer(body)
        except HTTPError as error:
            with error:
                raise self._judged(schema_id, error) from error
        except (OSError, HTTPException, msgspec.MsgspecError) as error:
            raise self._down(error) from error
        if said.schema_type not in (None, "AVRO"):
            raise DeadLetter("undecodable", f"schema {schema_id} is {said.schema_type[:32]}, not Avro")
        return said.schema

    def _judged(self, schema_id: int, error: HTTPError) -> DeadLetter | Unavailable:
        """Whether an answer other than 200 is about this schema, or about the registry."""
        body = self._said(error)
        if error.code == _NOT_FOUND and _says_unknown(body):
            return DeadLetter("undecodable", f"Avro schema {schema_id} is not in the schema registry")
        # a web page is a proxy's, which knows nothing of schemas
        if error.code in _REFUSED and not body.lstrip().startswith(b"<"):
            return DeadLetter(
                "undecodable", f"Avro schema {schema_id} is refused by the schema registry: HTTP {error.code}"
            )
        return self._down(error)

    def _said(self, error: HTTPError) -> bytes:
        try:
            return read_body(error, self._timeout_s, MAX_ANSWER_BYTES)
        except (OSError, HTTPException):
            return b""

    def _down(self, reason: Exception) -> Unavailable:
        self._breaker.on_failure(self._clock())
        self._reason = str(reason) or type(reason).__name__
        return Unavailable(NAME, self._reason)


def _says_unknown(body: bytes) -> bool:
    """Whether it is the registry that does not know the id: a proxy or a wrong path answers 404 too."""
    try:
        return _decode_refusal(body).error_code == _SCHEMA_NOT_FOUND
    except msgspec.MsgspecError:
        return False
