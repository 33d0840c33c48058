"""Which versions of a model are saved, and is this one whole? Knows no model library.

`<model_dir>/<model>/<version>/` holds `model.txt` and `metadata.json`; versions count up from 1. A directory
appears under its number only once it is complete.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from events.errors import ConfigError, Problem, SignalboxError

log = logging.getLogger(__name__)
T = TypeVar("T")

MODEL_FILE = "model.txt"
METADATA_FILE = "metadata.json"


class BrokenModelError(SignalboxError):
    """A saved version cannot be used, for `reason`. Those before it still can."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class DataSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a model was fitted and measured on.

    Days are ISO 8601 and inclusive; `sha256` is of the rows themselves.
    """

    train_first: str
    train_last: str
    train_rows: int
    train_fraud: int
    test_first: str
    test_last: str
    test_rows: int
    test_fraud: int
    sha256: str


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides what a model answers, besides its trees, and how well it did."""

    model: str
    data: DataSummary
    parameters: dict[str, str | int | float | bool]
    metrics: dict[str, float]
    feature_names: tuple[str, ...]
    feature_hash: str


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """`metadata.json`. The digest is of trees and recipe alone, so that the same data gives the same one."""

    version: str
    digest: str
    trained_at: str
    libraries: dict[str, str]
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Artifact:
    """A version whose digest was seen to hold."""

    path: Path
    metadata: Metadata
    trees: str


def digest(trees: str, recipe: Recipe) -> str:
    """SHA-256 over the recipe and the trees, in hex."""
    told = msgspec.json.encode(recipe, order="deterministic")
    return hashlib.sha256(b"%d:%b%b" % (len(told), told, trees.encode())).hexdigest()


def versions(model_dir: Path, model: str) -> list[Path]:
    """The saved versions of a model, the newest first."""
    folder = model_dir / model
    found = [path for path in folder.iterdir() if path.name.isdecimal()] if folder.is_dir() else []
    return sorted(found, key=lambda path: int(path.name), reverse=True)


def load(path: Path) -> Artifact:
    """Read one version. Raises `BrokenModelError` with the reason."""
    try:
        metadata = msgspec.json.decode((path / METADATA_FILE).read_bytes(), type=Metadata)
        trees = (path / MODEL_FILE).read_bytes().decode()
    except OSError as error:
        raise BrokenModelError(path, f"{Path(error.filename).name}: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BrokenModelError(path, f"cannot be read: {error}") from error
    found = digest(trees, metadata.recipe)
    if found != metadata.digest:
        raise BrokenModelError(
            path,
            f"its digest is {found[:12]}, {METADATA_FILE} says {metadata.digest[:12]}: "
            "a file was changed after training",
        )
    return Artifact(path, metadata, trees)


def load_newest(model_dir: Path, model: str, accept: Callable[[Artifact], T]) -> T:
    """What `accept` makes of the newest version that it takes; `BrokenModelError` passes one over.

    Raises `ConfigError` where no version is left, with the reason for each.
    """
    problems = []
    for path in versions(model_dir, model):
        try:
            return accept(load(path))
        except BrokenModelError as error:
            log.warning("model refused, trying the one before: %s", error)
            problems.append(Problem(str(error.path), 0, "", error.reason))
    state = "no version can be used" if problems else "no version is saved"
    problems.append(Problem(str(model_dir / model), 0, "", f"{state}: make one with `signalbox train`"))
    raise ConfigError(problems)
