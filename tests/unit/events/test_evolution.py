"""What a review of the declared payloads says, and that the shipped ones are written down."""

import json
from pathlib import Path
from typing import Any

import pytest

import events
from events.contract import Contract
from events.evolution import review, schemas
from events.retail import CONTRACT, OrderPlaced, PageViewed
from tests.unit.events.second_order import SecondOrderPlaced, contract

WRITTEN = schemas(CONTRACT)


def test_the_shipped_payloads_are_written_down() -> None:
    folder = Path(events.__file__).parent / "schemas"
    written = {
        (path.stem.rpartition(".")[0], int(path.stem.rpartition(".")[2])): json.loads(path.read_text())
        for path in folder.glob("*.json")
    }
    assert review(CONTRACT, written).holds


class WithNote(PageViewed):
    note: str | None = None


class WithDuty(PageViewed):
    duty: int


def of_pages(page: type[PageViewed], **changes: Any) -> Contract:
    return Contract({**CONTRACT.payloads, "page.viewed": {1: page}}, **changes)


def without_pages(**changes: Any) -> Contract:
    left = {name: majors for name, majors in CONTRACT.payloads.items() if name != "page.viewed"}
    return Contract(left, **changes)


@pytest.mark.parametrize(
    ("declared", "refused", "unwritten"),
    [
        pytest.param(CONTRACT, [], [], id="nothing changed"),
        pytest.param(contract(), [], ["order.placed 2: is new"], id="a major version with its upcaster"),
        pytest.param(
            of_pages(WithNote), [], ["page.viewed 1: note has changed, compatibly"], id="an optional field"
        ),
        pytest.param(
            of_pages(WithDuty),
            [
                "page.viewed 1: duty is new, and required: take it back, or declare it as major version 2",
            ],
            ["page.viewed 1: duty has changed, compatibly"],
            id="a required field",
        ),
        pytest.param(
            without_pages(),
            ["page.viewed 1: is declared no more: bring it back, or name it in RETIRED"],
            [],
            id="a type that is gone",
        ),
        pytest.param(
            without_pages(retired=frozenset({("page.viewed", 1)})), [], [], id="one that is retired"
        ),
        pytest.param(
            contract(
                payloads={**CONTRACT.payloads, "order.placed": {2: SecondOrderPlaced}},
                upcasters={},
            ),
            ["order.placed 1: is declared no more: bring it back, or name it in RETIRED"],
            ["order.placed 2: is new"],
            id="a major version that takes the first one's place",
        ),
        pytest.param(
            contract(retired=frozenset({("order.placed", 1)})),
            [],
            ["order.placed 2: is new"],
            id="and one after which the first is retired",
        ),
    ],
)
def test_what_is_refused_and_what_only_has_to_be_written(
    declared: Contract, refused: list[str], unwritten: list[str]
) -> None:
    found = review(declared, WRITTEN)
    assert [str(difference) for difference in found.refused] == refused
    assert [str(difference) for difference in found.unwritten] == unwritten
    assert found.holds == (not refused and not unwritten)


def test_a_change_of_the_first_version_is_refused_beside_a_second_one() -> None:
    class Whole(OrderPlaced):
        amount: int

    payloads = {**CONTRACT.payloads, "order.placed": {1: Whole, 2: SecondOrderPlaced}}
    (refused,) = review(contract(payloads=payloads), WRITTEN).refused
    assert refused.version == ("order.placed", 1)
    assert refused.message.startswith("amount took number, takes only integer: take it back, or ")
    assert refused.message.endswith("declare it as major version 3")
