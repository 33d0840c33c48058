"""A version's way through a real MLflow: registered, named, fetched over HTTP, promoted, rolled back."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from events.errors import ConfigError, Unavailable
from models.artifact import BrokenModelError, Metadata, load
from models.cache import Cache
from models.changes import Changes
from models.promoting import Promoting
from models.registry import CHAMPION, Registry
from models.registry_answers import Version
from models.serving import Serving
from models.source import ModelPlace
from stack.embedded import free_port
from tests.unit.models.versions import PROVENANCE, files_of, recipe, write
from tests.unit.tasks.fakes import Scripted
from training.registering import TrainingRegistry
from transport.database import open_database


@pytest.fixture
def model(unique: Callable[[str], str]) -> str:
    return unique("oracle")


@pytest.fixture
def register(mlflow_uri: str, model: str, tmp_path: Path) -> Callable[[str], Version]:
    """Registers a version whose file says something, and gives its number and digest."""
    training = TrainingRegistry(mlflow_uri)

    def register(answer: str) -> Version:
        folder = write(tmp_path / "trained" / answer, files_of(answer, model))
        made = training.register(load(folder, "?"), {})
        return Version(made.version, made.digest)

    return register


@pytest.fixture
def registry(mlflow_uri: str) -> Registry:
    return Registry(mlflow_uri)


@pytest.fixture
def promoting(registry: Registry, offline_url: str) -> Iterator[Promoting]:
    with closing(open_database(offline_url)) as database:
        changes = Changes(database)
        changes.create()
        yield Promoting(registry, changes)


def test_a_registry_that_knows_nothing_says_so(registry: Registry, model: str) -> None:
    assert registry.pointed(model, CHAMPION) is None
    assert registry.aliases(model) == {}
    assert registry.versions(model) == []
    assert registry.version(model, "1") is None
    with pytest.raises(ConfigError, match=f"{model} v1: .*not found"):
        registry.point(model, CHAMPION, "1")


def test_what_was_registered_is_read_over_plain_http(
    registry: Registry, model: str, register: Callable[[str], Version]
) -> None:
    yes, no = register("yes"), register("no")
    assert [each.version for each in registry.versions(model)] == [no, yes]
    assert model in registry.models()
    assert registry.pointed(model, CHAMPION) is None
    registry.point(model, CHAMPION, yes.number)
    assert registry.pointed(model, CHAMPION) == yes
    assert registry.aliases(model) == {CHAMPION: yes.number}
    assert registry.read(model, yes.number, "answer.txt") == b"yes"
    found = registry.version(model, no.number)
    assert found is not None
    assert found.tags["trained_by"] == PROVENANCE.trained_by


def test_a_file_that_a_version_does_not_have_is_no_outage(
    registry: Registry, model: str, register: Callable[[str], Version]
) -> None:
    register("yes")
    with pytest.raises(BrokenModelError, match=r"the registry gives no other\.txt: HTTP 404"):
        registry.read(model, "1", "other.txt")


def test_a_process_follows_the_alias_and_a_rollback(
    mlflow_uri: str,
    model: str,
    register: Callable[[str], Version],
    promoting: Promoting,
    tmp_path: Path,
) -> None:
    yes, no = register("yes"), register("no")
    promoting.move(model, CHAMPION, yes.number, "ada", "the first")
    source = ModelPlace(mlflow_uri, cache=tmp_path / "cache").source(model)
    serving = Serving(source, lambda artifact: Scripted(name=artifact.read_text("answer.txt")))
    serving.start()
    assert serving.workflow.name == "yes"
    promoting.move(model, CHAMPION, no.number, "ada", "it is better")
    assert serving.look().version == no
    assert serving.workflow.name == "no"
    promoting.roll_back(model, CHAMPION, "bob", "it is not")
    assert serving.look().version == yes
    assert serving.workflow.name == "yes"


def test_a_process_begins_without_the_registry_with_what_its_host_served_last(
    mlflow_uri: str, model: str, register: Callable[[str], Version], tmp_path: Path
) -> None:
    yes = register("yes")
    register("no")
    Registry(mlflow_uri).point(model, CHAMPION, yes.number)
    cache = tmp_path / "cache"

    def serving(url: str) -> Serving:
        source = ModelPlace(url, cache=cache).source(model)
        return Serving(source, lambda artifact: Scripted(name=artifact.read_text("answer.txt")))

    serving(mlflow_uri).start()
    alone = serving(f"http://127.0.0.1:{free_port()}")
    alone.start()
    assert alone.workflow.name == "yes"
    assert "model registry is unavailable" in alone.look().trouble


def test_a_digest_that_is_not_the_registered_one_is_not_served(
    mlflow_uri: str, model: str, register: Callable[[str], Version], tmp_path: Path
) -> None:
    yes = register("yes")
    another = Version(yes.number, Metadata.of({}, recipe(model), PROVENANCE).digest)
    registry = Registry(mlflow_uri)
    with pytest.raises(BrokenModelError, match="it was registered with the digest"):
        Cache(tmp_path, model).fetch(another, lambda name: registry.read(model, yes.number, name))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://127.0.0.1:9/prefix"])
def test_a_registry_that_is_away_is_unavailable(url: str) -> None:
    away = Registry(url, timeout_s=1)
    for ask in (lambda: away.pointed("m", CHAMPION), away.models, lambda: away.read("m", "1", "f")):
        with pytest.raises(Unavailable, match="model registry is unavailable"):
            ask()
