"""Registration of schemas in a schema registry with Confluent's API: lookup, compatibility, new version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import msgspec

from events.avro import RETAIL_EVENT
from events.topics import EVENTS
from transport.http import HttpPlace, RefusedError, Server, parse_address

NAME = "schema registry"
TIMEOUT_S = 10.0
_NO_SUBJECT, _NO_VERSION, _NO_SCHEMA = 40_401, 40_402, 40_403
_NOT_LET_IN = (401, 403)
_MAX_REASON = 500


class Level(StrEnum):
    """What a registry asks of a subject's next schema, in Confluent's terms."""

    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Subject:
    """A schema as text, and the name under which the registry keeps its versions."""

    name: str
    schema: str
    language: Literal["AVRO", "JSON"]

    @property
    def body(self) -> bytes:
        """What every request about it carries. Avro is the registry's default, which old ones cannot name."""
        language = {} if self.language == "AVRO" else {"schemaType": self.language}
        return msgspec.json.encode({"schema": self.schema, **language})


class Outcome(NamedTuple):
    """What became of a subject. `detail` is its id, its level or the registry's own reason."""

    subject: str
    state: Literal["registered", "unchanged", "new", "compatible", "refused"]
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.subject}: {self.state}{', ' if self.detail else ''}{self.detail}"


class _Found(msgspec.Struct):
    id: int
    version: int | None = None


class _Judgement(msgspec.Struct):
    """Confluent gives `messages`, Apicurio one `reason`."""

    is_compatible: bool
    messages: list[str] | None = None
    reason: str | None = None


class _Refusal(msgspec.Struct):
    error_code: int = 0
    message: str = ""


def subjects(payloads: Mapping[tuple[str, int], Mapping[str, Any]], topic: str = EVENTS) -> Sequence[Subject]:
    """The envelope in Avro, and a subject for each event type and major version of `payloads` (JSON Schema).

    The envelope's name is what Confluent's serializers derive from the topic, so that a producer finds it.
    """
    return [
        Subject(f"{topic}-value", RETAIL_EVENT, "AVRO"),
        *(
            Subject(f"{topic}-{event_type}.v{major}", msgspec.json.encode(schema).decode(), "JSON")
            for (event_type, major), schema in sorted(payloads.items())
        ),
    ]


class Registrar:
    """Brings subjects into one registry. What is there already is left as it is, its level included."""

    def __init__(self, place: str | HttpPlace, level: Level, timeout_s: float = TIMEOUT_S) -> None:
        """`level` is set for subjects that are new. Raises `ConfigError` if the address is none of HTTP."""
        self._server = Server(parse_address(place, "SCHEMA_REGISTRY_URL"), NAME, timeout_s)
        self._level = level

    def ask(self, subject: Subject) -> Outcome:
        """What registering it would come to; changes nothing.

        `new`: the registry has no such subject. `compatible`: it would be the subject's next version. Raises
        `Unavailable`.
        """
        try:
            found = self._look_up(subject)
            return found if found is not None else self._judge(subject)
        except RefusedError as error:
            return _refused(subject, error)
        except msgspec.MsgspecError as error:
            return Outcome(subject.name, "refused", _no_registry(str(error)))

    def register(self, subject: Subject) -> Outcome:
        """Register it unless it is there already or the registry refuses it. Raises `Unavailable`."""
        asked = self.ask(subject)
        if asked.state not in ("new", "compatible"):
            return asked
        path, level = quote(subject.name, safe=""), ""
        try:
            if asked.state == "new":
                # before the schema: if the process ends in between, the next run finds it new once more
                self._server.put(f"/config/{path}", msgspec.json.encode({"compatibility": self._level}))
                level = f", compatibility {self._level}"
            answer = self._server.post(f"/subjects/{path}/versions", subject.body)
            found = msgspec.json.decode(answer, type=_Found)
        except RefusedError as error:
            return _refused(subject, error)
        except msgspec.MsgspecError as error:
            return Outcome(subject.name, "refused", _no_registry(str(error)))
        return Outcome(subject.name, "registered", f"id {found.id}{level}")

    def _look_up(self, subject: Subject) -> Outcome | None:
        """Its id if the registry has this very schema under this name."""
        try:
            answer = self._server.post(f"/subjects/{quote(subject.name, safe='')}", subject.body)
        except RefusedError as error:
            if _refusal(error).error_code in (_NO_SUBJECT, _NO_VERSION, _NO_SCHEMA):
                return None
            raise
        found = msgspec.json.decode(answer, type=_Found)
        version = "" if found.version is None else f", version {found.version}"
        return Outcome(subject.name, "unchanged", f"id {found.id}{version}")

    def _judge(self, subject: Subject) -> Outcome:
        """Whether the registry would take it as the next version."""
        path = f"/compatibility/subjects/{quote(subject.name, safe='')}/versions/latest?verbose=true"
        try:
            answer = self._server.post(path, subject.body)
        except RefusedError as error:
            if _refusal(error).error_code in (_NO_SUBJECT, _NO_VERSION):
                return Outcome(subject.name, "new", f"compatibility {self._level}")
            raise
        said = msgspec.json.decode(answer, type=_Judgement)
        if said.is_compatible:
            return Outcome(subject.name, "compatible")
        reason = "; ".join(said.messages or ()) or said.reason or "not compatible with its latest version"
        return Outcome(subject.name, "refused", _line(reason))


def _refusal(error: RefusedError) -> _Refusal:
    try:
        return msgspec.json.decode(error.body, type=_Refusal)
    except msgspec.MsgspecError:
        return _Refusal()


def _refused(subject: Subject, error: RefusedError) -> Outcome:
    said = _refusal(error)
    if error.status in _NOT_LET_IN:
        reason = f"HTTP {error.status}: {_line(said.message) or 'no access'}; check user, password or token"
    elif said.message:
        reason = f"HTTP {error.status}: {_line(said.message)}"
    else:
        reason = _no_registry(str(error))
    return Outcome(subject.name, "refused", reason)


def _no_registry(answer: str) -> str:
    return f"{_line(answer)}: not the answer of a schema registry, check SCHEMA_REGISTRY_URL"


def _line(text: str) -> str:
    return " ".join(text.split())[:_MAX_REASON]
