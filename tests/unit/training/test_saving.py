"""A trained version stands under its number whole, or not at all."""

import math
from pathlib import Path

import msgspec
import pytest

from events.errors import ConfigError
from models.artifact import METADATA_FILE, Metadata, load, versions
from models.recipe import Recipe
from tests.trained import PROVENANCE
from training.fraud import Trained
from training.saving import save


@pytest.fixture
def recipe(trained: Trained) -> Recipe:
    return trained.metadata.recipe


def saved(folder: Path, recipe: Recipe, trees: str = "trees") -> tuple[Path, Metadata]:
    return save(folder, {"model.txt": trees.encode(), "scale.json": b"{}"}, recipe, PROVENANCE)


def names(folder: Path, recipe: Recipe) -> list[str]:
    return [path.name for path in versions(folder, recipe.model)]


def test_the_first_version_is_one_and_can_be_loaded(tmp_path: Path, recipe: Recipe) -> None:
    path, metadata = saved(tmp_path, recipe)
    assert path == tmp_path / recipe.model / "1"
    assert load(path).metadata == metadata
    assert load(path).read_text("model.txt") == "trees"
    assert load(path).read("scale.json") == b"{}"


def test_other_trees_are_the_next_version(tmp_path: Path, recipe: Recipe) -> None:
    saved(tmp_path, recipe, "trees")
    path, _ = saved(tmp_path, recipe, "other trees")
    assert path.name == "2"
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
    (path / "model.txt").write_text("changed")
    assert saved(tmp_path, recipe)[0].name == "2"


def test_what_fails_half_way_leaves_nothing(
    tmp_path: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def fail(path: Path, content: bytes) -> int:
        if path.name == METADATA_FILE:
            raise ZeroDivisionError
        return write(path, content)

    # the other files stand there by then
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
    path, _ = saved(tmp_path, recipe)
    assert path.name == "2"
    assert load(path.with_name("1")).read_text("model.txt") == "trees of the other"


def test_where_nothing_can_be_written_the_place_is_named(tmp_path: Path, recipe: Recipe) -> None:
    (tmp_path / recipe.model).write_text("a file where the directory should be")
    with pytest.raises(ConfigError, match=f"{recipe.model}/1: cannot be written"):
        saved(tmp_path, recipe)


def test_metrics_that_are_no_number_are_refused_each_by_its_name(tmp_path: Path, recipe: Recipe) -> None:
    unmeasured = msgspec.structs.replace(recipe, metrics={"a": math.nan, "b": 0.5, "c": math.inf})
    with pytest.raises(ConfigError, match="a: came out as nan: choose other days") as caught:
        saved(tmp_path, unmeasured)
    assert [problem.key for problem in caught.value.problems] == ["a", "c"]
    assert names(tmp_path, recipe) == []
