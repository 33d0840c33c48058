"""`signalbox agent register` against a real registry, up to what a worker is served from there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import settings
from commands.agent import app as agent
from commands.models import app as models
from models.registry import CHAMPION, Registry
from models.source import ModelPlace
from models.support.version import MODEL, load_version


@pytest.fixture(autouse=True)
def own_settings(
    mlflow_uri: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_uri)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'signalbox.db'}")
    settings.load_settings.cache_clear()
    yield
    settings.load_settings.cache_clear()


def register(monkeypatch: pytest.MonkeyPatch, llm: str) -> str:
    monkeypatch.setenv("LLM_MODEL", llm)
    settings.load_settings.cache_clear()
    return CliRunner().invoke(agent, ["register"], catch_exceptions=False).output


def test_a_version_is_registered_once_named_promoted_and_served(
    mlflow_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(mlflow_uri)
    assert register(monkeypatch, "first-llm").startswith(f"registered: {MODEL} v1 asks first-llm")
    assert register(monkeypatch, "first-llm").startswith(f"unchanged: {MODEL} v1")
    assert register(monkeypatch, "second-llm").startswith(f"registered: {MODEL} v2 asks second-llm")
    challenger = registry.pointed(MODEL, "challenger")
    assert challenger is not None
    assert challenger.number == "2"

    source = ModelPlace(mlflow_uri, cache=tmp_path / "cache").source(MODEL)
    assert source.wanted() is None
    for number, llm in (("1", "first-llm"), ("2", "second-llm")):
        said = ["promote", MODEL, number, "--why", "a test", "--wait", "0"]
        assert CliRunner().invoke(models, said, catch_exceptions=False).exit_code == 0
        wanted = source.wanted()
        assert wanted == registry.pointed(MODEL, CHAMPION)
        assert wanted is not None
        served = load_version(source.fetch(wanted))
        assert (served.version.model_id, served.plan.llm.model) == (f"{MODEL}-v{number}", llm)
