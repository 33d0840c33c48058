"""Beat starts, whatever its schedule file holds."""

import dbm
import os
import pickle
import shelve
from collections.abc import Callable
from pathlib import Path

import pytest
from celery import Celery

from beat_schedule import BEAT_SCHEDULE
from tasks.scheduling import Scheduler


def whole(path: Path) -> None:
    """As beat leaves it."""
    scheduler_on(path).close()


def cut(path: Path) -> None:
    """The disk was full."""
    whole(path)
    for file in files_of(path):
        os.truncate(file, file.stat().st_size // 2)


def overwritten(path: Path) -> None:
    """The head is right, the rest is noise."""
    whole(path)
    for file in files_of(path):
        content = file.read_bytes()
        file.write_bytes(content[:64] + os.urandom(max(0, len(content) - 64)))


def garbage(path: Path) -> None:
    """Never a schedule."""
    path.write_bytes(os.urandom(2_000))


def empty(path: Path) -> None:
    """Created, and killed."""
    path.touch()


def foreign(path: Path) -> None:
    """Another program's."""
    with dbm.open(str(path), "c") as store:
        store[b"entries"] = b"no pickle"


def cut_entries(path: Path) -> None:
    """The file is whole, what is in it is not."""
    whole(path)
    with dbm.open(str(path), "w") as store:
        store[b"entries"] = store[b"entries"][:-200]


def entries_of_a_class_that_is_gone(path: Path) -> None:
    """A version of Celery ago."""
    whole(path)
    with dbm.open(str(path), "w") as store:
        store[b"entries"] = b"cno.such\nmodule\n."


def entries_of_another_kind(path: Path) -> None:
    """What an older version wrote."""
    with shelve.open(str(path)) as store:
        store["entries"] = ["not", "a", "mapping"]
        store["__version__"] = pickle.dumps(1)


def files_of(path: Path) -> list[Path]:
    """dbm adds endings of its own."""
    return [each for each in path.parent.iterdir() if each.name.startswith(path.name)]


def scheduler_on(path: Path) -> Scheduler:
    """As beat makes it."""
    app = Celery("beat", set_as_current=False)
    app.conf.beat_schedule = dict(BEAT_SCHEDULE)
    return Scheduler(app, schedule_filename=str(path))


@pytest.mark.parametrize(
    "damage",
    [
        whole,
        cut,
        overwritten,
        garbage,
        empty,
        foreign,
        cut_entries,
        entries_of_a_class_that_is_gone,
        entries_of_another_kind,
    ],
    ids=lambda each: each.__name__,
)
def test_beat_starts_with_all_its_entries(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    path = tmp_path / "schedule"
    damage(path)

    scheduler = scheduler_on(path)

    assert set(BEAT_SCHEDULE) <= set(scheduler.schedule)
    scheduler.close()
    assert set(BEAT_SCHEDULE) <= set(scheduler_on(path).schedule)
