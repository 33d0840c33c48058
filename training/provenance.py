"""Provenance of a training: the user, commit, libraries and state of the offline store."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import packages_distributions, version
from pathlib import Path

from features.offline.store import OfflineStore
from features.position import offsets_text
from models.recipe import Provenance
from models.who import who

COMMIT = "SIGNALBOX_GIT_COMMIT"
"""Set where the code was installed without its repository: the image is built with it."""

ROOT = Path(__file__).resolve().parents[1]


def provenance(store: OfflineStore, *libraries: str) -> Provenance:
    """Of a training that begins now, with these distributions. Raises `Unavailable`."""
    positions = {partition: beat.position for partition, beat in store.heartbeats().items()}
    return Provenance(
        trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
        trained_by=who(),
        git_commit=git_commit(),
        libraries={"python": platform.python_version(), **{name: version(name) for name in libraries}},
        snapshot=offsets_text(positions),
    )


def distribution(package: str) -> str:
    """Which installed one an import is of: some come under more than one name, by platform.

    Raises `ModuleNotFoundError` if there is none.
    """
    found = packages_distributions().get(package)
    if not found:
        raise ModuleNotFoundError(f"No distribution has {package}", name=package)
    return found[0]


def git_commit(root: Path = ROOT) -> str:
    """The commit of the code in `root`, with `+` where it was changed since; empty if nobody knows it.

    Nobody does where `root` merely lies inside of a repository, as a virtual environment may.
    """
    if commit := os.environ.get(COMMIT):
        return commit
    try:
        if Path(_git(root, "rev-parse", "--show-toplevel")) != root:
            return ""
        head = _git(root, "rev-parse", "HEAD")
        return f"{head}+" if _git(root, "status", "--porcelain", "--untracked-files=no") else head
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(root: Path, *arguments: str) -> str:
    # a clone may be another user's; whoever runs its code may let git read it
    command = ["git", "-c", f"safe.directory={root}", "-C", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()
