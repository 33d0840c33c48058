"""RetailPulse's traffic as it happens now: today's own events, and guests who fill up to a steady rate.

Everything is dated at the moment at which it happens, so that the features, the nightly forecast and the
customers who became inactive are those of today. The shop's own customers are too few for a load to look at:
beside them come guests, whose orders name no products, so that no forecast learns a demand from the load.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from events.decision import Millis
from stack.confirmed import sent
from stack.emission import Emission
from stack.retail import CURRENCY, Retail
from stack.traffic import ORDER, Audience, Mix, day_of_traffic

GUESTS = 100_000
KIOSKS = 2_000

Clock = Callable[[], Millis]


def today() -> date:
    """The day (UTC) that it is now."""
    return datetime.now(UTC).date()


def live_traffic(
    retail: Retail, audience: Audience, rate: float, clock: Clock, start: date, seed: int = 0
) -> Iterator[Emission]:
    """`rate` emissions a second from now on without an end, each with the time (epoch ms) at which it is due.

    The shop's events of `start` that have happened already come first, at that rate; later ones at their
    moment. An iteration asks `clock` whether the next of them has happened; it is a guest's turn if not.
    """
    rng = random.Random(seed)  # noqa: S311  # a simulation, repeatable by seed
    shop = _days(retail, audience, start)
    following = next(shop)
    began, number = clock(), 0
    while True:
        due = began + int(number * 1_000 / rate)
        number += 1
        if following.at <= max(due, clock()):
            yield _at(following, due)
            following = next(shop)
        elif ORDER in audience.served:
            yield _guest(f"{began}-{number}", due, rng)
        else:
            yield _at(following, following.at)
            following = next(shop)


def _days(retail: Retail, audience: Audience, start: date) -> Iterator[Emission]:
    day = start
    while True:
        # no floods: what is bought on a day is what its customers buy
        yield from day_of_traffic(retail, day, audience, Mix(floods=()))
        day += timedelta(days=1)


def _at(emission: Emission, due: Millis) -> Emission:
    """The same event, which says when it happened, sent when it is its turn."""
    return replace(emission, at=due)


def _guest(number: str, at: Millis, rng: random.Random) -> Emission:
    payload = {
        "order_id": f"o-guest-{number}",
        "customer_id": f"guest-{rng.randrange(GUESTS)}",
        "terminal_id": f"kiosk-{rng.randrange(KIOSKS)}",
        "amount": round(rng.lognormvariate(3.5, 0.7), 2),
        "currency": CURRENCY,
    }
    return sent(ORDER, f"guest-{number}", at, payload)
