"""Each way to go bad is given up for the cause that it names."""

import random
from collections.abc import Callable

import pytest

from events.codec import decode
from events.errors import DeadLetter
from events.payloads import validate
from stack.damage import WAYS, Damaged
from stack.emission import Event

EVENT = Event(
    event_id="e-1",
    event_type="order.placed",
    source="shop",
    occurred_at=1_530_532_800_000,
    tenant_id="acme",
    payload={"order_id": "o", "customer_id": "c", "terminal_id": "t", "amount": 1.5, "currency": "GBP"},
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.replace("_", " "))
@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_event_is_refused_for_its_cause(
    way: Callable[[Event, random.Random], Damaged], seed: int
) -> None:
    value, headers, cause = way(EVENT, random.Random(seed))
    with pytest.raises(DeadLetter) as refused:
        validate(decode(value, headers).envelope)
    assert refused.value.cause == cause
