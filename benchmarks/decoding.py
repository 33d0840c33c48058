"""What it costs a router to read one event, by the form in which it came.

    python -m benchmarks.decoding

The forms take turns, and the least of many rounds counts, in processor time: what else runs on the machine
then matters little.
"""

import time
from collections.abc import Callable

from events.codec import Form, decode
from events.payloads import validate
from events.upcasting import upcast
from stack.emission import Event, in_form
from stack.examples import PAYLOADS

FORMS: tuple[Form, ...] = ("json", "avro", "cloudevents-structured", "cloudevents-binary")
ORDER = Event(
    event_id="evt-1",
    event_type="order.placed",
    source="shop.web",
    occurred_at=1_795_266_000_000,
    tenant_id="retailpulse",
    payload=PAYLOADS["order.placed"],
)


def least(actions: dict[str, Callable[[], object]], rounds: int = 100, calls: int = 400) -> dict[str, float]:
    """Microseconds of processor time a call, of each action's fastest round."""
    fastest = dict.fromkeys(actions, float("inf"))
    for _ in range(rounds):
        for name, action in actions.items():
            began = time.thread_time_ns()
            for _ in range(calls):
                action()
            fastest[name] = min(fastest[name], (time.thread_time_ns() - began) / calls / 1_000)
    return fastest


def main() -> None:
    """Print the cost of each form, and of the steps after it, which are the same for all."""
    wire = {form: in_form(ORDER, form) for form in FORMS}
    event, json, _ = decode(*wire["json"])
    actions: dict[str, Callable[[], object]] = {
        form: lambda value=value, headers=headers: decode(value, headers)  # type: ignore[misc]  # bound per turn
        for form, (value, headers) in wire.items()
    }
    actions |= {"validate": lambda: validate(event), "upcast (newest)": lambda: upcast(event, json)}
    microseconds = least(actions)
    for name, cost in microseconds.items():
        size = f"{len(wire[name][0]):4} bytes" if name in wire else ""
        print(  # it is what a benchmark is for
            f"{name:24} {cost:6.2f} us  {cost / microseconds['json']:5.2f} times JSON  {size}"
        )


if __name__ == "__main__":
    main()
