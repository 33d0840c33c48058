"""`signalbox demo`: train, start the whole stack, play events, and count whether each came to its end."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.live import Live

from routing import load
from settings import Settings
from stack.desk_account import DeskAccount, desk_of
from stack.night import DemoNight, night_of
from stack.playing import Playing
from stack.programme import FILE_RATE, GENERATED_RATE, Programme, from_file, generated
from stack.screen import Frame, lane_table, live, plain, summary
from stack.stage import FOLDER, Stage
from stack.up import ended_by_signals
from stack.watching import Watching
from transport.cluster import Bootstrap

MISSING = FOLDER / "missing.txt"
LOOK_S = 0.1
FRAME_S = 0.25
LINE_S = 5.0
SETTLE_S = 60.0
"""After the last event was sent, every one must have its outcome within so many seconds."""

NIGHT_S = 60.0
"""A night takes seconds; one that is not done then goes on beside the day, and is counted at its end."""
NIGHT_LOOK_S = 1.0

Show = Callable[[Frame], None]


def demo(
    settings: Settings, data: Path | None, events: int | None, rate: float | None, *, floods: bool = False
) -> bool:
    """Whether every event came to its end. Ctrl-C ends it early, and counts as no.

    By default a generated day at a rate that two cores keep, or the whole week of `data`.
    """
    console = Console(highlight=False, soft_wrap=True)
    rules = load(settings.routing_table, settings.workflows)
    console.print("[bold]1[/] events")
    programme = from_file(data, events) if data else generated(rules, events, floods=floods)
    rate = rate or (FILE_RATE if data else GENERATED_RATE)
    console.print(f"  {programme.title}: {len(programme.emissions):,} at {rate:g} a second")
    shutil.rmtree(FOLDER, ignore_errors=True)
    stage = Stage(settings, rules, programme, console)
    balanced = False
    with ended_by_signals(), stage.raised() as (env, bootstrap):
        watching = Watching(rules, bootstrap)
        with night_of(programme.night, bootstrap, env["DATABASE_URL"], settings.time_zone) as night:
            performance = Performance(programme, stage, watching, console, night, desk_of(env))
            balanced = performance.play(bootstrap, rate)
        watching.close()
    return balanced


class Performance:
    """One programme, played on a stage and watched."""

    def __init__(
        self,
        programme: Programme,
        stage: Stage,
        watching: Watching,
        console: Console,
        night: DemoNight | None,
        desk: DeskAccount | None,
    ) -> None:
        self._programme = programme
        self._night = night
        self._desk = desk
        self._stage = stage
        self._watching = watching
        self._console = console

    def play(self, bootstrap: Bootstrap, rate: float) -> bool:
        """Play it all, show what comes of it, and say whether it adds up."""
        before = self._watching.take_history()
        if self._night:
            self._console.print("[bold]4[/] the night's forecast, then events stream")
            self._forecast_first(self._night)
        else:
            self._console.print("[bold]4[/] events stream")
        with (
            self._playing(bootstrap, rate) as playing,
            self._screen() as show,
        ):
            self._watch(playing, before, show)
            frame = self._watching.frame(playing.sent, len(self._programme.emissions))
        self._watching.look_to_the_end()
        balance, lost = self._watching.balance(), self._lost(playing, before)
        for part in summary(balance, self._watching.lanes(), frame):
            self._console.print(part)
        if flooded := self._watching.flooded_lanes():
            self._console.print("of these answers, those to events that came with a flood:")
            self._console.print(lane_table(flooded))
        if not balance.holds:
            MISSING.write_text("".join(f"{complaint}\n" for complaint in balance.complaints))
            self._console.print(f"all of them are in {MISSING}")
        if lost:
            self._console.print(f"[red]sent {playing.acknowledged():,}, of which Kafka lacks {lost:,}")
        told = [self._forecast(), self._tickets()]
        return balance.holds and not lost and all(told)

    def _playing(self, bootstrap: Bootstrap, rate: float) -> Playing:
        return Playing(self._programme, bootstrap, rate, self._watching.truth, self._watching.flooded)

    def _forecast_first(self, night: DemoNight) -> None:
        """As in a shop: the night's forecast is done before the day begins. Goes on after `NIGHT_S`."""
        night.begin()
        deadline = time.monotonic() + NIGHT_S
        while not night.ended_whole() and time.monotonic() < deadline:
            night.look()
            self._watching.look(NIGHT_LOOK_S)
            self._stage.supervisor.watch()

    def _tickets(self) -> bool:
        """Say what became of the tickets, and whether each has one end."""
        if self._desk is None:
            return True
        counts = self._desk.counts()
        for line in counts.lines():
            self._console.print(line)
        return counts.whole()

    def _forecast(self) -> bool:
        """Say how the night went, and whether each SKU has its forecast."""
        if self._night is None:
            return True
        for line in self._night.account():
            self._console.print(line)
        return self._night.ended_whole()

    def _watch(self, playing: Playing, before: int, show: Show) -> None:
        settled_by: float | None = None
        shown_at = 0.0
        while settled_by is None or time.monotonic() < settled_by:
            self._watching.look(LOOK_S)
            self._stage.supervisor.watch()
            if (now := time.monotonic()) - shown_at < FRAME_S:
                continue
            shown_at = now
            show(self._watching.frame(playing.sent, len(self._programme.emissions)))
            if playing.done:
                settled_by = settled_by or now + SETTLE_S
                if not self._lost(playing, before) and self._watching.balance().holds:
                    return

    def _lost(self, playing: Playing, before: int) -> int:
        return max(0, playing.acknowledged() - (self._watching.read - before))

    @contextmanager
    def _screen(self) -> Iterator[Show]:
        """A picture that moves on a terminal; a line every few seconds elsewhere."""
        if self._console.is_terminal:
            with Live(console=self._console, auto_refresh=False, transient=True) as screen:
                yield lambda frame: screen.update(live(frame), refresh=True)
        else:
            printed = [0.0]

            def line(frame: Frame) -> None:
                if frame.elapsed_s - printed[0] >= LINE_S:
                    printed[0] = frame.elapsed_s
                    self._console.print(plain(frame))

            yield line
