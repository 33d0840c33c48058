"""A snapshot comes back as it was written; a line that is none is named."""

from pathlib import Path

import pytest

from events.errors import ConfigError
from features.online import EntityKey, FeatureRow
from features.snapshot import SnapshotRow, read_snapshot, write_snapshot


def test_rows_come_back_under_the_tenant_that_loads_them(tmp_path: Path) -> None:
    row = FeatureRow(1_531_699_200_000, {"customer_mean_amount_7d": 1 / 3})
    path = tmp_path / "rows.jsonl"
    assert write_snapshot(path, [SnapshotRow("customer", "7", row), SnapshotRow("terminal", "é", row)]) == 2
    assert list(read_snapshot(path, "acme")) == [
        (EntityKey("acme", "customer", "7"), row),
        (EntityKey("acme", "terminal", "é"), row),
    ]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        pytest.param(b"not json\n", ":1:", id="the first line is no JSON"),
        pytest.param(
            b'{"entity":"customer","id":"1","row":{"event_time":0,"values":{}}}\n{"entity":"customer"}\n',
            ":2:",
            id="the second line lacks its id",
        ),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, content: bytes, place: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"{place} is not a feature row"):
        list(read_snapshot(path, "acme"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.jsonl: cannot be read: No such file"):
        list(read_snapshot(tmp_path / "nowhere.jsonl", "acme"))
