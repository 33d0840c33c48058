"""`signalbox agent register`, into a folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import settings
from commands.agent import app
from events.errors import ConfigError
from models.artifact import load, versions


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("LLM_MODEL", raising=False)
    settings.load_settings.cache_clear()
    yield
    settings.load_settings.cache_clear()


def register(folder: Path) -> Result:
    settings.load_settings.cache_clear()
    return CliRunner().invoke(app, ["register", "--model-dir", str(folder)], catch_exceptions=False)


def test_the_shipped_files_make_a_version_and_again_no_other(tmp_path: Path) -> None:
    first, again = register(tmp_path), register(tmp_path)
    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    (path,) = versions(tmp_path, "ai-support-agent")
    digest = load(path).metadata.digest
    assert first.output.startswith("registered: ai-support-agent v1 asks gpt-4.1-mini, recall_at_1 ")
    assert f"digest {digest[:12]}" in first.output
    assert "v1 asks gpt-4.1-mini" in again.output


def test_the_environments_model_is_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(tmp_path)
    monkeypatch.setenv("LLM_MODEL", "llama3.1:8b")
    assert "v2 asks llama3.1:8b" in register(tmp_path).output


def test_a_prompt_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALBOX_AGENT_PROMPT", str(tmp_path / "none.md"))
    with pytest.raises(ConfigError, match=r"none\.md: cannot be read"):
        register(tmp_path)
