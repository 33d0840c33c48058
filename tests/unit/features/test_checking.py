"""Definitions that do not hold together are refused, with every problem at once."""

from dataclasses import replace
from typing import Any

import pytest

from events.errors import ConfigError
from features.retail import (
    CUSTOMER_ACTIVITY,
    CUSTOMER_ORDERS,
    ENTITIES,
    ORDER_REQUEST,
    PRODUCT_CATALOGUE,
    SKU_DEMAND,
)
from features.schema import (
    Aggregate,
    BatchView,
    Definitions,
    Entity,
    Field,
    Measure,
    Origin,
    StreamView,
    View,
)

PAID = Measure("paid", "order.placed", of="amount", decimals=2)
COUNT = Aggregate("orders_1d", "count", "paid", days=1)
VIEW = replace(CUSTOMER_ORDERS, name="buyers", measures=(PAID,), features=(COUNT,))


def refused(*views: View, entities: tuple[Entity, ...] = ENTITIES) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        Definitions.of(entities, views)
    return [str(problem).removeprefix("features/retail.py: ") for problem in raised.value.problems]


def test_what_holds_together_is_taken() -> None:
    assert Definitions.of(ENTITIES, [VIEW]).views == (VIEW,)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param(
            {"entity": "custommer"},
            "buyers.entity: custommer is not declared; nearest: customer",
            id="of an entity that nobody declared",
        ),
        pytest.param({"owner": ""}, "buyers.owner: is empty: name who answers for it", id="nobody's"),
        pytest.param({"ttl_days": 0}, "buyers.ttl_days: must be positive, is 0", id="it never holds"),
        pytest.param({"freshness_s": -5}, "buyers.freshness_s: must be positive, is -5", id="never fresh"),
        pytest.param({"slack_days": 0}, "buyers.slack_days: must be positive, is 0", id="without slack"),
        pytest.param(
            {"resolution_s": 7},
            "buyers.resolution_s: must divide a day of 86400 seconds, is 7",
            id="tiles that do not fill a day",
        ),
        pytest.param(
            {"features": (replace(COUNT, days=400, delay_days=7),), "ttl_days": 400},
            "buyers.ttl_days: is 400, and the longest window begins 407 days back",
            id="a window longer than the view holds",
        ),
        pytest.param(
            {"name": "Buyers-1"},
            "Buyers-1: is no name of a view: small letters, digits and _, a letter first, 63 at most",
            id="a name that is none",
        ),
    ],
)
def test_a_view_that_cannot_be(changes: dict[str, Any], problem: str) -> None:
    assert problem in refused(replace(VIEW, **changes))


@pytest.mark.parametrize(
    ("measure", "problem"),
    [
        pytest.param(
            Measure("paid", "order.palced", of="amount"),
            "event type order.palced is not declared; nearest: order.placed",
            id="of a type of event that nobody declared",
        ),
        pytest.param(Measure("paid", ()), "event_type is empty", id="of no event"),
        pytest.param(
            Measure("paid", "order.placed", key="costumer_id"),
            "order.placed: costumer_id is no text of the payload; nearest: customer_id",
            id="by a field that the payload does not have",
        ),
        pytest.param(
            Measure("paid", "order.placed", key="amount"),
            "order.placed: amount is no text of the payload",
            id="by a number",
        ),
        pytest.param(
            Measure("paid", "order.placed", of="currency"),
            "order.placed: currency is no number of the payload",
            id="a text to be summed",
        ),
        pytest.param(
            Measure("paid", "order.placed", each="item"),
            "order.placed: payload.item is no list of objects; nearest: items",
            id="of the items of no list",
        ),
        pytest.param(
            Measure("paid", "order.placed", key="sku", of="quantiy", each="items"),
            "order.placed: quantiy is no number of the payload; nearest: quantity",
            id="a number that the items do not have",
        ),
        pytest.param(
            Measure("paid", ("page.viewed", "dataset.updated")),
            "dataset.updated: customer_id is no text of the payload; known: dataset_version, model_id, "
            "rows_added, triggered_at",
            id="of several types, one of which is of nobody",
        ),
        pytest.param(
            Measure("paid", "order.placed", decimals=2),
            "decimals must be 0 to 6, and 0 where no number is summed",
            id="places of a number that is not there",
        ),
    ],
)
def test_a_measure_that_cannot_be(measure: Measure, problem: str) -> None:
    assert refused(replace(VIEW, measures=(measure,))) == [f"buyers.paid: {problem}"]


def test_a_measure_that_nothing_is_made_of() -> None:
    more = (PAID, Measure("seen", "page.viewed"))
    assert refused(replace(VIEW, measures=more)) == [
        "buyers.seen: is stored for nothing: no feature is made of it"
    ]


_SEEN = Measure("paid", "page.viewed")


@pytest.mark.parametrize(
    ("feature", "problem"),
    [
        pytest.param(
            {"kind": "median"}, "kind must be count, sum, mean, ratio or recency, is median", id="kind"
        ),
        pytest.param({"kind": "ratio"}, "a ratio takes a measure in `per`", id="a ratio to nothing"),
        pytest.param({"per": "paid"}, "a count takes no `per`", id="a count by something"),
        pytest.param({"per_delay_days": 1}, "per_delay_days is for a ratio", id="the delay of a divisor"),
        pytest.param({"days": 0}, "days must be 1 to 36500, or None for all, is 0", id="no days"),
        pytest.param({"delay_days": -1}, "a delay must be 0 to 36500 days", id="a look ahead"),
        pytest.param(
            {"default": float("nan")},
            "default must be a number, and 1 at most for a ratio, is nan",
            id="a default that is no number",
        ),
        pytest.param(
            {"kind": "recency"},
            "a recency has no window: leave out days and delay_days",
            id="a recency within a day",
        ),
        pytest.param(
            {"kind": "recency", "days": None, "unit": "weeks"},
            'the unit of a recency is "" for seconds or "days", is \'weeks\'',
            id="a recency in weeks",
        ),
    ],
)
def test_a_feature_that_cannot_be(feature: dict[str, Any], problem: str) -> None:
    assert refused(replace(VIEW, features=(replace(COUNT, **feature),))) == [f"buyers.orders_1d: {problem}"]


def test_a_feature_of_a_measure_that_its_view_does_not_have() -> None:
    features = (COUNT, Aggregate("mean", "mean", "payed"))
    assert refused(replace(VIEW, features=features)) == [
        "buyers.mean: measure payed is not declared in its view; nearest: paid"
    ]


def test_a_mean_of_what_is_only_counted() -> None:
    view = replace(VIEW, measures=(_SEEN,), features=(replace(COUNT, kind="mean"),))
    assert refused(view) == ["buyers.orders_1d: measure paid sums no number: name one in its `of`"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param(
            {"origin": Origin("order.place", ("category",), each="items")},
            "product_catalogue.origin: event type order.place is not declared; nearest: order.placed",
            id="rows from events that there are not",
        ),
        pytest.param(
            {"origin": Origin("order.placed", ("categorie",), each="items")},
            "product_catalogue.origin: order.placed: categorie is no text of the payload; nearest: category",
            id="a value that the payload does not have",
        ),
        pytest.param(
            {"origin": Origin("order.placed", ("unit_price",), each="items")},
            "product_catalogue.origin: order.placed: unit_price is no text of the payload",
            id="a value that is a number",
        ),
        pytest.param(
            {"origin": Origin("order.placed", ("category",), each="lines")},
            "product_catalogue.origin: order.placed: payload.lines is no list of objects; nearest: items",
            id="a list that the payload does not have",
        ),
        pytest.param(
            {"origin": Origin("order.placed", ("category", "sku"), each="items")},
            "product_catalogue.origin: must name one field of the payload for each field of the view, "
            "all of them texts",
            id="more values than fields",
        ),
        pytest.param(
            {"table": "a b"}, "product_catalogue.table: 'a b' is no name of a table", id="its table"
        ),
        pytest.param(
            {"fields": (Field("price", "number", "none", ""),), "origin": None},
            "product_catalogue.price: default must be a number, is 'none'",
            id="a default of another type",
        ),
        pytest.param({"fields": (), "origin": None}, "product_catalogue: has no feature", id="no fields"),
        pytest.param(
            {"fields": (Field("price", "money", 1.0, ""),), "origin": None},  # type: ignore[arg-type]  # that is the point
            "product_catalogue.price: type must be number or text, is money",
            id="a type that there is not",
        ),
    ],
)
def test_a_batch_view_that_cannot_be(changes: dict[str, Any], problem: str) -> None:
    assert refused(replace(PRODUCT_CATALOGUE, **changes)) == [problem]


def test_names_stand_for_one_thing_each() -> None:
    again = replace(ORDER_REQUEST, name="buyers", fields=(Field("orders_1d", "number", 0.0, ""),))
    entities = (*ENTITIES, ENTITIES[0])
    assert refused(VIEW, again, entities=entities) == [
        "customer: is the name of more than one entity",
        "buyers: is the name of more than one view",
        "orders_1d: is the name of more than one feature",
    ]


def test_every_problem_is_said_at_once() -> None:
    worse: tuple[StreamView | BatchView, ...] = (
        replace(CUSTOMER_ACTIVITY, owner="", ttl_days=-1),
        replace(SKU_DEMAND, resolution_s=5_000),
        replace(PRODUCT_CATALOGUE, table=""),
    )
    assert len(refused(*worse)) == 4
