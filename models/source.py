"""Sources of model versions: a registry's alias, or a plain folder."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from models import artifact
from models.artifact import Artifact, BrokenModelError, versions
from models.cache import Cache
from models.registry import CHAMPION, Registry
from models.registry_answers import Version
from transport.http import HttpPlace

log = logging.getLogger(__name__)


class Source(Protocol):
    """One model's versions."""

    name: str
    """What to call it in what people read."""

    def wanted(self) -> Version | None:
        """Which version is to be served; None if no alias names one. Raises `Unavailable`."""

    def fetch(self, version: Version) -> Artifact:
        """That version. Raises `Unavailable`, and `BrokenModelError` if it is not whole."""

    def held(self) -> Iterator[Version]:
        """What can be had even so where the one that is wanted cannot, the likeliest first."""

    def served(self, version: Version) -> None:
        """A process has taken this one."""


class RegistrySource:
    """The version that the registry's alias `champion` points to, through the host's cache."""

    def __init__(self, registry: Registry, cache: Cache, model: str) -> None:
        self.name = f"{model}@{CHAMPION}"
        self._registry = registry
        self._cache = cache
        self._model = model

    def wanted(self) -> Version | None:
        """See `Source`."""
        return self._registry.pointed(self._model, CHAMPION)

    def fetch(self, version: Version) -> Artifact:
        """See `Source`."""
        found = self._cache.find(version)
        if found is not None:
            return found
        return self._cache.fetch(version, lambda name: self._registry.read(self._model, version.number, name))

    def held(self) -> Iterator[Version]:
        """See `Source`."""
        return self._cache.held()

    def served(self, version: Version) -> None:
        """See `Source`."""
        self._cache.served(version)


class FolderSource:
    """The newest version of `<model_dir>/<model>/`, if there is no registry."""

    def __init__(self, model_dir: Path, model: str) -> None:
        self.name = str(model_dir / model)
        self._model_dir = model_dir
        self._model = model
        self._refused: set[Path] = set()

    def wanted(self) -> Version | None:
        """See `Source`."""
        return next(self.held(), None)

    def fetch(self, version: Version) -> Artifact:
        """See `Source`."""
        return artifact.load(self._model_dir / self._model / version.number)

    def held(self) -> Iterator[Version]:
        """See `Source`."""
        for path in versions(self._model_dir, self._model):
            try:
                found = artifact.load(path)
            except BrokenModelError as error:
                # it is looked for once a second
                if path not in self._refused:
                    log.warning("model refused, trying the one before: %s", error)
                self._refused.add(path)
            else:
                self._refused.discard(path)
                yield Version(found.version, found.metadata.digest)

    def served(self, version: Version) -> None:
        """It is there already."""


@dataclass(frozen=True, slots=True)
class ModelPlace:
    """Where all models are: in the registry at a URL, fetched into `cache`; without one in `folder`."""

    registry: str | HttpPlace | None = None
    folder: Path = Path("var/models")
    cache: Path = Path("var/model-cache")

    def source(self, model: str) -> Source:
        """One model's versions. Raises `ConfigError` if the URL is none."""
        if self.registry is None:
            return FolderSource(self.folder, model)
        return RegistrySource(Registry(self.registry), Cache(self.cache, model), model)
