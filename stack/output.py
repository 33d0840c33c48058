"""Where the lines of many processes go: to the terminal with a prefix, or to a file each."""

import threading
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from stack.child import Sink

COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green", "bright_yellow")
WIDTH = 14
"""Columns of the longest name that is shown whole."""


class Terminal:
    """`name | line`, each name in a colour of its own where the terminal has colours."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._colours: dict[str, str] = {}
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        with self._lock:
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
            prefix = Text(f"{name:>{WIDTH}} | ", style=colour)
            self._console.print(prefix + Text.from_ansi(line), soft_wrap=True)


class Files:
    """A file for each process in a folder, for a terminal that shows something else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, name: str, line: str) -> None:
        with self._lock, (self.folder / f"{name}.log").open("a") as file:
            file.write(f"{line}\n")


class Listening:
    """Passes every line on, and counts those that were listened for."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._heard: dict[tuple[str, str], int] = {}

    def __call__(self, name: str, line: str) -> None:
        for speaker, text in self._heard:
            if speaker == name and text in line:
                self._heard[speaker, text] += 1
        self._sink(name, line)

    def has_said(self, name: str, text: str, times: int) -> Callable[[], bool]:
        """A question: did this process print this text so many times since now?"""
        self._heard[name, text] = 0
        return lambda: self._heard[name, text] >= times
