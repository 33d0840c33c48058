"""What was fetched of a model stays on this host, whole, and few of it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from events.errors import Unavailable
from models.artifact import METADATA_FILE, BrokenModelError
from models.cache import KEPT, Cache
from models.registry_answers import Version
from tests.unit.models.versions import MODEL, files_of, version_of

YES = version_of("3", "yes")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path, MODEL)


def reading(answer: str) -> Callable[[str], bytes]:
    return files_of(answer).__getitem__


def test_what_was_fetched_is_found_by_another_process_of_the_host(cache: Cache, tmp_path: Path) -> None:
    assert cache.find(YES) is None
    fetched = cache.fetch(YES, reading("yes"))
    assert (fetched.version, fetched.read_text("answer.txt")) == ("3", "yes")
    assert Cache(tmp_path, MODEL).find(YES) == fetched


def test_the_same_number_of_another_registry_is_another_version(cache: Cache) -> None:
    cache.fetch(YES, reading("yes"))
    no = version_of("3", "no")
    assert cache.find(no) is None
    assert cache.fetch(no, reading("no")).read_text("answer.txt") == "no"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"answer.txt": b"no"}, "the SHA-256 of answer.txt is", id="a file that was changed"),
        pytest.param({METADATA_FILE: b"{"}, "cannot be read", id="half of its metadata"),
        pytest.param(files_of("no"), "registered with the digest", id="another version, whole"),
    ],
)
def test_what_is_not_what_was_registered_is_refused_and_leaves_nothing(
    cache: Cache, tmp_path: Path, changed: dict[str, bytes], reason: str
) -> None:
    with pytest.raises(BrokenModelError, match=reason):
        cache.fetch(YES, {**files_of("yes"), **changed}.__getitem__)
    assert list(tmp_path.rglob("*")) == []


def test_a_registry_that_ends_half_way_leaves_nothing(cache: Cache, tmp_path: Path) -> None:
    def read(name: str) -> bytes:
        if name == METADATA_FILE:
            return files_of("yes")[name]
        raise Unavailable("model registry", "gone")

    with pytest.raises(Unavailable):
        cache.fetch(YES, read)
    assert list(tmp_path.rglob("*")) == []


def test_a_copy_that_the_disk_has_spoiled_is_fetched_anew(cache: Cache, tmp_path: Path) -> None:
    path = cache.fetch(YES, reading("yes")).path
    (path / "answer.txt").write_text("yse")
    assert cache.find(YES) is None
    assert cache.fetch(YES, reading("yes")).read_text("answer.txt") == "yes"
    assert cache.find(YES) is not None


def test_the_newest_few_stay_and_the_one_that_was_served_last(cache: Cache, tmp_path: Path) -> None:
    versions = [version_of(str(number), f"answer {number}") for number in range(1, KEPT + 4)]
    for number, version in enumerate(versions, 1):
        fetched = cache.fetch(version, reading(f"answer {number}"))
        os.utime(fetched.path, (number, number))
        if number == 1:
            cache.served(version)
    assert [each for each in versions if cache.find(each)] == [versions[0], *versions[-KEPT:]]


def test_without_the_registry_the_one_that_was_served_last_comes_first(cache: Cache) -> None:
    versions = [version_of(str(number), f"answer {number}") for number in (1, 2, 3)]
    for number, version in enumerate(versions, 1):
        fetched = cache.fetch(version, reading(f"answer {number}"))
        os.utime(fetched.path, (number, number))
    cache.served(versions[1])
    assert list(cache.held()) == [versions[1], versions[2], versions[0]]


def test_a_host_that_fetched_nothing_has_nothing(cache: Cache) -> None:
    assert cache.last() is None
    assert list(cache.held()) == []
    cache.served(Version("1", "d"))
    assert cache.last() is None
