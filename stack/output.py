"""Log files of the stack's processes, one each and rotated, and what is listened for in their lines."""

import logging
import threading
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path

from stack.child import Sink

LOGS = Path("var/log")
"""Where `signalbox up` and `demo` write what each process prints; `signalbox logs` shows it."""
LARGEST = 10_000_000
"""Bytes of a log before it is renamed to `….log.1`, of which one is kept."""


def log_path(folder: Path, name: str) -> Path:
    """The log of a process: `worker fraud` writes into `worker-fraud.log`."""
    return folder / f"{name.replace(' ', '-')}.log"


class Files:
    """A sink that writes a file for each process into a folder. The logs of an earlier start are removed."""

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        self.folder = folder
        self._largest = largest
        self._lock = threading.Lock()
        self._handlers: dict[str, RotatingFileHandler] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for old in (*folder.glob("*.log"), *folder.glob("*.log.1")):
            old.unlink()

    def __call__(self, name: str, line: str) -> None:
        self.handler(name).handle(logging.makeLogRecord({"msg": line}))

    def handler(self, name: str) -> RotatingFileHandler:
        """The handler behind a process's file; this process's own loggers may write through it too."""
        with self._lock:
            if name not in self._handlers:
                path = log_path(self.folder, name)
                self._handlers[name] = RotatingFileHandler(path, maxBytes=self._largest, backupCount=1)
            return self._handlers[name]

    def close(self) -> None:
        """Close the files. A line that comes later opens its file again."""
        with self._lock:
            for handler in self._handlers.values():
                handler.close()


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
