"""A model store of folders in `model_dir`, without a registry; the newest version serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.artifact import Artifact, load, versions
from training.complete import refuse_incomplete
from training.registering import Registered
from training.saving import save


@dataclass(frozen=True, slots=True)
class FolderRegistry:
    """`training.challenging.Registry` without a server: no aliases, and so nothing to promote."""

    model_dir: Path

    def fetch(self, model: str, alias: str, folder: Path) -> Artifact | None:  # noqa: ARG002 - of the protocol
        """The newest version, which is the one that is served. Raises `BrokenModelError`."""
        saved = versions(self.model_dir, model)
        return load(saved[0]) if saved else None

    def register(self, artifact: Artifact, tags: Mapping[str, str]) -> Registered:  # noqa: ARG002 - of the protocol
        """Copy it under the next number. Raises as `TrainingRegistry.register`."""
        refuse_incomplete(artifact)
        metadata = artifact.metadata
        files = {name: artifact.read(name) for name in metadata.files}
        path, saved = save(self.model_dir, files, metadata.recipe, metadata.provenance)
        return Registered(metadata.recipe.model, path.name, metadata.digest, fresh=saved == metadata)
