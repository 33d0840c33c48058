"""Code that changed after a process started is noticed."""

import os
from pathlib import Path

from routing.code_age import changed_files, changed_since_start, restart_hint


def test_only_what_was_written_later_has_changed(tmp_path: Path) -> None:
    for name, at in (("old.py", 100), ("new.py", 300)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (at, at))
    paths = [tmp_path / name for name in ("old.py", "new.py", "gone.py")]
    assert changed_files(200, paths) == (str(tmp_path / "new.py"),)


def test_a_process_whose_code_is_as_it_was_needs_no_restart() -> None:
    assert restart_hint(changed_since_start()) == ""


def test_what_changed_is_named_with_the_way_out() -> None:
    hint = restart_hint(("events/retail.py",))
    assert hint.startswith("events/retail.py changed after this process started")
    assert hint.endswith("restart it")
