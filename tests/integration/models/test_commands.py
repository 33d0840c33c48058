"""`signalbox models …` against a real registry, as an operator types it."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import settings
from commands.models import app
from core.timestamps import iso_seconds
from events.errors import ConfigError
from models.artifact import load
from models.changes import Changes
from models.promoting import Promoting
from models.registry import Registry
from models.registry_answers import Version
from models.reports import Report, connect_reports
from stack.embedded import free_port
from tests.unit.models.versions import files_of, write
from training.registering import TrainingRegistry
from transport.database import open_database


@pytest.fixture
def model(unique: Callable[[str], str]) -> str:
    return unique("oracle")


@pytest.fixture
def versions(mlflow_uri: str, model: str, tmp_path: Path) -> tuple[Version, Version]:
    """Two, of which none has a name yet."""
    registry = TrainingRegistry(mlflow_uri)
    folders = (write(tmp_path / answer, files_of(answer, model)) for answer in ("yes", "no"))
    first, second = (registry.register(load(folder, "?"), {}) for folder in folders)
    return Version(first.version, first.digest), Version(second.version, second.digest)


@pytest.fixture(autouse=True)
def own_settings(
    mlflow_uri: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_uri)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'signalbox.db'}")
    monkeypatch.setenv("SIGNALBOX_USER", "ada")
    settings.load_settings.cache_clear()
    yield
    settings.load_settings.cache_clear()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_a_version_is_promoted_seen_and_taken_back(model: str, versions: tuple[Version, Version]) -> None:
    yes, no = versions
    for number, why in (("1", "the first"), ("v2", "fewer alarms")):
        done = run("promote", model, number, "--why", why)
        assert done.exit_code == 0
        assert f"by ada: {why}\nno process serves this model at the moment" in done.output
    listed = run("list", model).output.splitlines()
    assert [line.split()[1:4] for line in listed[1:]] == [
        ["2", "champion", no.digest[:12]],
        ["1", yes.digest[:12], *listed[2].split()[3:4]],
    ]
    assert f"{model} champion is v1" in run("rollback", model, "--why", "too many alarms").output
    lines = run("history", model).output.splitlines()
    assert [line.partition("by ada: ")[2] for line in lines if "intended" not in line] == [
        "the first",
        "fewer alarms",
        "too many alarms",
    ]


def test_which_version_was_champion_then_has_an_answer(model: str, versions: tuple[Version, Version]) -> None:
    run("promote", model, versions[0].number, "--why", "the first")
    assert run("history", model, "--at", "2020-01-01").output == f"{model}: nothing was champion by then\n"
    assert (
        f"{model} champion is v1 ({versions[0].digest[:12]}), by ada"
        in run("history", model, "--at", "2100-01-01T00:00:00").output
    )


def test_what_was_moved_elsewhere_is_said_beside_what_was_champion_then(
    model: str, versions: tuple[Version, Version], mlflow_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, long_ago = Registry(mlflow_uri), 1_772_000_000_000
    with closing(open_database(os.environ["DATABASE_URL"])) as database:
        changes = Changes(database, lambda: long_ago)
        changes.create()
        Promoting(registry, changes).move(model, "champion", "1", "ada", "the first")
    registry.point(model, "champion", "2")
    at = iso_seconds(long_ago).removesuffix("Z")
    first, doubted = run("history", model, "--at", at).output.splitlines()
    assert f"{model} champion is v1 " in first
    assert doubted.startswith("by then perhaps already: ")
    assert f"{model} champion is v2 ({versions[1].digest[:12]}) instead of v1, by (outside of" in doubted
    # what is written down is told where the registry is away, too
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    settings.load_settings.cache_clear()
    assert f"{model} champion is v2 " in run("history", model, "--at", "2100-01-01").output


def test_all_that_a_version_says_of_itself_is_shown_and_who_serves_which(
    model: str, versions: tuple[Version, Version], redis_url: str
) -> None:
    run("promote", model, versions[0].number, "--why", "the first")
    connect_reports(redis_url).say(model, Report("host:17", *versions[0], 0, "the registry is away"))
    shown = run("show", model).output
    assert f"{model} v1, digest {versions[0].digest}" in shown
    assert "trained 2026-03-02T06:00:00+00:00 by ada, commit c0ffee" in shown
    assert "demand_7d  missing: default, stale: serve" in shown
    assert "host:17  v1" in shown
    assert "the registry is away" in shown


def test_a_promotion_that_a_process_does_not_take_ends_with_its_reason(
    model: str, versions: tuple[Version, Version], redis_url: str
) -> None:
    connect_reports(redis_url).say(model, Report("host:17", *versions[1], 0, "v1 is refused: broken"))
    done = run("promote", model, versions[0].number, "--why", "the first", "--wait", "0.3")
    assert done.exit_code == 1
    assert "0 of 1 processes serve it" in done.output
    assert "host:17: v2; v1 is refused: broken" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("promote", "9"), "v9: is not in the registry", id="no such version"),
        pytest.param(("promote", "1", "--alias", "champoin"), "is no alias; nearest: champion", id="a slip"),
        pytest.param(("rollback",), "there is nothing to go back to", id="nothing was named before"),
        pytest.param(("show",), "no version is champion", id="nothing serves"),
    ],
)
def test_what_cannot_be_done_says_what_is_the_matter(
    model: str, versions: tuple[Version, Version], arguments: tuple[str, ...], message: str
) -> None:
    command, *rest = arguments
    why = () if command == "show" else ("--why", "why not")
    with pytest.raises(ConfigError, match=message):
        run(command, model, *rest, *why)
