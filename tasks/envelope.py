"""Validation of Celery messages: one that Celery cannot run would be dropped, or stop the worker."""

from collections.abc import Container, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta

LATEST_ETA = timedelta(hours=1)
ENCODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


class _Headers(msgspec.Struct):
    """What Celery's message protocol 2 says of a task, as far as Celery acts on it."""

    task: Annotated[str, Meta(min_length=1)]
    id: Annotated[str, Meta(min_length=1)]
    retries: Annotated[int, Meta(ge=0)] | None = None
    eta: str | None = None
    expires: str | None = None
    timelimit: tuple[float | None, float | None] | None = None
    ignore_result: bool | None = None
    shadow: str | None = None
    root_id: str | None = None
    parent_id: str | None = None
    group: None = None
    argsrepr: str | None = None
    kwargsrepr: str | None = None
    stamped_headers: None = None
    compression: str | None = None


class _Embedded(msgspec.Struct):
    """What is to follow a task. Nothing follows an inference."""

    callbacks: None = None
    errbacks: None = None
    chain: None = None
    chord: None = None


_decode_body = msgspec.json.Decoder(tuple[list[msgspec.Raw], dict[str, msgspec.Raw], _Embedded | None]).decode


def fault_of(
    headers: Mapping[str, Any],
    content_type: object,
    content_encoding: object,
    body: bytes | str,
    known: Container[str],
    now: datetime,
    may_expire: Container[str] = (),
) -> str | None:
    """Why Celery could not run this message as a task that is `known`; None if it can.

    One that has expired it drops: that is for tasks that `may_expire`, and never for events.
    """
    try:
        said = msgspec.convert(dict(headers), _Headers)
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError) as error:
        return f"its headers are no task's: {error}"
    if said.task not in known:
        return f"no task {said.task} here"
    if said.expires is not None and (said.task not in may_expire or _time(said.expires) is None):
        return f"it expires {said.expires}"
    if content_type != "application/json" or str(content_encoding).lower() not in ENCODINGS:
        return f"its body is {content_type} in {content_encoding}, not JSON in UTF-8"
    try:
        _decode_body(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return f"its body holds no arguments: {error}"
    return _fault_of_eta(said.eta, now) if said.eta is not None else None


def _fault_of_eta(text: str, now: datetime) -> str | None:
    eta = _time(text)
    if eta is None:
        return f"its eta is no time: {text}"
    if eta.replace(tzinfo=eta.tzinfo or UTC) - now > LATEST_ETA:
        # a worker would keep it in memory until then
        return f"its eta {text} is too far away"
    return None


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
