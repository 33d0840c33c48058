"""`signalbox features load`: what training left, in a store."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import settings
from commands.features import app
from events.errors import ConfigError, Unavailable
from features.online import EntityKey, RedisOnlineStore
from features.snapshot import SNAPSHOT_FILE, read_snapshot
from training.fraud import Trained


@pytest.fixture(autouse=True)
def own_settings(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SIGNALBOX_MODEL_DIR", str(trained.path.parent.parent))
    settings.load_settings.cache_clear()
    yield
    settings.load_settings.cache_clear()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["load", *map(str, arguments)], catch_exceptions=False)


def test_the_newest_models_features_are_loaded(
    trained: Trained, redis_url: str, unique: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    tenant = unique("acme")
    result = run("--tenant", tenant)
    expected = dict(read_snapshot(trained.path / SNAPSHOT_FILE, tenant))
    assert f"{len(expected):,} rows loaded for {tenant}" in result.output
    assert "as of 2026-03-02T00:00:00+00:00" in result.output
    store = RedisOnlineStore(redis_url)
    assert store.fetch(list(expected)) == list(expected.values())
    assert store.fetch([EntityKey(tenant, "customer", "nobody")]) == [None]
    store.close()


def test_a_store_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(Unavailable, match="feature store is unavailable"):
        run()


def test_without_a_model_the_way_to_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALBOX_MODEL_DIR", str(tmp_path))
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(ConfigError, match="make one with `signalbox train`"):
        run()
