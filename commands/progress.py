"""The progress of a training in a terminal: its steps as lines, and a bar while trees grow."""

from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class Display:
    """Steps as lines, and a bar while trees grow. `training.fraud.Progress`."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        )
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
