"""What a demonstration shows while it runs and at its end: a table, or lines where there is no terminal."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from events.errors import Cause
from monitoring.balance import Balance
from stack.scoreboard import Caught, Latencies

SHOWN = 20
_SECOND, _MINUTE = 1_000, 60_000
CALM, GOOD, BAD = "dim", "green", "red"


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One lane: what waits in it, and how fast its answers came."""

    topic: str
    lag: int
    latencies: Latencies
    sla_ms: int

    def figures(self) -> tuple[str, str, str, str, str, str]:
        """Answers, p50, p95, p99, the promise, and the share that kept it."""
        count = len(self.latencies)
        within = 1 - self.latencies.late / count if count else 1.0
        p50, p95, p99 = (span(self.latencies.percentile(share)) for share in (0.5, 0.95, 0.99))
        return f"{count:,}", p50, p95, p99, span(self.sla_ms), f"{within:.1%}"


def span(milliseconds: float) -> str:
    """`332 ms`, `8.4 s`, `69 s`, `30 min`: orders take milliseconds, tickets seconds, a night minutes."""
    if milliseconds < _SECOND:
        return f"{milliseconds:,.0f} ms"
    if milliseconds < 10 * _SECOND:
        return f"{milliseconds / _SECOND:.1f} s"
    if milliseconds < 2 * _MINUTE:
        return f"{milliseconds / _SECOND:.0f} s"
    return f"{milliseconds / _MINUTE:,.0f} min"


@dataclass(frozen=True, slots=True)
class Frame:
    """All that is shown at one moment."""

    elapsed_s: float
    sent: int
    total: int
    sent_rate: float
    prediction_rate: float
    predictions: int
    open: int
    lanes: tuple[LaneRow, ...]
    fraud: Caught
    decisions: Mapping[str, int]
    dead_letters: Mapping[Cause, int]
    ignored: int
    unrouted: int

    def headline(self) -> str:
        """How far it is."""
        minutes, seconds = divmod(int(self.elapsed_s), 60)
        return (
            f"{minutes}:{seconds:02}  sent {self.sent:,} of {self.total:,} ({self.sent_rate:,.0f}/s)  "
            f"predictions {self.predictions:,} ({self.prediction_rate:,.0f}/s)  no outcome yet {self.open:,}"
        )


def live(frame: Frame) -> RenderableType:
    """The whole frame, for a terminal."""
    return Group(Text(frame.headline(), style="bold"), lane_table(frame.lanes), *map(Text, facts(frame)))


def plain(frame: Frame) -> str:
    """The whole frame in a line, for a log."""
    lanes = "; ".join(_lane_line(lane) for lane in frame.lanes)
    return " | ".join((frame.headline(), lanes, *facts(frame)))


def lane_table(lanes: tuple[LaneRow, ...]) -> Table:
    """A row for each lane."""
    # one column apart, all of it fits the 80 that a log has
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style=CALM)
    for name in ("lane", "waiting", "answers", "p50", "p95", "p99", "promised", "kept"):
        table.add_column(
            name, justify="left" if name == "lane" else "right", no_wrap=True, min_width=len(name)
        )
    for lane in lanes:
        answers, p50, p95, p99, promised, kept = lane.figures()
        table.add_row(lane.topic, f"{lane.lag:,}", answers, p50, p95, p99, promised, kept)
    return table


def facts(frame: Frame) -> Iterator[str]:
    """What else there is to say, a line each."""
    yield caught(frame.fraud)
    yield f"decisions: {_counts(frame.decisions)}"
    yield f"dead letters: {_counts(frame.dead_letters)}"
    yield f"ignored {frame.ignored:,}; unrouted {frame.unrouted:,}"


def caught(fraud: Caught) -> str:
    """How good the answers were."""
    if not fraud.frauds and not fraud.honest:
        return "fraud: nothing labelled yet"
    return (
        f"fraud: {fraud.caught:,} of {fraud.frauds:,} labelled held back"
        f" ({_share(fraud.caught, fraud.frauds)}), and {_share(fraud.disturbed, fraud.honest)} of the honest"
    )


def summary(balance: Balance, lanes: tuple[LaneRow, ...], frame: Frame) -> Iterator[RenderableType]:
    """The end: speed, quality, and both equations."""
    yield Text(frame.headline(), style="bold")
    yield lane_table(lanes)
    yield Text(caught(frame.fraud))
    dead = Counter[str](balance.refused) + Counter[str](balance.dead_letters)
    yield Text(f"dead letters: {_counts(dead)}")
    yield Text(f"outcomes written more than once: {balance.repeated:,}")
    for equation in balance.equations():
        yield Text(equation, style=GOOD if balance.holds else BAD)
    complaints = balance.complaints
    for complaint in complaints[:SHOWN]:
        yield Text(complaint, style=BAD)
    if more := len(complaints[SHOWN:]):
        yield Text(f"and {more:,} more", style=BAD)


def _lane_line(lane: LaneRow) -> str:
    answers, p50, p95, p99, promised, kept = lane.figures()
    return (
        f"{lane.topic}: {lane.lag:,} waiting, {answers} answers, {p50}/{p95}/{p99}, {kept} within {promised}"
    )


def _counts(counts: Mapping[str, int] | Mapping[Cause, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "none"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "none"
