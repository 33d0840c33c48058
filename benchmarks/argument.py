"""What a batch costs as a Celery argument: JSON objects, JSON in a string, JSON in base64.

    python -m benchmarks.argument

Celery decodes a message's body once in the worker's main process and once in the child; the child then needs
the records. Each form is timed for all three steps over a batch of 256 lane records, in the same run. Nested
objects need no third step here, which flatters them: a worker would still check their types.
"""

import base64
import timeit
from collections.abc import Callable
from functools import partial

import msgspec
from kombu.utils.json import dumps, loads

from events.decision import Decision, Position
from events.lane import Batch, Fed, Waiting, encode_waiting
from events.priority import Priority

EVENT = {
    "event_id": "e-1",
    "event_type": "order.placed",
    "source": "till",
    "version": "1.0.0",
    "occurred_at": 1_700_000_000_000,
    "tenant_id": "retailpulse",
    "payload": {
        "order_id": "o-1",
        "customer_id": "c-1",
        "terminal_id": "t-1",
        "amount": 12.5,
        "currency": "GBP",
        "device": "ios",
        "category": "toys",
    },
}


def batch(size: int) -> Batch:
    """A batch of `size` equal orders."""
    decision = Decision(
        prediction_id="pred_7e57d004-2b97-5e7a-b45f-5387367791cd",
        workflow="fraud-classifier",
        queue="ml.fraud.input",
        priority=Priority.HIGH,
        rule="order.placed[0]",
        table_hash="0123456789ab",
        sla_ms=100,
        deadline=1_700_000_000_100,
        source=Position("retail.events", 0, 1),
    )
    value = encode_waiting(Waiting(msgspec.Raw(msgspec.json.encode(EVENT)), decision))
    records = (Fed(Position("ml.fraud.input.high", 0, n), 0, msgspec.Raw(value), b"c-1") for n in range(size))
    return Batch(fed_at=0, records=tuple(records))


def main(size: int = 256, rounds: int = 50) -> None:
    """Print microseconds per record for each form, and bytes."""
    text = msgspec.json.encode(batch(size))
    decode = msgspec.json.Decoder(Batch).decode
    forms: dict[str, tuple[str, Callable[[object], object]]] = {
        "objects": (dumps([loads(text)]), lambda a: a),
        "string": (dumps([text.decode()]), lambda a: decode(str(a))),
        "base64": (dumps([base64.b64encode(text).decode()]), lambda a: decode(base64.b64decode(str(a)))),
    }
    for name, (body, read) in forms.items():
        seconds = min(timeit.repeat(partial(_carried, body, read), number=rounds, repeat=5))
        each, size_of_each = 1e6 * seconds / rounds / size, len(body) / size
        print(f"{name:8} {each:6.2f} us a record, {size_of_each:6.0f} bytes a record")


def _carried(body: str, read: Callable[[object], object]) -> object:
    loads(body)
    return read(loads(body)[0])


if __name__ == "__main__":
    main()
