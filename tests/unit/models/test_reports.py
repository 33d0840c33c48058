"""What processes say of the version that they serve is known for as long as they say it."""

import pytest
from fakeredis import FakeServer, FakeStrictRedis
from redis import Redis

from events.errors import Unavailable
from models.reports import SILENT_MS, Report, Reports


class Ticking(FakeStrictRedis):
    """A Redis whose clock stands still until it is moved."""

    moment = 1_800_000_000_000

    def time(self, **_: object) -> tuple[int, int]:
        return Ticking.moment // 1_000, Ticking.moment % 1_000 * 1_000


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> Reports:
    monkeypatch.setattr(Ticking, "moment", 1_800_000_000_000)
    return Reports(Ticking(server=FakeServer()))


def said(worker: str, number: str = "1", trouble: str = "") -> Report:
    return Report(worker, number, "d" * 64, 7, trouble)


def test_each_process_has_one_word_and_it_is_the_last(reports: Reports) -> None:
    reports.say("oracle", said("b:2"))
    reports.say("oracle", said("a:1"))
    reports.say("oracle", said("a:1", "2", trouble="registry is down"))
    found = reports.read("oracle")
    assert [(each.worker, each.version, each.trouble) for each in found] == [
        ("a:1", "2", "registry is down"),
        ("b:2", "1", ""),
    ]
    assert found[0].at == Ticking.moment
    assert reports.read("another") == []


def test_who_is_silent_for_too_long_is_not_counted(reports: Reports, monkeypatch: pytest.MonkeyPatch) -> None:
    reports.say("oracle", said("a:1"))
    monkeypatch.setattr(Ticking, "moment", Ticking.moment + SILENT_MS)
    reports.say("oracle", said("b:2"))
    assert [each.worker for each in reports.read("oracle")] == ["a:1", "b:2"]
    monkeypatch.setattr(Ticking, "moment", Ticking.moment + 1)
    assert [each.worker for each in reports.read("oracle")] == ["b:2"]


def test_a_redis_that_is_away_is_unavailable() -> None:
    away = Reports(Redis.from_url("redis://127.0.0.1:9/0", socket_connect_timeout=0.2))
    with pytest.raises(Unavailable, match="redis is unavailable"):
        away.read("oracle")
