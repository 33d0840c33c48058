"""Local cache of registry versions: a folder that the processes of a host share.

`<root>/<model>/<version>-<digest>/` holds a version as `models.artifact` reads it, and
`<root>/<model>/last.json` names the one that was served last: with it a worker begins where the registry is
down.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from models import artifact
from models.artifact import METADATA_FILE, Artifact, BrokenModelError
from models.placing import place
from models.registry_answers import Version

KEPT = 4
"""Versions of a model that stay: the one that is served, those that a rollback may lead to, a challenger."""
LAST_FILE = "last.json"
_DIGITS = 16


class Cache:
    """What was fetched of one model. Any number of processes may use it at once."""

    def __init__(self, root: Path, model: str) -> None:
        self._folder = root / model

    def find(self, version: Version) -> Artifact | None:
        """The version, where it was fetched and is still what was registered."""
        path = self._path(version)
        try:
            found = artifact.load(path, version.number)
            for name in found.metadata.files:
                found.read(name)
        except BrokenModelError:
            return None
        with suppress(OSError):  # a cache that is only read
            os.utime(path)
        return found if found.metadata.digest == version.digest else None

    def fetch(self, version: Version, read: Callable[[str], bytes]) -> Artifact:
        """Put the version here, by `read`, which is given a file's name.

        Raises `BrokenModelError` if a file is not the one whose digest was registered, `ConfigError` if
        nothing can be written here, and what `read` raises.
        """
        path = self._path(version)
        content = read(METADATA_FILE)
        metadata = artifact.parse(path, content)
        if metadata.digest != version.digest:
            raise BrokenModelError(
                path,
                f"it was registered with the digest {version.digest[:12] or '(none)'}, its metadata says "
                f"{metadata.digest[:12]}",
            )
        files = {name: read(name) for name in metadata.files}
        for name, expected in metadata.files.items():
            artifact.check_file(path, name, files[name], expected)
        if path.exists() and self.find(version) is None:
            shutil.rmtree(path, ignore_errors=True)
        place(path, files, metadata)
        self._prune()
        return artifact.load(path, version.number)

    def held(self) -> Iterator[Version]:
        """What could be served without the registry: what was served last, then the others, newest first."""
        last = self.last()
        if last is not None:
            yield last
        for path in self._versions():
            with suppress(BrokenModelError):
                found = artifact.load(path, path.name.partition("-")[0])
                version = Version(found.version, found.metadata.digest)
                if version != last:
                    yield version

    def last(self) -> Version | None:
        """The version that a process of this host took last."""
        with suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode((self._folder / LAST_FILE).read_bytes(), type=Version)
        return None

    def served(self, version: Version) -> None:
        """Remember it as `last`. If nothing can be written it is not remembered."""
        draft = self._folder / f".{LAST_FILE}.{secrets.token_hex(4)}"
        with suppress(OSError):
            draft.write_bytes(msgspec.json.encode(version))
            draft.replace(self._folder / LAST_FILE)

    def _path(self, version: Version) -> Path:
        return self._folder / f"{version.number}-{version.digest[:_DIGITS]}"

    def _versions(self) -> list[Path]:
        """The newest used first."""
        found = [path for path in self._folder.glob("[0-9]*-*") if path.is_dir()]
        return sorted(found, key=_used_at, reverse=True)

    def _prune(self) -> None:
        last = self.last()
        kept = self._path(last) if last else None
        for path in self._versions()[KEPT:]:
            if path != kept:
                shutil.rmtree(path, ignore_errors=True)


def _used_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process has pruned it meanwhile
        return 0.0
