"""What the reconciler reads at given offsets of a topic in which any producer wrote any time."""

import pytest

from dispatcher.lane_access import LaneAccess
from tests.integration.dispatcher.ground import NOW, Ground
from tests.raw_producer import RawProducer

LATER = NOW + 10_000


@pytest.mark.parametrize(
    "strange",
    [
        pytest.param(-1, id="none"),
        pytest.param(NOW // 1_000, id="seconds"),
        pytest.param(NOW * 1_000, id="microseconds"),
        pytest.param(2**63 - 1, id="the largest"),
    ],
)
def test_a_time_that_cannot_be_is_not_believed(ground: Ground, strange: int) -> None:
    with RawProducer(ground.kafka) as producer:
        for time in (strange, NOW - 5_000):
            producer.produce(ground.source, b"of any kind", timestamp=time, partition=0)
            producer.flush()
        producer.produce(ground.source, b"of any kind", timestamp=NOW - 9_000, partition=1)
    if producer.failed:
        pytest.skip("this broker takes no such time")
    lanes = LaneAccess(ground.kafka)
    strange_one, sound_one, other = {(ground.source, 0): 0}, {(ground.source, 0): 1}, {(ground.source, 1): 0}
    try:
        assert lanes.timestamps(strange_one | other, LATER) == {
            (ground.source, 0): NOW - 5_000,
            (ground.source, 1): NOW - 9_000,
        }
        assert lanes.oldest(sound_one | other, LATER) == NOW - 9_000
        assert lanes.oldest(strange_one | other, LATER) == 0, "it may be as old as any"
    finally:
        lanes.close()


def test_of_records_that_are_not_there_no_time_is_known(ground: Ground) -> None:
    lanes = LaneAccess(ground.kafka)
    try:
        assert lanes.timestamps({(ground.source, 0): 0}, NOW) == {}
        assert lanes.oldest({(ground.source, 0): 0}, NOW) == 0
    finally:
        lanes.close()
