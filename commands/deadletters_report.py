"""Dead letters as an operator chooses them, and as a table and an account of one letter."""

import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.table import Table as Grid

from core.timestamps import readable
from dispatcher.replaying import Letter, Replay
from events.decision import Millis, Position, dead_letter_topic
from events.errors import CAUSES, ConfigError, Problem
from events.topics import DEAD_LETTERS
from routing import nearest

ROUTER = "router"
"""Says that those are meant that came to no queue."""
_MESSAGE = 100


class Wanted(NamedTuple):
    """Which letters are meant: all for which each thing that is not None holds. `since` is epoch ms."""

    topic: str | None = None
    cause: str | None = None
    fingerprint: str | None = None
    since: Millis | None = None

    @classmethod
    def of(
        cls,
        queue: str | None,
        cause: str | None,
        fingerprint: str | None,
        since: Millis | None,
        queues: Collection[str],
    ) -> "Wanted":
        """As an operator names them. Raises `ConfigError` if there is no such queue or cause."""
        problems = []
        if cause is not None and cause not in CAUSES:
            problems.append(Problem("--cause", 0, cause, f"is no cause{nearest(cause, CAUSES)}"))
        if queue not in (None, ROUTER, *queues):
            problems.append(
                Problem("--queue", 0, str(queue), f"is no queue{nearest(str(queue), (ROUTER, *queues))}")
            )
        if problems:
            raise ConfigError(problems)
        topic = DEAD_LETTERS if queue == ROUTER else None if queue is None else dead_letter_topic(queue)
        return cls(topic, cause, fingerprint, since)

    def holds(self, letter: Letter) -> bool:
        """Whether this one is meant."""
        said = letter.said
        return (
            self.topic in (None, letter.position.topic)
            and self.cause in (None, said.cause)
            and self.fingerprint in (None, said.fingerprint)
            and (self.since is None or said.last_failure >= self.since)
        )


class Letters(NamedTuple):
    """The letters that are meant, in the order of their topics, and the last replay of each that had one."""

    all: Sequence[Letter]
    replays: Mapping[Position, Replay]
    foreign: Sequence[Position] = ()
    """Records among them that are no dead letters."""

    @property
    def waiting(self) -> list[Letter]:
        """Those that were never replayed."""
        return [letter for letter in self.all if letter.position not in self.replays]


def grid(letters: Letters) -> Grid:
    """Like failures in one row each, the latest last."""
    groups: dict[tuple[str, str, str], list[Letter]] = defaultdict(list)
    for letter in letters.all:
        groups[letter.position.topic, letter.said.cause, letter.said.fingerprint].append(letter)
    title = f"{len(letters.all):,} dead letters"
    if letters.foreign:
        title += f"; {len(letters.foreign):,} records that are none, such as {letters.foreign[0]}"
    made = Grid(title=title, title_justify="left")
    for name in ("topic", "cause", "fingerprint"):
        made.add_column(name, no_wrap=True)
    for name in ("letters", "replayed"):
        made.add_column(name, justify="right")
    for name in ("first", "last", "message"):
        made.add_column(name)
    newest = sorted(groups.items(), key=lambda each: max(_failed(letter) for letter in each[1]))
    for (topic, cause, fingerprint), some in newest:
        times = sorted(map(_failed, some))
        count = sum(letter.position in letters.replays for letter in some)
        message = some[-1].said.message[:_MESSAGE]
        made.add_row(
            *(topic, cause, fingerprint, f"{len(some):,}", f"{count:,}", _time(times[0]), _time(times[-1])),
            message,
        )
    return made


def print_grid(made: Grid) -> None:
    """Into a pipe, a table is not cut to the 80 columns of a terminal that is not there."""
    Console(width=None if sys.stdout.isatty() else 200, markup=False).print(made)


def account(letter: Letter, replay: Replay | None) -> Iterator[str]:
    """All of one letter, a line for each thing."""
    said = letter.said
    yield f"{letter.position}: {said.cause}, {said.error_class}: {said.message}"
    yield f"  original  {said.original}, of {_time(said.timestamp)}, key {letter.key!r}"
    yield f"  failed    {_time(said.first_failure)} to {_time(said.last_failure)}, attempts {said.attempts}"
    for name, value in (("lane", said.lane), ("id", said.prediction_id), ("table", said.table_hash)):
        if value is not None:
            yield f"  {name:9} {value}"
    yield f"  like it   fingerprint {said.fingerprint}"
    for name, content in letter.headers:
        yield f"  header    {name}: {content!r}"
    if replay is not None:
        yield f"  replayed  {_time(replay.at)} to {replay.to} by {replay.by}: {replay.reason}"
    yield f"  value     {(letter.value or b'').decode('utf-8', 'backslashreplace')}"


def _failed(letter: Letter) -> Millis:
    return letter.said.last_failure


def _time(time: Millis) -> str:
    return readable(time, "seconds").removesuffix("+00:00")
