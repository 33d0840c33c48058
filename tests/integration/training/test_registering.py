"""The registry has all of a trained version, once, and never half of it."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from events.errors import ConfigError, Unavailable
from models.artifact import METADATA_FILE, Artifact, BrokenModelError, Metadata, load
from models.recipe import Provenance, Recipe
from models.registry import Registry
from stack.embedded import free_port
from tests.trained import train_small
from training.registering import TrainingRegistry


@pytest.fixture(scope="module")
def registry(mlflow_uri: str) -> TrainingRegistry:
    return TrainingRegistry(mlflow_uri)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return load(train_small(tmp_path_factory.mktemp("trained")).path)


@pytest.fixture
def version(trained: Artifact, tmp_path: Path, unique: Callable[[str], str]) -> Artifact:
    """A version of a model that no other test has."""
    recipe = msgspec.structs.replace(trained.metadata.recipe, model=unique("model"))
    return written(tmp_path / "1", trained, recipe, trained.metadata.provenance)


def written(folder: Path, like: Artifact, recipe: Recipe, provenance: Provenance) -> Artifact:
    files = {name: like.read(name) for name in like.metadata.files}
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / METADATA_FILE).write_bytes(Metadata.of(files, recipe, provenance).encode())
    return load(folder)


def test_what_was_registered_comes_back_as_it_was(
    registry: TrainingRegistry, version: Artifact, tmp_path: Path, mlflow_uri: str
) -> None:
    made = registry.register(version, {"why": "a test"})
    assert (made.version, made.digest, made.fresh) == ("1", version.metadata.digest, True)
    Registry(mlflow_uri).point(made.model, "challenger", made.version)
    back = registry.fetch(made.model, "challenger", tmp_path / "back")
    assert back is not None
    assert back.version == "1"
    assert back.metadata == version.metadata
    assert {name: back.read(name) for name in back.metadata.files} == {
        name: version.read(name) for name in version.metadata.files
    }


def test_the_same_digest_is_one_version_and_another_the_next(
    registry: TrainingRegistry, version: Artifact, tmp_path: Path
) -> None:
    first = registry.register(version, {})
    assert registry.register(version, {}) == first._replace(fresh=False)
    recipe = msgspec.structs.replace(version.metadata.recipe, metrics={"auc_roc": 0.5})
    other = written(tmp_path / "2", version, recipe, version.metadata.provenance)
    assert registry.register(other, {}).version == "2"


def test_a_version_that_does_not_say_all_of_itself_is_refused_with_each_lack(
    registry: TrainingRegistry, version: Artifact, tmp_path: Path
) -> None:
    metadata = version.metadata
    recipe = msgspec.structs.replace(metadata.recipe, metrics={})
    provenance = msgspec.structs.replace(metadata.provenance, git_commit="", snapshot="")
    lacking = written(tmp_path / "2", version, recipe, provenance)
    with pytest.raises(ConfigError) as caught:
        registry.register(lacking, {})
    assert [problem.key for problem in caught.value.problems] == [
        "recipe.metrics",
        "provenance.git_commit",
        "provenance.snapshot",
    ]
    assert caught.value.problems[1].message.endswith("set SIGNALBOX_GIT_COMMIT to it")
    assert registry.fetch(recipe.model, "challenger", tmp_path) is None


def test_a_file_that_was_changed_after_training_is_not_registered(
    registry: TrainingRegistry, version: Artifact
) -> None:
    (version.path / "model.txt").write_text("other trees")
    with pytest.raises(BrokenModelError, match="the file was changed after training"):
        registry.register(version, {})


def test_an_alias_that_nobody_set_names_none(
    registry: TrainingRegistry, version: Artifact, tmp_path: Path
) -> None:
    registry.register(version, {})
    assert registry.fetch(version.metadata.recipe.model, "champion", tmp_path / "none") is None


def test_a_registry_that_is_away_is_said_to_be(version: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = TrainingRegistry(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable, match="model registry is unavailable"):
        away.register(version, {})
