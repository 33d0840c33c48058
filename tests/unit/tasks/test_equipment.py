"""Resources that the threads of a worker share, and those that they do not."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from features.contract import Contract
from features.offline.store import open_offline
from features.reading import Asked, FeatureVector
from features.retail import DEFINITIONS
from tasks.equipment import Addresses, Equipment, Readers
from tests.unit.features.misread import misread_database
from tests.unit.tasks.fakes import KNOWN, NEEDS


def test_each_thread_reads_features_over_a_connection_of_its_own() -> None:
    asked_by: list[set[str]] = []

    class Reader:
        def __init__(self) -> None:
            self.threads: set[str] = set()
            asked_by.append(self.threads)

        def read(self, contract: Contract, asked: Sequence[Asked]) -> Sequence[FeatureVector]:
            self.threads.add(threading.current_thread().name)
            return [KNOWN]

    readers = Readers(Reader)

    def ask_twice() -> None:
        for _ in range(2):
            assert readers.read(NEEDS, []) == [KNOWN]

    threads = [threading.Thread(target=ask_twice, name=name) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(sorted, asked_by)) == [["one"], ["other"]]


def connect(database: str) -> Equipment:
    return Equipment.connect(Addresses("127.0.0.1:9", "redis://127.0.0.1:9/0", database), 1_000)


def test_a_worker_does_not_start_on_features_that_it_would_misread(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SystemExit):
        connect(misread_database(tmp_path))
    assert "customer_orders" in caplog.text
    assert "signalbox features backfill" in caplog.text


def test_a_worker_starts_on_features_of_its_own_layout(tmp_path: Path) -> None:
    store = open_offline(f"sqlite:///{tmp_path}/features.db")
    store.create(DEFINITIONS)
    store.close()
    connect(f"sqlite:///{tmp_path}/features.db")


@pytest.mark.parametrize(
    "database",
    [
        pytest.param("features.db", id="without tables"),
        pytest.param("no/such/folder/features.db", id="that cannot be reached"),
    ],
)
def test_a_worker_starts_without_a_database(tmp_path: Path, database: str) -> None:
    connect(f"sqlite:///{tmp_path}/{database}")
