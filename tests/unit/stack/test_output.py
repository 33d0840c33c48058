"""Each process has its log, and an awaited line is noticed."""

from contextlib import closing
from pathlib import Path

from stack.output import Files, Listening


def test_each_process_has_its_file(tmp_path: Path) -> None:
    with closing(Files(tmp_path / "log")) as files:
        files("beat", "one")
        files("worker fraud", "100 % [bold]as it was printed[/]")
        files("beat", "three")
    assert (tmp_path / "log/beat.log").read_text() == "one\nthree\n"
    assert (tmp_path / "log/worker-fraud.log").read_text() == "100 % [bold]as it was printed[/]\n"


def test_a_start_begins_with_empty_logs(tmp_path: Path) -> None:
    for name in ("beat", "flower"):
        with closing(Files(tmp_path)) as files:
            files(name, "started")
    assert [path.name for path in tmp_path.iterdir()] == ["flower.log"]


def test_a_log_does_not_grow_without_bound(tmp_path: Path) -> None:
    with closing(Files(tmp_path, largest=1_000)) as files:
        for number in range(1_000):
            files("beat", f"line {number}")
    assert (tmp_path / "beat.log").stat().st_size <= 1_000
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2_000
    assert (tmp_path / "beat.log").read_text().endswith("line 999\n")


def test_a_text_that_is_waited_for_is_noticed_once_its_process_says_it() -> None:
    passed: list[tuple[str, str]] = []
    listening = Listening(lambda name, line: passed.append((name, line)))
    ready = listening.has_said("worker fraud", " is loaded", 2)
    listening("worker churn", "churn-predictor-v1 is loaded")
    listening("worker fraud", "fraud-classifier-v1 is loaded")
    assert not ready()
    listening("worker fraud", "fraud-classifier-v1 is loaded")
    assert ready()
    assert len(passed) == 3
