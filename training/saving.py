"""Under which number is a trained model saved? It is there whole, or not at all."""

from collections.abc import Mapping
from pathlib import Path

from models.artifact import BrokenModelError, Metadata, load, versions
from models.placing import place
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
