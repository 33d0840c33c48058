"""What a model may ask of the store, and by which hash its features are known again."""

from collections.abc import Sequence

import pytest

from events.errors import ConfigError
from features.contract import Contract, Need
from features.retail import DEFINITIONS

PAYLOAD = ("amount", "night")
STORED = ("customer_count_1d", "terminal_risk_7d")


def test_its_columns_are_those_of_the_event_and_then_those_of_the_store() -> None:
    contract = Contract.of(DEFINITIONS, [Need(STORED[0], on_missing="refuse"), STORED[1]], PAYLOAD)
    assert contract.needs == (Need(STORED[0], "refuse", "serve"), Need(STORED[1], "default", "serve"))
    assert contract.stored == STORED
    assert contract.names == PAYLOAD + STORED


@pytest.mark.parametrize(
    ("needs", "payload", "same"),
    [
        pytest.param(STORED, PAYLOAD, True, id="the same again"),
        pytest.param(
            [Need(STORED[0], "fallback"), Need(STORED[1], on_stale="refuse")],
            PAYLOAD,
            True,
            id="other reactions, which change no value",
        ),
        pytest.param(STORED[::-1], PAYLOAD, False, id="another order of the columns"),
        pytest.param(STORED, PAYLOAD[:1], False, id="one less of the event"),
        pytest.param([*STORED, "lifetime_value"], PAYLOAD, False, id="one more of the store"),
    ],
)
def test_the_hash_changes_with_what_the_model_sees(
    needs: Sequence[Need | str], payload: Sequence[str], same: bool
) -> None:
    one = Contract.of(DEFINITIONS, STORED, PAYLOAD)
    assert (Contract.of(DEFINITIONS, needs, payload).hash == one.hash) == same


@pytest.mark.parametrize(
    ("needs", "payload", "problem"),
    [
        pytest.param(["customer_count_1"], (), "customer_count_1: no such feature", id="a misspelt feature"),
        pytest.param(STORED * 2, (), "customer_count_1d: is asked for twice", id="a feature twice"),
        pytest.param(
            ["amount"],
            (),
            "amount: stands in the event itself (order_request): name it among `payload`",
            id="the event's own among those to be read",
        ),
        pytest.param(
            (),
            STORED[:1],
            "customer_count_1d: stands in the store (customer_orders): name it among the needs",
            id="one to be read among the event's own",
        ),
        pytest.param(
            [Need(STORED[0], on_missing="serve")],  # type: ignore[arg-type]  # what an operator may write
            (),
            "customer_count_1d: on_missing is one of default, fallback, refuse, not 'serve'",
            id="a missing value cannot be served",
        ),
        pytest.param(
            [Need(STORED[0], on_stale="ignore")],  # type: ignore[arg-type]  # what an operator may write
            (),
            "on_stale is one of serve, default, fallback, refuse, not 'ignore'",
            id="a reaction that there is not",
        ),
    ],
)
def test_what_does_not_hold_together_is_refused(
    needs: Sequence[Need | str], payload: Sequence[str], problem: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        Contract.of(DEFINITIONS, needs, payload)
    assert problem in str(refused.value)


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        Contract.of(DEFINITIONS, ["amount", "nothing", STORED[0], STORED[0]])
    assert len(refused.value.problems) == 3
