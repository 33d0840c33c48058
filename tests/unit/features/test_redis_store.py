"""One behaviour, two back ends: a row online is absent or complete, whoever writes, in whatever order."""

import socket
from collections.abc import Iterator

import fakeredis
import pytest
from redis import Redis

from events.errors import Unavailable
from features import redis_store
from features.batch_reading import decode_values, encode_values
from features.heartbeats import Heartbeat
from features.keys import POSITION_KEY
from features.reading import Values
from features.redis_store import Appended, RedisStore
from features.segments import SMALLEST_CAP
from tests.unit.features.shelf import (
    DAY,
    NOW,
    TTL_S,
    VIEW,
    beat,
    begin,
    delta,
    key,
    known,
    row,
    segment,
    standing,
)


@pytest.fixture(params=["fakeredis", pytest.param("redis", marks=pytest.mark.integration)])
def client(request: pytest.FixtureRequest) -> Iterator[Redis]:
    """Another connection to the same Redis."""
    if request.param == "redis":
        made = Redis.from_url(request.getfixturevalue("features_url"))
    else:
        made = fakeredis.FakeRedis(server=fakeredis.FakeServer())
    yield made
    made.close()


@pytest.fixture
def store(client: Redis) -> RedisStore:
    return RedisStore("redis://given", connect=lambda *_, **__: client)


class TestAppend:
    def test_what_is_not_there_is_said_to_be_absent(self, store: RedisStore) -> None:
        assert store.append(0, 0, beat(10), [delta("a", NOW)]) == Appended(absent=(key("a"),))
        assert standing(store, "a") is None
        assert store.heartbeats().position(0) == 10

    def test_a_row_that_is_there_gets_its_part(self, store: RedisStore) -> None:
        begin(store, [10])
        store.put([row("a", segment(0, 10, NOW)), row("b", segment(0, 10, NOW))], known([10]))
        assert store.append(0, 10, beat(20), [delta("a", NOW + 2, NOW + 1)]) == Appended()
        assert standing(store, "a") == {0: (20, [NOW, NOW + 2, NOW + 1])}
        assert standing(store, "b") == {0: (10, [NOW])}

    def test_an_unknown_entity_begins_with_it(self, store: RedisStore, client: Redis) -> None:
        begin(store, [10])
        store.put([row("a", ttl_s=60)], known([10]))
        assert store.append(0, 10, beat(20), [delta("a", NOW)]) == Appended()
        assert standing(store, "a") == {0: (20, [NOW])}
        assert client.ttl(key("a")) > 60

    @pytest.mark.parametrize("position", [5, 2**40], ids=["a young topic", "an old topic"])
    def test_repeated_it_adds_nothing(self, store: RedisStore, position: int) -> None:
        begin(store, [position])
        store.put([row("a", segment(0, position, NOW))], known([position]))
        for _ in range(3):
            assert store.append(0, position, beat(position + 5), [delta("a", NOW + 1)]) == Appended()
        assert standing(store, "a") == {0: (position + 5, [NOW, NOW + 1])}

    def test_repeated_it_names_again_what_was_absent(self, store: RedisStore) -> None:
        for _ in range(2):
            assert store.append(0, 0, beat(10), [delta("a", NOW)]).absent == (key("a"),)

    @pytest.mark.parametrize(
        ("base", "position"),
        [
            pytest.param(15, 25, id="a batch before it is lacking"),
            pytest.param(0, 5, id="another member is further"),
        ],
    )
    def test_where_the_heartbeat_stands_elsewhere_nothing_is_added(
        self, store: RedisStore, base: int, position: int
    ) -> None:
        begin(store, [10])
        store.put([row("a", segment(0, 10, NOW))], known([10]))
        assert store.append(0, base, beat(position), [delta("a", NOW + 1)]) == Appended(behind=10)
        assert standing(store, "a") == {0: (10, [NOW])}
        assert store.heartbeats().position(0) == 10

    def test_partitions_add_up_in_segments_of_their_own(self, store: RedisStore) -> None:
        begin(store, [10, 10])
        store.put([row("a", segment(0, 10, NOW))], known([10, 10]))
        store.append(1, 10, beat(11), [delta("a", NOW + 1)])
        store.append(0, 10, beat(12), [delta("a", NOW + 2)])
        store.append(1, 11, beat(13), [delta("a", NOW + 3)])
        assert standing(store, "a") == {0: (12, [NOW, NOW + 2]), 1: (13, [NOW + 1, NOW + 3])}

    @pytest.mark.parametrize(
        ("stored", "added", "crowded"),
        [
            pytest.param([NOW], [NOW + 1], False, id="a short row"),
            pytest.param([NOW - 3 * DAY], [NOW], False, id="what is folded now would be asked for soon"),
            pytest.param([NOW - 5 * DAY], [NOW], True, id="it reaches back beyond horizon and slack"),
            pytest.param([NOW], [NOW - 5 * DAY, NOW], True, id="a late event reaches back as far"),
            pytest.param([NOW] * SMALLEST_CAP, [NOW], False, id="a long one, which may be twice as long"),
            pytest.param([NOW] * 3, [NOW + n for n in range(SMALLEST_CAP)], True, id="too many at once"),
        ],
    )
    def test_a_row_that_has_grown_too_long_is_named(
        self, store: RedisStore, stored: list[int], added: list[int], crowded: bool
    ) -> None:
        begin(store, [10])
        store.put([row("a", segment(0, 10, *stored))], known([10]))
        appended = store.append(0, 10, beat(20), [delta("a", *added)])
        assert appended.crowded == ((key("a"),) if crowded else ())
        assert standing(store, "a") == {0: (20, stored + added)}

    def test_a_row_that_ends_within_the_batch_is_taken_away(self, store: RedisStore) -> None:
        begin(store, [10])
        store.put([row("a", segment(0, 15, NOW))], known([15]))
        assert store.append(0, 10, beat(20), [delta("a", NOW, NOW + 1)]).absent == (key("a"),)
        assert standing(store, "a") is None

    def test_bytes_that_are_no_row_are_taken_away_and_absent(self, store: RedisStore, client: Redis) -> None:
        begin(store, [10])
        client.set(key("a"), b"\x01\x00\x00half of a header")
        assert store.append(0, 10, beat(20), [delta("a", NOW)]).absent == (key("a"),)
        assert client.get(key("a")) is None

    def test_a_key_that_is_no_text_is_taken_away_and_the_rest_of_the_batch_goes_on(
        self, store: RedisStore, client: Redis
    ) -> None:
        begin(store, [10])
        store.put([row("b", segment(0, 10, NOW))], known([10]))
        client.rpush(key("a"), "not ours")
        appended = store.append(0, 10, beat(20), [delta("a", NOW), delta("b", NOW + 1)])
        assert appended == Appended(absent=(key("a"),))
        assert standing(store, "b") == {0: (20, [NOW, NOW + 1])}

    def test_more_rows_than_a_script_takes_all_get_their_part(self, store: RedisStore) -> None:
        names = [f"c-{number}" for number in range(2 * redis_store.ROWS_PER_SCRIPT + 1)]
        begin(store, [10])
        store.put([row(name, segment(0, 10)) for name in names[1:]], known([10]))
        appended = store.append(0, 10, beat(20), [delta(name, NOW) for name in names])
        assert appended == Appended(absent=(key(names[0]),))
        assert all(standing(store, name) == {0: (20, [NOW])} for name in names[1:])
        assert store.heartbeats().position(0) == 20


class TestPut:
    @pytest.mark.parametrize(
        ("position", "expected"),
        [
            pytest.param(9, (10, [NOW, NOW + 1]), id="one that knows less changes nothing"),
            pytest.param(10, (10, [NOW + 9]), id="one that knows as much takes its place: it may be folded"),
            pytest.param(11, (11, [NOW + 9]), id="one that knows more takes its place"),
        ],
    )
    def test_of_each_segment_that_stays_which_knows_more(
        self, store: RedisStore, position: int, expected: tuple[int, list[int]]
    ) -> None:
        begin(store, [10, 10])
        store.put([row("a", segment(0, 10, NOW, NOW + 1), segment(1, 10, NOW))], known([10, 10]))
        assert store.put([row("a", segment(0, position, NOW + 9))], known([position, 10])) == ()
        assert standing(store, "a") == {0: expected, 1: (10, [NOW])}

    def test_an_append_before_it_is_not_undone(self, store: RedisStore) -> None:
        begin(store, [10])
        late = row("a", segment(0, 10, NOW))
        store.put([late], known([10]))
        store.append(0, 10, beat(20), [delta("a", NOW + 1)])
        assert store.put([late], known([10])) == ()
        assert standing(store, "a") == {0: (20, [NOW, NOW + 1])}

    def test_an_append_after_it_does_not_add_what_it_held(self, store: RedisStore) -> None:
        begin(store, [10])
        store.put([row("a", segment(0, 20, NOW, NOW + 1))], known([20]))
        assert store.append(0, 10, beat(20), [delta("a", NOW + 1)]) == Appended()
        assert standing(store, "a") == {0: (20, [NOW, NOW + 1])}

    def test_an_absent_row_that_was_passed_over_meanwhile_stays_absent(self, store: RedisStore) -> None:
        begin(store, [10])
        read_from_sql = row("a", segment(0, 10, NOW))
        assert store.append(0, 10, beat(20), [delta("a", NOW + 1)]).absent == (key("a"),)
        assert store.put([read_from_sql], known([10])) == (key("a"),)
        assert standing(store, "a") is None

    def test_nor_is_it_let_in_while_the_rest_of_that_batch_is_still_to_come(
        self, store: RedisStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(redis_store, "ROWS_PER_SCRIPT", 1)
        refused: list[str] = []

        class Interrupted(RedisStore):
            """Between two scripts of a batch somebody puts what he read before it."""

            def _run(self, script: object, keys: object, arguments: object) -> list[object]:
                answer: list[object] = super()._run(script, keys, arguments)  # type: ignore[arg-type]
                refused.extend(store.put([row("a", segment(0, 10, NOW))], known([10])))
                return answer

        begin(store, [10])
        interrupted = Interrupted("redis://given", connect=lambda *_, **__: store._redis)
        interrupted.append(0, 10, beat(20), [delta("a", NOW + 1), delta("b", NOW + 1)])
        assert refused == [key("a")] * 2
        assert standing(store, "a") is None

    def test_what_sql_knows_already_a_row_that_was_read_before_must_know_too(self, store: RedisStore) -> None:
        begin(store, [10])
        assert store.put([row("a", segment(0, 20, NOW))], known([20])) == ()
        assert store.put([row("b", segment(0, 10, NOW))], known([10])) == (key("b"),)
        assert store.heartbeats().position(0) == 10

    @pytest.mark.parametrize(
        ("beating", "positions", "put"),
        [
            pytest.param([], [10, 10], False, id="no partition yet"),
            pytest.param([10], [10, 10], False, id="one of the two"),
            pytest.param([10, 10], [10, 10], True, id="both"),
            pytest.param([], [], True, id="nothing was ever counted"),
        ],
    )
    def test_an_emptied_redis_lets_rows_in_once_every_partition_has_said_where_it_is(
        self, store: RedisStore, beating: list[int], positions: list[int], put: bool
    ) -> None:
        begin(store, beating)
        refused = store.put([row("a", segment(-1, 3, NOW))], {**known(positions), -1: 3})
        assert refused == (() if put else (key("a"),))

    def test_bytes_that_are_no_row_give_way(self, store: RedisStore, client: Redis) -> None:
        begin(store, [10])
        client.set(key("a"), b"something else")
        store.put([row("a", segment(0, 10, NOW))], known([10]))
        assert standing(store, "a") == {0: (10, [NOW])}

    def test_it_lives_as_long_as_it_is_told_and_no_shorter_than_before(
        self, store: RedisStore, client: Redis
    ) -> None:
        begin(store, [10])
        store.put([row("a", segment(0, 10, NOW)), row("b", ttl_s=60)], known([10]))
        store.put([row("a", ttl_s=60)], known([10]))
        assert TTL_S - 5 <= client.ttl(key("a")) <= TTL_S
        assert 55 <= client.ttl(key("b")) <= 60

    def test_an_append_gives_the_view_s_time_to_live(self, store: RedisStore, client: Redis) -> None:
        begin(store, [10])
        store.put([row("a", segment(0, 10, NOW), ttl_s=60)], known([10]))
        store.append(0, 10, beat(20), [delta("a", NOW)])
        assert client.ttl(key("a")) > TTL_S - 5


class TestHeartbeats:
    def test_they_come_with_the_rows(self, store: RedisStore) -> None:
        store.append(0, 0, Heartbeat(2**45, 1_763_740_000_123, 1_763_739_999_456), [])
        store.append(-1, 0, Heartbeat(7, 0, 5), [])
        _, beats = store.read([key("a")])
        assert beats.partitions == {
            0: Heartbeat(2**45, 1_763_740_000_123, 1_763_739_999_456),
            -1: Heartbeat(7, 0, 5),
        }

    def test_their_times_never_go_back(self, store: RedisStore) -> None:
        store.append(0, 0, Heartbeat(5, 1_000, 900), [])
        store.append(0, 5, Heartbeat(5, 2_000, 0), [])
        store.append(0, 5, Heartbeat(6, 1_500, 800), [])
        assert store.heartbeats().partitions[0] == Heartbeat(6, 2_000, 900)

    def test_lines_that_nobody_wrote_are_as_good_as_absent(self, store: RedisStore, client: Redis) -> None:
        client.set(
            POSITION_KEY,
            b"\xff\xfe\n0 x y z w\n1 2 3\n3 5 5 7 8\ncatalogue 9\n"
            b"-100 5 5 1 1\n1000000000000 5 5 1 1\n0 -7 0 1 1\n0 18446744073709551615 0 1 1",
        )
        beats = store.heartbeats()
        assert beats.partitions == {3: Heartbeat(5, 7, 8)}
        assert beats.views == {"catalogue": 9}

    @pytest.mark.parametrize("line", ["0 x", "0 x 1 2 3", "x", "0 1 2 3 4 5"])
    def test_a_line_that_nobody_wrote_stops_no_batch(
        self, line: str, store: RedisStore, client: Redis
    ) -> None:
        client.set(POSITION_KEY, line)
        assert store.append(0, 30, beat(40), []) == Appended()
        assert store.heartbeats().position(0) == 40


class TestBatchViews:
    @pytest.mark.parametrize(
        ("second", "stands"),
        [
            pytest.param(Values(9, {"v": 2.0}), 10, id="an older one changes nothing"),
            pytest.param(Values(10, {"v": 2.0}), 10, id="one of the same time takes its place"),
            pytest.param(Values(2**42, {"v": 2.0}), 2**42, id="a later one takes its place"),
        ],
    )
    def test_the_later_values_stand(self, store: RedisStore, second: Values, stands: int) -> None:
        store.put_values("catalogue", [("k", encode_values(Values(10, {"v": 1.0})), 60)])
        store.put_values("catalogue", [("k", encode_values(second), 60)])
        ((value,), _) = store.read(["k"])
        found = decode_values(value)
        assert found is not None
        assert (found.event_time, found.values["v"] == 2.0) == (stands, second.event_time >= 10)

    def test_what_is_none_gives_way(self, store: RedisStore, client: Redis) -> None:
        client.set("k", b"?")
        store.put_values("catalogue", [("k", encode_values(Values(10, {"v": "x"})), 60)])
        assert decode_values(store.read(["k"])[0][0]) == Values(10, {"v": "x"})
        assert 55 <= client.ttl("k") <= 60

    def test_when_it_was_materialised_never_goes_back(self, store: RedisStore) -> None:
        for as_of in (1_763_740_000_000, 1_763_740_000_001, 5):
            store.put_values("catalogue", [], as_of)
        begin(store, [3])
        beats = store.heartbeats()
        assert beats.views == {"catalogue": 1_763_740_000_001}
        assert beats.offsets == {0: 3}


class TestWhereRedisFails:
    def test_a_store_that_is_down_is_named(self) -> None:
        down = fakeredis.FakeServer()
        down.connected = False
        store = RedisStore("redis://x", connect=lambda url, **_: fakeredis.FakeRedis(server=down))
        for call in (
            lambda: store.read(["k"]),
            lambda: store.append(0, 0, beat(1), []),
            lambda: store.put([row("a")], {}),
            lambda: store.put_values("catalogue", [], 5),
        ):
            with pytest.raises(Unavailable, match="feature store is unavailable"):
                call()

    def test_a_store_that_hangs_is_given_up_after_its_timeout(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            store = RedisStore(f"redis://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.05)
            with pytest.raises(Unavailable, match="feature store"):
                store.read(["k"])
            store.close()

    @pytest.mark.integration
    def test_the_answer_to_a_read_that_was_cut_short_is_nobody_elses(self, features_url: str) -> None:
        class TimeLimitError(Exception):
            """What Celery raises in the midst of anything."""

        def cut_short() -> None:
            raise TimeLimitError

        store = RedisStore(features_url)
        with Redis.from_url(features_url) as other:
            other.mset({"a": "of a", "b": "of b"})
        for _ in range(2):
            with pytest.raises(TimeLimitError):
                store.read_while(["a"], cut_short)
            assert store.read(["b"])[0] == [b"of b"]
        store.close()

    @pytest.mark.integration
    def test_a_redis_that_lost_its_scripts_is_given_them_again(self, features_url: str) -> None:
        store = RedisStore(features_url)
        begin(store, [10])
        with Redis.from_url(features_url) as other:
            other.script_flush()
        begin(store, [10])
        assert store.put([row("a")], known([10])) == ()
        store.close()


def test_the_view_of_these_tests_folds_after_three_days() -> None:
    assert (VIEW.horizon_tiles + VIEW.slack_tiles) / DAY == 3
