"""`signalbox features backfill` refuses options that it cannot follow, by name."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands.features import app
from settings import load_settings


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Services that nobody may ask, and no local stack."""
    monkeypatch.chdir(tmp_path)
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL", "DATABASE_URL"):
        monkeypatch.setenv(name, "nowhere")
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param("", "name a file", id="no source"),
        pytest.param("--generated --from-kafka", "name a file", id="two sources"),
        pytest.param("--from-kafka --since 2026-11-01", "--since is for", id="the topic from a day on"),
        pytest.param("--from-kafka --until 2026-11-01", "--until is for", id="the topic up to a day"),
        pytest.param(
            "--generated --since 2026-11-01", "--since is for", id="what is generated from a day on"
        ),
        pytest.param("events.jsonl --since 2026-11-01", "--since is for", id="lines from a day on"),
        pytest.param("events.jsonl --until 2026-11-01", "--until is for", id="lines up to a day"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(words: str, said: str) -> None:
    ended = CliRunner().invoke(app, ["backfill", *words.split()], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert ended.exit_code == 2
    assert said in ended.output
