"""A trained version stands under its number whole, or not at all."""

from pathlib import Path

import msgspec
import pytest

from events.errors import ConfigError
from models.artifact import MODEL_FILE, Metadata, Recipe, load, versions
from training.fraud import Trained
from training.saving import save


@pytest.fixture
def recipe(trained: Trained) -> Recipe:
    return trained.metadata.recipe


def saved(folder: Path, recipe: Recipe, trees: str = "trees") -> tuple[Path, Metadata]:
    return save(folder, trees, recipe, "2026-03-02T06:00:00+00:00", {"lightgbm": "4.7.0"})


def names(folder: Path, recipe: Recipe) -> list[str]:
    return [path.name for path in versions(folder, recipe.model)]


def test_the_first_version_is_one_and_can_be_loaded(tmp_path: Path, recipe: Recipe) -> None:
    path, metadata = saved(tmp_path, recipe)
    assert path == tmp_path / recipe.model / "1"
    assert load(path).metadata == metadata
    assert load(path).trees == "trees"


def test_other_trees_are_the_next_version(tmp_path: Path, recipe: Recipe) -> None:
    saved(tmp_path, recipe, "trees")
    _, metadata = saved(tmp_path, recipe, "other trees")
    assert metadata.version == "2"
    assert names(tmp_path, recipe) == ["2", "1"]


def test_another_recipe_is_the_next_version_even_with_the_same_trees(tmp_path: Path, recipe: Recipe) -> None:
    saved(tmp_path, recipe)
    saved(tmp_path, msgspec.structs.replace(recipe, metrics={"auc_roc": 0.5}))
    assert names(tmp_path, recipe) == ["2", "1"]


def test_training_the_same_again_makes_no_other_version(tmp_path: Path, recipe: Recipe) -> None:
    first = saved(tmp_path, recipe)
    assert saved(tmp_path, recipe) == first
    assert names(tmp_path, recipe) == ["1"]


def test_a_broken_version_is_not_taken_for_the_same(tmp_path: Path, recipe: Recipe) -> None:
    path, _ = saved(tmp_path, recipe)
    (path / MODEL_FILE).write_text("changed")
    assert saved(tmp_path, recipe)[1].version == "2"


def test_what_fails_half_way_leaves_nothing(
    tmp_path: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_path: Path, _content: bytes) -> None:
        raise ZeroDivisionError

    # the trees stand there by then, and the metadata not yet
    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(ZeroDivisionError):
        saved(tmp_path, recipe)
    assert list((tmp_path / recipe.model).iterdir()) == []


def test_a_number_that_another_training_takes_meanwhile_is_left_to_it(
    tmp_path: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def another_is_faster(path: Path, content: bytes) -> int:
        monkeypatch.setattr(Path, "write_bytes", write)
        saved(tmp_path, recipe, "trees of the other")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", another_is_faster)
    path, metadata = saved(tmp_path, recipe)
    assert (path.name, metadata.version) == ("2", "2")
    assert load(path.with_name("1")).trees == "trees of the other"


def test_where_nothing_can_be_written_the_place_is_named(tmp_path: Path, recipe: Recipe) -> None:
    (tmp_path / recipe.model).write_text("a file where the directory should be")
    with pytest.raises(ConfigError, match=f"{recipe.model}/1: cannot be written"):
        saved(tmp_path, recipe)
