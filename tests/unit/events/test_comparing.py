"""Which changes of a payload break a producer that keeps to the old one."""

from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, create_model

from events.comparing import narrowed
from events.retail import PAYLOADS
from tests.unit.events.second_order import SecondOrderPlaced

REQUIRED = ...
Text = Annotated[str, Field(max_length=10, pattern="^a")]
Size = Annotated[int, Field(ge=1, le=9)]


class Line(BaseModel):
    sku: str
    note: str | None = None


class ShorterLine(BaseModel):
    sku: str


class LongerLine(Line):
    price: float


class Node(BaseModel):
    child: "Node | None" = None
    size: int = 0


class WiderNode(BaseModel):
    child: "WiderNode | None" = None
    size: float = 0


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


def model(kind: Any, default: Any = REQUIRED) -> dict[str, Any]:
    """The schema of a payload with one field."""
    fields: dict[str, Any] = {"x": (kind, default)}
    made: type[BaseModel] = create_model("Payload", **fields)
    return made.model_json_schema()


def said(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [str(change) for change in narrowed(old, new)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(model(int), model(float), id="a whole number may become a number"),
        pytest.param(model(str), model(str | None, None), id="what was required may become optional"),
        pytest.param(model(str), model(str | dict[str, Any]), id="a text may become a text or an object"),
        pytest.param(model(str), model(Any), id="a text may become anything"),
        pytest.param(model(Text), model(str), id="limits may fall away"),
        pytest.param(model(Size), model(Annotated[int, Field(ge=0, le=10)]), id="limits may be widened"),
        pytest.param(model(Literal["a"]), model(Literal["a", "b"]), id="a list of values may grow"),
        pytest.param(model(Literal["a"]), model(str), id="and may become any text"),
        pytest.param(model(list[ShorterLine]), model(list[Line]), id="an item may gain an optional field"),
        pytest.param(model(Node), model(WiderNode), id="a model within itself"),
        pytest.param(Closed.model_json_schema(), Open.model_json_schema(), id="more fields may be let in"),
        pytest.param(model(dict[str, int]), model(dict[str, float]), id="values of a map may be widened"),
        pytest.param(Open.model_json_schema(), model(str, ""), id="an optional field may be added"),
    ],
)
def test_what_breaks_nobody(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert said(old, new) == []
    assert said(new, old) != []


def test_a_default_is_the_readers_own_affair() -> None:
    assert said(model(str, "a"), model(str, "b")) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param(model(str), Open.model_json_schema(), "x was removed", id="a field is removed"),
        pytest.param(Open.model_json_schema(), model(str), "x is new, and required", id="a required one"),
        pytest.param(model(str, ""), model(str), "x was optional, is required", id="it must be said now"),
        pytest.param(
            model(str | None), model(str), "x took string or null, takes only string", id="null is refused"
        ),
        pytest.param(model(float), model(int), "x took number, takes only integer", id="a narrower number"),
        pytest.param(model(str), model(int), "x took string, takes only integer", id="another type"),
        pytest.param(model(Any), model(str), "x took anything, takes only string", id="a text alone"),
        pytest.param(model(str), model(Text), "x has maxLength 10, had none", id="a new limit"),
        pytest.param(model(str), model(Text), "x has pattern '^a', had none", id="a new pattern"),
        pytest.param(
            model(Size), model(Annotated[int, Field(ge=2, le=9)]), "x has minimum 2, had 1", id="a rise"
        ),
        pytest.param(
            model(Size), model(Annotated[int, Field(ge=1, le=8)]), "x has maximum 8, had 9", id="a fall"
        ),
        pytest.param(
            model(int),
            model(Annotated[int, Field(multiple_of=5)]),
            "x has multipleOf 5, had none",
            id="a step",
        ),
        pytest.param(
            model(Literal["a", "b"]), model(Literal["b", "c"]), "x takes 'a' no more", id="a value falls away"
        ),
        pytest.param(
            model(str), model(Literal["b", "c"]), "x took any value, takes only 'b', 'c'", id="a few values"
        ),
        pytest.param(
            model(list[Line]), model(list[ShorterLine]), "x[].note was removed", id="a field of an item"
        ),
        pytest.param(
            model(list[Line] | None),
            model(list[LongerLine] | None),
            "x[].price is new, and required",
            id="of a list",
        ),
        pytest.param(model(list[Any]), model(list[str]), "x[] took anything, takes only string", id="items"),
        pytest.param(
            model(WiderNode), model(Node), "x.size took number, takes only integer", id="deep within"
        ),
        pytest.param(
            Open.model_json_schema(), Closed.model_json_schema(), "takes no fields beyond", id="nothing more"
        ),
        pytest.param(
            model(dict[str, Any]), model(dict[str, int]), "x{} took anything, takes only integer", id="a map"
        ),
    ],
)
def test_what_breaks_a_producer_is_named_with_its_field(
    old: dict[str, Any], new: dict[str, Any], says: str
) -> None:
    assert any(message.startswith(says) for message in said(old, new)), said(old, new)


def test_a_second_major_version_would_not_pass_as_the_first() -> None:
    old, new = PAYLOADS["order.placed"][1].model_json_schema(), SecondOrderPlaced.model_json_schema()
    assert said(old, new) == [
        "amount was removed",
        "currency was removed",
        "device was removed",
        "location took string or object or null, takes only object or null",
        "channel is new, and required",
        "total is new, and required",
    ]


KINDS: list[Any] = [
    int,
    float,
    Size,
    Text,
    Any,
    Literal["a", "b"],
    Line,
    list[Line],
    dict[str, int],
    Line | None,
]


@given(st.sampled_from(KINDS), st.booleans())
def test_nothing_is_narrower_than_itself(kind: Any, optional: bool) -> None:
    schema = model(kind, None if optional else REQUIRED)
    assert said(schema, schema) == []
