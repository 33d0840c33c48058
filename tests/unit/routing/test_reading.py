"""What an operator may have put in the place of a file: it is named, and holds nothing up."""

import os
from pathlib import Path

import pytest

from routing.reading import read_text
from routing.report import Report


@pytest.mark.parametrize("flags", [None, os.O_RDWR], ids=["without a writer", "with a silent one"])
def test_a_pipe_is_refused_without_waiting_for_its_writer(flags: int | None, tmp_path: Path) -> None:
    path = tmp_path / "table.yaml"
    os.mkfifo(path)
    writer = None if flags is None else os.open(path, flags)
    report = Report(str(path))
    assert read_text(report) is None
    assert [str(problem) for problem in report.problems] == [f"{path}: is a pipe: give a file"]
    if writer is not None:
        os.close(writer)


def test_a_path_that_can_be_none_is_named() -> None:
    report = Report("a\0b")
    assert read_text(report) is None
    assert str(report.problems[0]) == "a\\x00b: cannot be read: embedded null byte"
