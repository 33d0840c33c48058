"""Traffic of a running stack is dated now, steady, and does not change the demand."""

from datetime import date
from itertools import islice

import msgspec

from stack.live_traffic import live_traffic
from stack.retail import DAY_S, Retail, midnight
from stack.traffic import Audience

DAY = date(2026, 11, 30)
EVENING = (midnight(DAY) + 20 * 3_600) * 1_000
SHOP = Retail(customers=100, terminals=100)


class Clock:
    """A time that each emission moves on: the next is asked for once this one was due."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def played(seconds: int, rate: float = 10, start: int = EVENING) -> list[tuple[int, dict[str, object]]]:
    clock = Clock(start)
    found = []
    for emission in islice(live_traffic(SHOP, Audience(), rate, clock, DAY), int(seconds * rate)):
        clock.now = max(clock.now, emission.at)
        if emission.value.startswith(b'{"event_id"'):
            found.append((emission.at, msgspec.json.decode(emission.value)))
    return found


def test_it_comes_at_its_rate_from_the_first_second_on() -> None:
    times = [emission.at for emission in islice(live_traffic(SHOP, Audience(), 10, Clock(EVENING), DAY), 600)]
    assert times == [EVENING + 100 * number for number in range(600)]


def test_no_event_is_dated_later_than_it_is_sent_nor_before_today() -> None:
    for at, event in played(120):
        if "-bad-" in f"-{event['event_id']}":  # may be dated by any text
            continue
        assert isinstance(event["occurred_at"], int)
        assert midnight(DAY) * 1_000 <= event["occurred_at"] <= at + 1_000


def test_guests_fill_up_and_their_orders_name_no_products() -> None:
    guests = [event["payload"] for _, event in played(120) if str(event["event_id"]).startswith("guest-")]
    assert len(guests) > 500
    assert all("items" not in guest for guest in guests)  # type: ignore[operator]  # a payload is a mapping


def test_the_next_day_follows() -> None:
    late = (midnight(DAY) + DAY_S - 30) * 1_000
    events = played(6 * 3_600, 1, late)
    assert any(str(event["event_id"]).startswith("order-20261201-") for _, event in events)
