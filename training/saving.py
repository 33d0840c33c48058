"""Atomic save of a trained model under the next free version number."""

import math
from collections.abc import Mapping
from pathlib import Path

from events.errors import ConfigError, Problem
from models.artifact import BrokenModelError, Metadata, load, versions
from models.placing import place
from models.recipe import Provenance, Recipe


def save(
    model_dir: Path, files: Mapping[str, bytes], recipe: Recipe, provenance: Provenance
) -> tuple[Path, Metadata]:
    """Write the next version: these files by name, and their metadata.

    Training that gives what the newest version already is makes no other one. Raises `ConfigError` if
    nothing can be written, or a metric is no number: JSON has none that is not.
    """
    refuse_unmeasured(recipe)
    metadata = Metadata.of(files, recipe, provenance)
    while True:
        saved = versions(model_dir, recipe.model)
        if saved and (newest := _same(saved[0], metadata.digest)):
            return saved[0], newest
        number = str(int(saved[0].name) + 1 if saved else 1)
        path = model_dir / recipe.model / number
        if place(path, files, metadata):
            return path, metadata


def refuse_unmeasured(recipe: Recipe) -> None:
    """Raises `ConfigError` with every metric that came out as NaN or infinite."""
    if problems := [
        Problem(
            recipe.model, 0, name, f"came out as {value}: choose other days or more of them to measure on"
        )
        for name, value in recipe.metrics.items()
        if not math.isfinite(value)
    ]:
        raise ConfigError(problems)


def _same(path: Path, digest: str) -> Metadata | None:
    try:
        version = load(path)
        for name in version.metadata.files:
            version.read(name)
    except BrokenModelError:
        return None
    return version.metadata if version.metadata.digest == digest else None
