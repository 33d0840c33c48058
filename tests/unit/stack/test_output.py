"""Can one tell who said what?"""

import io
from pathlib import Path

from rich.console import Console

from stack.output import Files, Listening, Terminal


def test_on_a_terminal_each_line_has_its_name_in_front() -> None:
    written = io.StringIO()
    terminal = Terminal(Console(file=written, width=40))
    terminal("dispatcher", "routing table 3f2a is in force")
    terminal("worker fraud", "[bold]no markup of ours[/] " + "x" * 60)
    lines = written.getvalue().splitlines()
    assert lines[0] == "    dispatcher | routing table 3f2a is in force"
    assert lines[1] == "  worker fraud | [bold]no markup of ours[/] " + "x" * 60


def test_where_there_are_no_colours_a_childs_colours_are_dropped() -> None:
    written = io.StringIO()
    Terminal(Console(file=written))("celery", "\x1b[31mred\x1b[0m")
    assert written.getvalue() == "        celery | red\n"


def test_in_a_folder_each_process_has_its_file(tmp_path: Path) -> None:
    files = Files(tmp_path / "log")
    files("beat", "one")
    files("flower", "two")
    files("beat", "three")
    assert (tmp_path / "log/beat.log").read_text() == "one\nthree\n"
    assert (tmp_path / "log/flower.log").read_text() == "two\n"


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
