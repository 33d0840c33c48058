"""Is the command line quick, and does it say what to put right?"""

import subprocess
import sys
from pathlib import Path

import pytest

import cli
from settings import load_settings

HEAVY = ("celery", "confluent_kafka", "lightgbm", "numpy", "pandas", "redis", "sqlalchemy")


def test_asking_for_help_loads_nothing_heavy() -> None:
    program = f"import sys, cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


def test_what_an_operator_can_put_right_is_said_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.setattr(sys, "argv", ["signalbox", "where", "e-1"])
    load_settings.cache_clear()
    with pytest.raises(SystemExit) as ended:
        cli.main()
    load_settings.cache_clear()
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.err.startswith("signalbox: environment: KAFKA_BOOTSTRAP_SERVERS: is not set: set it, or ")
    assert said.out == ""
