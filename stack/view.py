"""What `signalbox up` shows: addresses, parts, lanes; a picture on a terminal, a line elsewhere. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stack.glance import LaneState
from stack.screen import BAD, CALM, GOOD, span


@dataclass(frozen=True, slots=True)
class PartState:
    """A process of the stack: whether it runs now, and how often it has ended since the start."""

    name: str
    runs: bool
    deaths: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """All that is shown at one moment; `trouble` is why the lanes' figures are not the latest."""

    addresses: Mapping[str, str]
    parts: Sequence[PartState]
    lanes: Sequence[LaneState]
    trouble: str | None = None


def picture(view: View) -> RenderableType:
    """The whole view, for a terminal."""
    shown: list[RenderableType] = [_addresses(view.addresses), _parts(view.parts), _lanes(view.lanes)]
    if view.trouble is not None:
        shown.append(Text(f"the lanes' figures are old: {view.trouble}", style=BAD))
    shown.append(Text("logs: signalbox logs [PART] [-f]; Ctrl-C stops the stack", style=CALM))
    return Group(*shown)


def line(view: View) -> str:
    """The view in a line, for a log: lanes that had nothing to do are left out."""
    lanes = [_lane_line(lane) for lane in view.lanes if lane.answers or lane.waiting]
    said = [parts_line(view.parts), *(lanes or ["no answers yet"])]
    if view.trouble is not None:
        said.append(f"these figures are old: {view.trouble}")
    return " | ".join(said)


def parts_line(parts: Sequence[PartState]) -> str:
    """`17 parts run`, and by name those that do not, or that have ended before."""
    down = [part.name for part in parts if not part.runs]
    revived = [f"{part.name} ({part.deaths} times)" for part in parts if part.runs and part.deaths]
    said = f"{len(parts) - len(down)} of {len(parts)} parts run" if down else f"{len(parts)} parts run"
    if down:
        said += f"; down: {', '.join(down)}"
    return f"{said}; ended before: {', '.join(revived)}" if revived else said


def _addresses(addresses: Mapping[str, str]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for name, address in addresses.items():
        table.add_row(name, Text(address, style="bold"))
    return table


def _parts(parts: Sequence[PartState]) -> Text:
    shown = Text()
    for part in parts:
        style = BAD if not part.runs else "yellow" if part.deaths else GOOD
        times = f" (ended {part.deaths} times)" if part.deaths else ""
        shown.append("● ", style=style).append(f"{part.name}{times}  ")
    return shown


def _lanes(lanes: Sequence[LaneState]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=CALM)
    for name in ("lane", "waiting", "answers", "p95", "kept"):
        table.add_column(name, justify="left" if name == "lane" else "right", no_wrap=True)
    for lane in lanes:
        table.add_row(lane.topic, f"{lane.waiting:,}", f"{lane.answers:,}", _p95(lane), _kept(lane))
    return table


def _lane_line(lane: LaneState) -> str:
    return (
        f"{lane.topic}: {lane.waiting:,} waiting, {lane.answers:,} answers, "
        f"p95 {_p95(lane)}, {_kept(lane)} kept"
    )


def _p95(lane: LaneState) -> str:
    return "-" if lane.p95_ms is None else span(lane.p95_ms)


def _kept(lane: LaneState) -> str:
    return "-" if lane.kept is None else f"{lane.kept:.1%}"
