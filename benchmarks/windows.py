"""What it costs to say a view's values, for one question, for a batch, for a training set.

    python -m benchmarks.windows

Processor time, the least of several rounds. In a batch each entity has a hundred increments in 44 days, which
is a busy customer's row.
"""

import time
from collections.abc import Callable

import numpy as np

from events.envelope import Envelope
from features.decoding import decode_rows
from features.extraction import increments_of
from features.increments import Increments, Positions, encode_row
from features.retail import CUSTOMER_ORDERS, DEFINITIONS, TERMINAL_ORDERS
from features.schema import StreamView
from features.segments import INCREMENT, Segment
from features.views import DAY_S
from features.windows import evaluate
from stack.examples import PAYLOADS

NOW = 20_000 * DAY_S
DAYS = 44
EACH = 100
BATCHES = ((1, 2_000), (64, 300), (256, 100))
"""How many questions, each about an entity of its own, and how often to a round."""
MANY = 1_000_000
"""Questions about a tenth as many entities with so many increments in all."""
ROUNDS = 20


def least(action: Callable[[], object], calls: int, rounds: int = ROUNDS) -> float:
    """Microseconds of processor time a call, of the fastest round."""
    fastest = float("inf")
    for _ in range(rounds):
        began = time.thread_time_ns()
        for _ in range(calls):
            action()
        fastest = min(fastest, (time.thread_time_ns() - began) / calls / 1_000)
    return fastest


def _row(view: StreamView, rng: np.random.Generator) -> bytes:
    increments = np.zeros(EACH, INCREMENT)
    increments["tile"] = np.sort(rng.integers(NOW - DAYS * DAY_S, NOW, EACH))
    increments["measure"] = rng.integers(0, len(view.measures), EACH)
    increments["n"] = 1
    increments["amount"] = rng.integers(0, 100_00, EACH)
    return encode_row([Segment(0, 1, increments)], view)


def _batch(view: StreamView, rng: np.random.Generator) -> None:
    for questions, calls in BATCHES:
        rows = [_row(view, rng) for _ in range(questions)]
        of, at = np.arange(questions), np.full(questions, NOW * 1_000)
        increments = decode_rows(rows, len(view.measures))
        decoding = least(lambda rows=rows: decode_rows(rows, len(view.measures)), calls)  # type: ignore[misc]  # a default binds the loop variable; mypy infers no type for it
        evaluating = least(
            lambda given=(increments, questions, of, at): evaluate(view, *given),  # type: ignore[misc]  # a default binds the loop variable; mypy infers no type for it
            calls,
        )
        print(
            f"{view.name:16} {questions:9,} questions: "
            f"rows read in {decoding:6.1f} us, values in {evaluating:6.1f} us"
        )


def _training_set(view: StreamView, rng: np.random.Generator) -> None:
    entities = MANY // 10
    tiles = rng.integers(NOW - 4 * DAYS * DAY_S, NOW, (2, MANY))
    increments = Increments(
        of=rng.integers(0, entities, MANY),
        tile=tiles[0],
        measure=rng.integers(0, len(view.measures), MANY),
        n=np.ones(MANY, np.int64),
        amount=rng.integers(0, 100_00, MANY),
        base=np.zeros(MANY, np.bool_),
        positions=Positions.of(),
    )
    of, at = rng.integers(0, entities, MANY), tiles[1] * 1_000
    seconds = least(lambda: evaluate(view, increments, entities, of, at), 1, 3) / 1e6
    print(f"{view.name:16} {MANY:9,} questions: over {MANY:,} increments in no order, {seconds:.2f} s")


ORDER = Envelope(
    event_id="evt-1",
    event_type="order.placed",
    source="shop.web",
    version="1.0.0",
    occurred_at=NOW * 1_000,
    tenant_id="retailpulse",
    payload=PAYLOADS["order.placed"],
)


def main() -> None:
    """Print what reading rows and saying values costs, and what an order costs to take apart."""
    rng = np.random.default_rng(1)
    for view in (CUSTOMER_ORDERS, TERMINAL_ORDERS):
        _batch(view, rng)
        _training_set(view, rng)
    count = len(increments_of(ORDER, DEFINITIONS))
    cost = least(lambda: increments_of(ORDER, DEFINITIONS), 2_000)
    print(f"an order makes {count} increments in {cost:.1f} us")


if __name__ == "__main__":
    main()
