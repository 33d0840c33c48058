"""Under which number is a trained model saved? It is there whole, or not at all."""

import secrets
import shutil
from pathlib import Path

import msgspec

from events.errors import ConfigError, Problem
from models.artifact import (
    METADATA_FILE,
    MODEL_FILE,
    BrokenModelError,
    Metadata,
    Recipe,
    digest,
    load,
    versions,
)


def save(
    model_dir: Path,
    trees: str,
    recipe: Recipe,
    trained_at: str,
    libraries: dict[str, str],
) -> tuple[Path, Metadata]:
    """Write the next version.

    Training that gives what the newest version already is makes no other one. Raises `ConfigError` where
    nothing can be written.
    """
    content = digest(trees, recipe)
    while True:
        saved = versions(model_dir, recipe.model)
        if saved and (newest := _same(saved[0], content)):
            return saved[0], newest
        number = str(int(saved[0].name) + 1 if saved else 1)
        metadata = Metadata(
            version=number, digest=content, trained_at=trained_at, libraries=libraries, recipe=recipe
        )
        path = model_dir / recipe.model / number
        if _place(path, trees, metadata):
            return path, metadata


def _same(path: Path, content: str) -> Metadata | None:
    try:
        artifact = load(path)
    except BrokenModelError:
        return None
    return artifact.metadata if artifact.metadata.digest == content else None


def _place(path: Path, trees: str, metadata: Metadata) -> bool:
    """Whether the version stands at `path` now; not where another training took its number."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        draft.mkdir(parents=True)
        (draft / MODEL_FILE).write_text(trees, encoding="utf-8", newline="\n")
        pretty = msgspec.json.format(msgspec.json.encode(metadata), indent=2)
        (draft / METADATA_FILE).write_bytes(pretty + b"\n")
        draft.rename(path)
    except OSError as error:
        if path.exists():
            return False
        raise ConfigError([Problem(str(path), 0, "", f"cannot be written: {error.strerror}")]) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return True
