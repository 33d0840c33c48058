"""What a demonstration plays, and what its model is trained on: a generated past and day, or a file's."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

from dispatcher.sorting import Fate
from events.decision import Millis
from events.errors import ConfigError, Problem
from routing import Rules
from stack.champions import Past
from stack.emission import Emission
from stack.history import TRAIN_DAYS
from stack.retail import DAY_S, FIRST_DAY, Retail
from stack.traffic import Audience, Flood, Mix, day_of_traffic, days_of_traffic

PLAYED_DAYS = 7
"""Of a file: the model is trained on what lies before its last week, and that week is played."""

STEADY = Mix(floods=())
FLOODS = (Flood(10 * 3_600, 5_400, 1_500), Flood(18 * 3_600, 5_400, 1_500))
"""A day passes in two minutes: what is a flood of ten minutes by the clock would be a blow of a second."""

GENERATED_RATE = 40.0
"""On average; at noon some 70 a second: embedded Kafka, workers and what looks on share two cores."""
FILE_RATE = 300.0
"""A file's week has tens of thousands of events: it is over in minutes, and not every promise may be kept."""


@dataclass(frozen=True, slots=True)
class Programme:
    """The events by time, and what `features backfill` and trainings are told of the past before them.

    `night` is the one whose demand is forecast meanwhile; None if the past names no products.
    """

    title: str
    backfill: tuple[str, ...]
    past: Past
    emissions: Sequence[Emission]
    night: date | None = None
    floods: tuple[Flood, ...] = ()

    def in_flood(self, at: Millis) -> bool:
        """Whether an event of this time (epoch ms) is sent while a flood lasts."""
        second = at // 1_000 % DAY_S
        return any(0 <= second - flood.second < flood.seconds for flood in self.floods)

    @property
    def span_s(self) -> float:
        """From the first event to the last, in the seconds of the played time."""
        return max(1.0, (self.emissions[-1].at - self.emissions[0].at) / 1_000)

    def fates(self) -> Counter[Fate]:
        """How many records must come to each end, as their sender knows."""
        return Counter(emission.fate for emission in self.emissions)


def generated(rules: Rules, events: int | None, *, floods: bool = False) -> Programme:
    """The first events of RetailPulse's days, by default one day; faults among them, floods if asked for."""
    mix = Mix(floods=FLOODS) if floods else STEADY
    retail, audience = Retail(), Audience.of(rules)
    if events is None:
        emissions = day_of_traffic(retail, FIRST_DAY, audience, mix)
    else:
        emissions = list(islice(days_of_traffic(retail, audience, mix), events))
    until = ("--until", FIRST_DAY.isoformat())
    past = Past(until, ("--train-days", str(TRAIN_DAYS)))
    return Programme(
        "RetailPulse, generated", ("--generated", *until), past, emissions, FIRST_DAY, mix.floods
    )


def from_file(path: Path, events: int | None) -> Programme:
    """The first events of a file's last week; None: all. Raises `ConfigError` if the file cannot be used."""
    from stack.cards import card_days
    from stack.labels import card_history

    if not path.is_file():
        raise ConfigError([Problem(str(path), 0, "", "there is no such file")])
    begin = card_days(path).last - timedelta(days=PLAYED_DAYS - 1)
    emissions = list(islice(card_history(path, since=begin), events))
    data, until = str(path.resolve()), ("--until", begin.isoformat())
    past = Past(until, ("--data", data), products=False)
    return Programme(f"{path.name} from {begin} on", (data, *until), past, emissions)
