"""Check that a version has all metadata that the registry requires."""

from events.errors import ConfigError, Problem
from models.artifact import Artifact
from models.recipe import lacks
from training.provenance import COMMIT

_UNREGISTERED = "a version without it is not registered"
_WAYS_OUT = {"provenance.git_commit": f"; git knows none of this code: set {COMMIT} to it"}


def refuse_incomplete(artifact: Artifact) -> None:
    """Raises `ConfigError` with all that a version does not say of itself, `BrokenModelError` as `read`."""
    metadata = artifact.metadata
    for name in metadata.files:
        artifact.read(name)
    missing = list(lacks(metadata.recipe, metadata.provenance))
    if not metadata.files:
        missing.append("files")
    if missing:
        raise ConfigError(
            Problem(str(artifact.path), 0, name, f"is missing: {_UNREGISTERED}{_WAYS_OUT.get(name, '')}")
            for name in missing
        )
