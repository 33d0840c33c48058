"""Progress bars in a terminal, and those of a training: its steps as lines, and a bar while trees grow."""

from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)


def bars(time: ProgressColumn | None = None) -> Progress:
    """Bars on stderr, since stdout holds a command's results; `time` is by default the elapsed one."""
    return _bars(time or TimeElapsedColumn(), Console(stderr=True))


def _bars(time: ProgressColumn, console: Console | None = None) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), time, console=console
    )


class Display:
    """Steps as lines, and a bar while trees grow. `training.fraud.Progress`."""

    def __init__(self) -> None:
        self._progress = _bars(TimeElapsedColumn())
        self._trees = self._progress.add_task("trees", total=None, visible=False)

    def __enter__(self) -> "Display":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, message: str) -> None:
        """One line, above the bar."""
        self._progress.console.print(message, highlight=False, soft_wrap=True)

    def tree(self, grown: int, of: int) -> None:
        """The bar's place."""
        self._progress.update(self._trees, completed=grown, total=of, visible=True)
