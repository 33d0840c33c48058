"""Which values did the online store hold at one moment? Written by training, loaded into a store."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from events.errors import ConfigError, Problem
from features.online import EntityKey, FeatureRow

SNAPSHOT_FILE = "online_features.jsonl"


class SnapshotRow(msgspec.Struct, frozen=True):
    """One line of the file: JSON. The tenant is named when it is loaded."""

    entity: str
    id: str
    row: FeatureRow


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SnapshotRow).decode


def write_snapshot(path: Path, rows: Iterable[SnapshotRow]) -> int:
    """Write one line for each row; how many there were."""
    count = 0
    with path.open("wb") as file:
        for count, row in enumerate(rows, start=1):  # noqa: B007  # it is what is returned
            file.write(_encode(row) + b"\n")
    return count


def read_snapshot(path: Path, tenant_id: str) -> Iterator[tuple[EntityKey, FeatureRow]]:
    """The rows as a store takes them. Raises `ConfigError` naming the line that is not one."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield _parsed(line, path, number, tenant_id)
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, "", f"cannot be read: {error.strerror}")]) from error


def _parsed(line: bytes, path: Path, number: int, tenant_id: str) -> tuple[EntityKey, FeatureRow]:
    try:
        found = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(str(path), number, "", f"is not a feature row: {error}")]) from error
    return EntityKey(tenant_id, found.entity, found.id), found.row
