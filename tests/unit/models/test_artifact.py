"""A saved version is whole, and another is served if the newest is not."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from events.errors import ConfigError
from models.artifact import METADATA_FILE, Artifact, BrokenModelError, load, load_newest, versions
from models.trees import TREES
from training.fraud import Trained


@pytest.fixture
def saved(trained: Trained, tmp_path: Path) -> Path:
    """A copy of the trained version, to be broken."""
    path = tmp_path / "models" / trained.path.parent.name / trained.path.name
    shutil.copytree(trained.path, path)
    return path


def with_metadata(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    file = path / METADATA_FILE
    metadata = msgspec.json.decode(file.read_bytes(), type=dict[str, object])
    change(metadata)
    file.write_bytes(msgspec.json.encode(metadata))


def one_more_tree_leaf(path: Path) -> None:
    file = path / TREES
    file.write_text(file.read_text().replace("leaf_value=", "leaf_value=9", 1))


def another_hash_of_features(path: Path) -> None:
    def change(metadata: dict[str, object]) -> None:
        recipe = metadata["recipe"]
        assert isinstance(recipe, dict)
        recipe["feature_hash"] = "000000000000"

    with_metadata(path, change)


def test_what_was_saved_is_whole(trained: Trained) -> None:
    artifact = load(trained.path)
    assert artifact.metadata == trained.metadata
    assert len(artifact.metadata.digest) == 64
    assert artifact.read(TREES) == (trained.path / TREES).read_bytes()


def test_when_and_by_whom_it_was_trained_is_no_part_of_the_digest(saved: Path) -> None:
    def change(metadata: dict[str, object]) -> None:
        provenance = metadata["provenance"]
        assert isinstance(provenance, dict)
        provenance.update(trained_at="1999-01-01", trained_by="somebody else", snapshot="0@7")

    with_metadata(saved, change)
    assert load(saved).metadata.provenance.trained_at == "1999-01-01"


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        pytest.param(one_more_tree_leaf, "the file was changed after training", id="a leaf was changed"),
        pytest.param(
            another_hash_of_features, "the file was changed after training", id="the recipe was changed"
        ),
        pytest.param(
            lambda path: with_metadata(path, lambda metadata: metadata.pop("digest")),
            "cannot be read: Object missing required field `digest`",
            id="the digest is gone",
        ),
        pytest.param(
            lambda path: with_metadata(path, lambda metadata: metadata.update(files={})),
            "the file was changed after training",
            id="another list of files",
        ),
        pytest.param(
            lambda path: (path / METADATA_FILE).write_bytes(b"{"), "cannot be read", id="half a metadata file"
        ),
        pytest.param(
            lambda path: (path / TREES).unlink(), r"model\.txt: No such file", id="the trees are gone"
        ),
        pytest.param(
            lambda path: (path / TREES).write_bytes(b"\xff"),
            "the file was changed after training",
            id="trees that are no text",
        ),
    ],
)
def test_a_version_that_is_not_whole_is_refused_with_the_reason(
    saved: Path, break_it: Callable[[Path], object], reason: str
) -> None:
    break_it(saved)
    with pytest.raises(BrokenModelError, match=reason):
        load(saved).read_text(TREES)


def accept(artifact: Artifact) -> str:
    artifact.read(TREES)
    return artifact.version


def test_versions_count_as_numbers_and_other_directories_do_not_count(tmp_path: Path) -> None:
    for name in ("1", "2", "10", ".11.abc", "old", "notes.txt"):
        (tmp_path / "fraud" / name).mkdir(parents=True)
    assert [path.name for path in versions(tmp_path, "fraud")] == ["10", "2", "1"]
    assert versions(tmp_path, "churn") == []


def test_the_newest_version_is_taken(saved: Path) -> None:
    shutil.copytree(saved, saved.with_name("2"))
    assert load_newest(saved.parent.parent, saved.parent.name, accept) == "2"


def test_the_last_good_version_stays_where_the_newest_is_broken(
    saved: Path, caplog: pytest.LogCaptureFixture
) -> None:
    newest = saved.with_name("2")
    shutil.copytree(saved, newest)
    one_more_tree_leaf(newest)
    with caplog.at_level(logging.WARNING):
        assert load_newest(saved.parent.parent, saved.parent.name, accept) == "1"
    assert f"{newest}: the SHA-256 of {TREES} is" in caplog.text


def test_where_no_version_is_good_each_is_told_with_its_reason(saved: Path) -> None:
    newest = saved.with_name("2")
    shutil.copytree(saved, newest)
    one_more_tree_leaf(newest)
    (saved / TREES).unlink()
    with pytest.raises(ConfigError) as failure:
        load_newest(saved.parent.parent, saved.parent.name, accept)
    lines = str(failure.value).splitlines()
    assert lines[0].startswith(f"{newest}: the SHA-256 of {TREES} is")
    assert lines[1] == f"{saved}: model.txt: No such file or directory"
    assert lines[2] == f"{saved.parent}: no version can be used: make one with `signalbox train`"


def test_where_there_is_no_model_the_way_to_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no version is saved: make one with `signalbox train`"):
        load_newest(tmp_path, "fraud-classifier", accept)
