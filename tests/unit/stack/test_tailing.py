"""`signalbox logs` finds the log of a part, and follows it through rotation and removal."""

from contextlib import closing
from pathlib import Path

import pytest

from events.errors import ConfigError
from stack.output import Files
from stack.tailing import Follower, last_lines, log_of, parts_logged


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    with closing(Files(tmp_path)) as files:
        files("dispatcher", "routing table 3f2a is in force")
        files("worker fraud", "loaded")
    return tmp_path


@pytest.mark.parametrize("part", ["worker fraud", "worker-fraud"])
def test_a_part_is_found_by_its_name_and_by_that_of_its_file(logs: Path, part: str) -> None:
    assert last_lines(log_of(logs, part), 5) == ["loaded"]
    assert parts_logged(logs) == ["dispatcher", "worker-fraud"]


@pytest.mark.parametrize(
    ("part", "hint"),
    [
        pytest.param("dispacher", "nearest: dispatcher", id="a misspelt part"),
        pytest.param("zzz", "there are dispatcher, worker-fraud", id="something else"),
        pytest.param("../../etc/passwd", "there are dispatcher, worker-fraud", id="a file elsewhere"),
    ],
)
def test_a_part_without_a_log_is_named_with_what_there_is(logs: Path, part: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        log_of(logs, part)


def test_a_folder_without_logs_says_what_writes_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`signalbox up` and `signalbox demo` write them"):
        log_of(tmp_path, "dispatcher")


def test_only_the_last_lines_are_shown_first(tmp_path: Path) -> None:
    path = tmp_path / "beat.log"
    path.write_text("".join(f"{number}\n" for number in range(100)))
    assert last_lines(path, 2) == ["98", "99"]


def test_a_log_is_followed_by_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "beat.log"
    path.write_text("before\n")
    with closing(Follower(path)) as follower, path.open("a") as file:
        file.write("one\ntw")
        file.flush()
        assert list(follower.new_lines()) == ["one"]
        file.write("o\n")
        file.flush()
        assert list(follower.new_lines()) == ["two"]


def test_a_log_that_is_rotated_is_followed_on(tmp_path: Path) -> None:
    path = tmp_path / "beat.log"
    path.write_text("before\n")
    with closing(Follower(path)) as follower:
        with path.open("a") as file:
            file.write("the last of the old\n")
        path.rename(tmp_path / "beat.log.1")
        path.write_text("the first of the new\n")
        assert list(follower.new_lines()) == ["the last of the old", "the first of the new"]


def test_a_log_that_comes_later_is_followed_from_its_beginning(tmp_path: Path) -> None:
    with closing(Follower(tmp_path / "beat.log")) as follower:
        assert list(follower.new_lines()) == []
        (tmp_path / "beat.log").write_text("here\n")
        assert list(follower.new_lines()) == ["here"]
