"""Under which number is a trained model saved? It is there whole, or not at all."""

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from events.errors import ConfigError, Problem
from models.artifact import METADATA_FILE, BrokenModelError, Metadata, load, versions
from models.recipe import Provenance, Recipe


def save(
    model_dir: Path, files: Mapping[str, bytes], recipe: Recipe, provenance: Provenance
) -> tuple[Path, Metadata]:
    """Write the next version: these files by name, and their metadata.

    Training that gives what the newest version already is makes no other one. Raises `ConfigError` where
    nothing can be written.
    """
    metadata = Metadata.of(files, recipe, provenance)
    while True:
        saved = versions(model_dir, recipe.model)
        if saved and (newest := _same(saved[0], metadata.digest)):
            return saved[0], newest
        number = str(int(saved[0].name) + 1 if saved else 1)
        path = model_dir / recipe.model / number
        if place(path, files, metadata):
            return path, metadata


def _same(path: Path, digest: str) -> Metadata | None:
    try:
        version = load(path)
        for name in version.metadata.files:
            version.read(name)
    except BrokenModelError:
        return None
    return version.metadata if version.metadata.digest == digest else None


def place(path: Path, files: Mapping[str, bytes], metadata: Metadata) -> bool:
    """Whether the version stands at `path` now; not where another training took its number.

    Raises `ConfigError` where nothing can be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        draft.mkdir(parents=True)
        for name, content in files.items():
            (draft / name).write_bytes(content)
        (draft / METADATA_FILE).write_bytes(metadata.encode())
        draft.rename(path)
    except OSError as error:
        if path.exists():
            return False
        raise ConfigError([Problem(str(path), 0, "", f"cannot be written: {error.strerror}")]) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return True
