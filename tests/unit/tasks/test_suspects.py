"""Whether work on an event had begun when its worker was lost."""

from collections.abc import Callable

import pytest
from fakeredis import FakeServer, FakeStrictRedis

from events.errors import Unavailable
from tasks.suspects import Suspects


def test_what_began_and_did_not_end_had_begun() -> None:
    suspects = Suspects(FakeStrictRedis())

    assert not suspects.had_begun("lane[3]@1200+1~1")
    suspects.begin("lane[3]@1200+1~1")
    assert suspects.had_begun("lane[3]@1200+1~1")
    assert not suspects.had_begun("lane[3]@1201+1~1")
    suspects.end("lane[3]@1200+1~1")
    assert not suspects.had_begun("lane[3]@1200+1~1")


def test_a_note_does_not_stand_for_ever() -> None:
    redis = FakeStrictRedis()

    Suspects(redis).begin("t")

    assert [0 < redis.ttl(key) <= 86_400 for key in redis.scan_iter()] == [True]


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda suspects: suspects.begin("t"), id="begin"),
        pytest.param(lambda suspects: suspects.had_begun("t"), id="had begun"),
        pytest.param(lambda suspects: suspects.end("t"), id="end"),
    ],
)
def test_a_redis_that_is_down_is_waited_for(call: Callable[[Suspects], object]) -> None:
    server = FakeServer()
    server.connected = False

    with pytest.raises(Unavailable):
        call(Suspects(FakeStrictRedis(server=server)))
