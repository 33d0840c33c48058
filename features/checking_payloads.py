"""Validation of measures by event payloads: each has the entity's key and a numeric field."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from events.contract import Contract
from features.views import Measure, Origin
from routing import nearest


def problems_of_source(measure: Measure, key: str, contract: Contract) -> Iterator[str]:
    """What is wrong with where a measure comes from, in the newest major version of each event's payload."""
    if not measure.event_types:
        yield "event_type is empty"
    for event_type in measure.event_types:
        accepted = contract.accepted(event_type)
        if not accepted:
            yield f"event type {event_type} is not declared{nearest(event_type, contract.payloads)}"
            continue
        payload = contract.payloads[event_type][accepted[-1]]
        for message in _in_payload(measure, key, payload):
            yield f"{event_type}: {message}"


def problems_of_origin(origin: Origin, key: str, contract: Contract) -> Iterator[str]:
    """What is wrong with where a batch view's rows come from, in the newest major version of the payload."""
    of_key = Measure("", origin.event_type, each=origin.each)
    yield from problems_of_source(of_key, key, contract)
    if origin.event_type in contract.payloads and (accepted := contract.accepted(origin.event_type)):
        payload = contract.payloads[origin.event_type][accepted[-1]]
        of = payload if origin.each is None else _item(payload, origin.each)
        for name in origin.fields:
            # a list that is none is a problem of the key's already
            if of is not None and str not in _kinds(of, name):
                yield f"{origin.event_type}: {name} is no text of the payload{_nearest(name, of)}"


def _item(payload: type[BaseModel], each: str) -> type[BaseModel] | None:
    """The model of a list's items; None if the payload has no such list."""
    items = [kind for kind in _kinds(payload, each) if get_origin(kind) is list]
    return next((model for kind in items for model in get_args(kind) if _is_model(model)), None)


def _in_payload(measure: Measure, key: str, payload: type[BaseModel]) -> Iterator[str]:
    if measure.each is not None:
        item = _item(payload, measure.each)
        if item is None:
            yield f"payload.{measure.each} is no list of objects{_nearest(measure.each, payload)}"
            return
        payload = item
    if str not in _kinds(payload, key):
        yield f"{key} is no text of the payload{_nearest(key, payload)}"
    if measure.of is not None and not {int, float} & _kinds(payload, measure.of):
        yield f"{measure.of} is no number of the payload{_nearest(measure.of, payload)}"


def _nearest(name: str, payload: type[BaseModel]) -> str:
    return "" if name in payload.model_fields else nearest(name, payload.model_fields)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _kinds(payload: type[BaseModel], name: str) -> set[Any]:
    """The types that a field may have, without what is annotated to them; none if it is not declared."""
    field = payload.model_fields.get(name)
    return set() if field is None else set(_flat(field.annotation))


def _flat(kind: Any) -> Iterator[Any]:
    if get_origin(kind) in (Union, UnionType):
        for each in get_args(kind):
            yield from _flat(each)
    elif get_origin(kind) is Annotated:
        yield from _flat(get_args(kind)[0])
    elif kind is not NoneType:
        yield kind
