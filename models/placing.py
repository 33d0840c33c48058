"""Atomic rename: a version's folder appears whole, or not at all."""

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from events.errors import ConfigError, Problem
from models.artifact import METADATA_FILE, Metadata


def place(path: Path, files: Mapping[str, bytes], metadata: Metadata) -> bool:
    """Whether the version stands at `path` now; not where another process was first.

    Raises `ConfigError` if nothing can be written.
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
