"""Shows the local stack's log files, and follows them as `tail -F` does: through rotation and restarts."""

import os
import time
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import IO

from events.errors import ConfigError, Problem
from stack.output import log_path

LOOK_S = 0.2
_TAIL_BYTES = 256 * 1024


def parts_logged(folder: Path) -> list[str]:
    """The names of the processes that have a log."""
    return sorted(path.stem for path in folder.glob("*.log"))


def log_of(folder: Path, part: str) -> Path:
    """The log of `part`, as `worker fraud` or `worker-fraud`. Raises `ConfigError` that names the nearest."""
    path = log_path(folder, part)
    if path.is_file():
        return path
    known = parts_logged(folder)
    if not known:
        way_out = "holds no logs: `signalbox up` and `signalbox demo` write them"
        raise ConfigError([Problem(str(folder), 0, "", way_out)])
    near = get_close_matches(path.stem, known, 1)
    hint = f"nearest: {near[0]}" if near else f"there are {', '.join(known)}"
    raise ConfigError([Problem(str(folder), 0, part, f"no process of that name has a log; {hint}")])


def last_lines(path: Path, count: int) -> list[str]:
    """The last `count` lines of a file, of its last 256 KiB."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL_BYTES))
        return file.read().decode(errors="replace").splitlines()[-count:]


class Follower:
    """Gives the lines that come to a file, also once it was renamed or truncated and begun again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = path.open("rb") if path.exists() else None
        if self._file is not None:
            self._file.seek(0, 2)
        self._rest = b""

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def new_lines(self) -> Iterator[str]:
        """What came since the last call: whole lines only."""
        yield from self._read()
        if self._replaced():
            self.close()
            self._file, self._rest = self._path.open("rb"), b""
            yield from self._read()

    def _read(self) -> Iterator[str]:
        if self._file is None:
            return
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")

    def _replaced(self) -> bool:
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return False
        if self._file is None:
            return True
        opened = os.fstat(self._file.fileno()).st_ino
        return now.st_ino != opened or now.st_size < self._file.tell()


def follow(paths: list[Path], show: Callable[[Path, str], None]) -> None:
    """Show what comes to these logs until Ctrl-C."""
    followers = [(path, Follower(path)) for path in paths]
    while True:
        for path, follower in followers:
            for line in follower.new_lines():
                show(path, line)
        time.sleep(LOOK_S)
