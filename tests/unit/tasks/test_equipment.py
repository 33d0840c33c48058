"""What do the threads of a worker share, and what not?"""

import threading
from collections.abc import Sequence

from features.contract import Contract
from features.reading import Asked, FeatureVector
from tasks.equipment import Readers
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
