"""`signalbox features skew`, up to where it would read predictions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import settings
from commands.features import app
from events.errors import ConfigError
from tests.unit.features.misread import misread_database


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", misread_database(tmp_path))
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")
    settings.load_settings.cache_clear()
    yield
    settings.load_settings.cache_clear()


def test_nothing_is_compared_with_what_would_be_misread() -> None:
    with pytest.raises(ConfigError, match=r"customer_orders: its measures or its resolution differ"):
        CliRunner().invoke(app, ["skew"], catch_exceptions=False)
