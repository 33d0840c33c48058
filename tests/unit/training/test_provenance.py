"""The commit that a version names is the one of the code that trained it."""

import os
import subprocess
from pathlib import Path

import pytest

from training.provenance import COMMIT, distribution, git_commit


def git(root: Path, *arguments: str) -> str:
    nobody = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")
    return subprocess.check_output(["git", *nobody, "-C", str(root), *arguments], text=True).strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With one commit; nothing of whoever runs the test decides."""
    for name in [COMMIT, *(name for name in os.environ if name.startswith("GIT_"))]:
        monkeypatch.delenv(name, raising=False)
    root = tmp_path.resolve() / "clone"
    (root / "venv").mkdir(parents=True)
    (root / "code.py").write_text("one = 1\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "One")
    return root


def test_it_is_the_repositorys(repository: Path) -> None:
    assert git_commit(repository) == git(repository, "rev-parse", "HEAD")


def test_code_that_was_changed_since_is_marked(repository: Path) -> None:
    (repository / "code.py").write_text("one = 2\n")
    assert git_commit(repository) == git(repository, "rev-parse", "HEAD") + "+"


def test_a_clone_of_another_user_is_read(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = git(repository, "rev-parse", "HEAD")
    # git's own way to test this
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "rev-parse", "HEAD")
    assert git_commit(repository) == head


def test_code_inside_of_another_repository_has_not_its_commit(repository: Path) -> None:
    assert git_commit(repository / "venv") == ""


def test_without_git_nobody_knows_it(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git_commit(repository) == ""


def test_what_the_environment_says_comes_first(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMMIT, "c0ffee")
    assert git_commit(repository) == "c0ffee"


def test_a_library_is_named_as_it_was_installed() -> None:
    assert distribution("sklearn") == "scikit-learn"
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        distribution("nowhere")
