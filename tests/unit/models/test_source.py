"""Without a registry the newest whole version of a folder is served."""

from pathlib import Path

import pytest

from models.source import ModelPlace
from tests.unit.models.versions import MODEL, files_of, version_of, write

YES, NO = version_of("1", "yes"), version_of("2", "no")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / MODEL / "1", files_of("yes"))
    return tmp_path


def test_the_newest_of_the_folder_is_wanted_as_soon_as_it_stands_there(folder: Path) -> None:
    source = ModelPlace(None, folder).source(MODEL)
    assert source.wanted() == YES
    write(folder / MODEL / "2", files_of("no"))
    assert source.wanted() == NO
    assert source.fetch(NO).read_text("answer.txt") == "no"
    assert list(source.held()) == [NO, YES]


def test_one_whose_metadata_is_broken_is_passed_over(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(folder / MODEL / "2", {"metadata.json": b"{"})
    source = ModelPlace(None, folder).source(MODEL)
    assert source.wanted() == source.wanted() == YES
    assert caplog.text.count("model refused") == 1


def test_an_empty_folder_wants_nothing(tmp_path: Path) -> None:
    assert ModelPlace(None, tmp_path).source(MODEL).wanted() is None
