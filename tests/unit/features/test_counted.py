"""The time up to which every event is known, by both tiers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import insert

from features.counted import counted_until
from features.heartbeats import Heartbeat, Heartbeats
from features.offline.store import open_offline
from features.offline.tables import OFFSETS
from features.retail import DEFINITIONS


@dataclass
class Online:
    """An online tier that says this of itself."""

    partitions: Mapping[int, Heartbeat]

    def heartbeats(self) -> Heartbeats:
        return Heartbeats(self.partitions, {}, {})


@pytest.mark.parametrize(
    ("stored", "online", "until"),
    [
        pytest.param({}, {}, None, id="nothing was counted yet"),
        pytest.param({-1: (9, 900)}, {}, None, id="a backfill alone"),
        pytest.param({0: (5, 100), 1: (5, 200)}, {}, 100, id="Redis was emptied: SQL alone"),
        pytest.param(
            {0: (5, 100), 1: (5, 200)},
            {0: (5, 300), 1: (5, 310)},
            300,
            id="nothing came since, which only Redis knows",
        ),
        pytest.param(
            {0: (5, 100)}, {0: (5, 300), 1: (0, 310)}, 300, id="a partition that nothing ever came to"
        ),
        pytest.param({0: (5, 100)}, {0: (5, 300), 1: (2, 310)}, 0, id="SQL lost a partition"),
        pytest.param({0: (5, 100)}, {0: (6, 300)}, 100, id="SQL was put back to a copy"),
        pytest.param({0: (5, 400)}, {0: (4, 300)}, 400, id="Redis is behind"),
        pytest.param({0: (5, 100), 1: (5, 200)}, {1: (5, 300)}, 100, id="one partition is read to its end"),
    ],
)
def test_up_to_when(
    tmp_path: Path,
    stored: Mapping[int, tuple[int, int]],
    online: Mapping[int, tuple[int, int]],
    until: int | None,
) -> None:
    store = open_offline(f"sqlite:///{tmp_path}/store.db")
    store.create(DEFINITIONS)
    with store.database.creating() as connection:
        for partition, (position, as_of) in stored.items():
            stand = {"next_offset": position, "as_of": as_of, "clock": as_of}
            connection.execute(insert(OFFSETS).values(topic="t", partition=partition, **stand))
    beats = Online({partition: Heartbeat(*place, 0) for partition, place in online.items()})
    assert counted_until(store.database, beats) == until
    store.close()
