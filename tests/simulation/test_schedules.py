"""Every event is decided once and nothing is lost, whatever breaks in whatever order."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.playing import Tally, play, report
from tests.simulation.world import FAULTS

SCHEDULES = 2_000
CHUNKS = 20


@pytest.fixture(scope="module")
def played() -> Tally:
    """What the chunks of this module came to."""
    return Tally()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_property_holds(chunk: int, played: Tally) -> None:
    size = SCHEDULES // CHUNKS
    tally = play(range(chunk * size, (chunk + 1) * size))
    played.add(tally)
    if tally.failed:
        pytest.fail(report(tally.failed[0].seed), pytrace=False)


def test_every_fault_has_struck_in_many_schedules(played: Tally) -> None:
    if played.schedules < SCHEDULES:
        pytest.skip("only a part of the schedules was played")
    seldom = {kind: played.with_fault[kind] for kind in FAULTS if played.with_fault[kind] < SCHEDULES // 50}
    assert not seldom
    assert played.fed_again > SCHEDULES // 2
    assert played.doubled > SCHEDULES // 2


def test_a_seed_plays_the_same_schedule_in_every_process() -> None:
    script = "from tests.simulation.playing import report; print(report(5), report(6), report(7))"
    texts = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            check=True,
        ).stdout
        for salt in ("1", "2")
    }
    assert len(texts) == 1
