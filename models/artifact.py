"""A model version on disk: its files by digest, and its metadata. Knows no model library.

A version is a folder of files with `metadata.json`, which names each other file and its SHA-256. Without a
registry versions stand in `<model_dir>/<model>/<version>/` and count up from 1; a folder appears under its
number only once it is complete.
"""

import hashlib
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from events.errors import ConfigError, Problem, SignalboxError
from models.recipe import Provenance, Recipe

log = logging.getLogger(__name__)
T = TypeVar("T")

METADATA_FILE = "metadata.json"
# one folder, no way out of it
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class BrokenModelError(SignalboxError):
    """A saved version cannot be used, for `reason`. Those before it still can."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """`metadata.json`. `files` are all the others of the folder, by name, with their SHA-256 in hex.

    `digest` is of recipe and files alone, so that the same data and the same seed give the same one.
    """

    digest: str
    files: dict[str, str]
    recipe: Recipe
    provenance: Provenance

    @classmethod
    def of(cls, files: Mapping[str, bytes], recipe: Recipe, provenance: Provenance) -> "Metadata":
        """Of these files' content."""
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
        return cls(digest=digest(sums, recipe), files=sums, recipe=recipe, provenance=provenance)

    def encode(self) -> bytes:
        """As it stands in the file."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A version whose metadata holds. `version` is its number, as text, where it was found."""

    path: Path
    version: str
    metadata: Metadata

    def read(self, name: str) -> bytes:
        """One of its files. Raises `BrokenModelError` if it lacks, or is not the one that was saved."""
        try:
            expected = self.metadata.files[name]
            content = (self.path / name).read_bytes()
        except KeyError:
            raise BrokenModelError(self.path, f"{METADATA_FILE} names no {name}") from None
        except OSError as error:
            raise BrokenModelError(self.path, f"{name}: {error.strerror}") from error
        check_file(self.path, name, content, expected)
        return content

    def read_text(self, name: str) -> str:
        """The same as text. Raises `BrokenModelError` if it is none, too."""
        try:
            return self.read(name).decode()
        except UnicodeDecodeError as error:
            raise BrokenModelError(self.path, f"{name} cannot be read: {error}") from error


def digest(files: Mapping[str, str], recipe: Recipe) -> str:
    """SHA-256 over the recipe and the names and sums of the files, in hex."""
    return hashlib.sha256(msgspec.json.encode([recipe, files], order="deterministic")).hexdigest()


def check_file(path: Path | str, name: str, content: bytes, expected: str) -> None:
    """Raises `BrokenModelError` if the SHA-256 of a version's file is not `expected`."""
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise BrokenModelError(
            path,
            f"the SHA-256 of {name} is {found[:12]}, {METADATA_FILE} says {expected[:12]}: "
            "the file was changed after training",
        )


def parse(path: Path | str, content: bytes) -> Metadata:
    """A version's metadata. Raises `BrokenModelError`, which names `path`, where its digest does not hold."""
    try:
        metadata = msgspec.json.decode(content, type=Metadata)
    except msgspec.MsgspecError as error:
        raise BrokenModelError(path, f"{METADATA_FILE} cannot be read: {error}") from error
    found = digest(metadata.files, metadata.recipe)
    if found != metadata.digest:
        raise BrokenModelError(
            path,
            f"its digest is {found[:12]}, {METADATA_FILE} says {metadata.digest[:12]}: "
            "the file was changed after training",
        )
    if strange := [name for name in metadata.files if not _NAME.fullmatch(name) or name == METADATA_FILE]:
        raise BrokenModelError(path, f"{METADATA_FILE} names files as no version has: {strange}")
    return metadata


def load(path: Path, version: str | None = None) -> Artifact:
    """The version in this folder, whose name is its number where `version` says no other.

    Raises `BrokenModelError` with the reason. Each file is verified when it is read.
    """
    try:
        content = (path / METADATA_FILE).read_bytes()
    except OSError as error:
        raise BrokenModelError(path, f"{METADATA_FILE}: {error.strerror}") from error
    return Artifact(path, version or path.name, parse(path, content))


def versions(model_dir: Path, model: str) -> list[Path]:
    """The saved versions of a model, the newest first."""
    folder = model_dir / model
    found = [path for path in folder.iterdir() if path.name.isdecimal()] if folder.is_dir() else []
    return sorted(found, key=lambda path: int(path.name), reverse=True)


def load_newest(model_dir: Path, model: str, accept: Callable[[Artifact], T]) -> T:
    """What `accept` makes of the newest version that it takes; `BrokenModelError` passes one over.

    Raises `ConfigError` if no version is left, with the reason for each.
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
