"""The online store: rows in one Redis, read in one command, merged by Lua scripts.

A row is absent, or complete up to where its segments and the heartbeats say. So whoever writes is checked: an
`append` must begin where the heartbeat stands, and a row that was absent must know as much as all others.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import RedisError

from events.decision import Millis
from events.errors import Unavailable
from features.heartbeats import Heartbeat, Heartbeats, parse_heartbeats
from features.keys import POSITION_KEY
from features.position import Offsets, offsets_text
from features.segments import SMALLEST_CAP
from features.views import DAY_S, StreamView
from transport import metrics
from transport.redis_address import connect_redis

__all__ = ["Appended", "Delta", "Heartbeat", "Heartbeats", "RedisStore"]

DEPENDENCY = "feature store"
ROWS_PER_SCRIPT = 64
"""A script holds up every other client, for about 16 us a row: a read waits a millisecond at most."""

T = TypeVar("T")

_SCRIPTS = Path(__file__).with_name("scripts")


class Delta(NamedTuple):
    """What a batch adds to one row: at least one of `features.increments.encode_increments`."""

    key: str
    view: StreamView
    increments: bytes


class Appended(NamedTuple):
    """What an append did.

    The rows of `absent` were not there, those of `crowded` have grown too long: put both again from the
    offline tier. Where `behind` is not None nothing was appended: the heartbeat is at that offset.
    """

    absent: tuple[str, ...] = ()
    crowded: tuple[str, ...] = ()
    behind: int | None = None


class RedisStore:
    """The online tier in one Redis (or Valkey). Make it after the fork.

    Each call waits `timeout_s` at most for an answer, twice where the connection had gone stale. `connect`
    makes the client: tests hand in another Redis. Every method raises `Unavailable`.
    """

    def __init__(
        self, url: str, *, timeout_s: float = 1.0, connect: Callable[..., Redis] = connect_redis
    ) -> None:
        self._redis = connect(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            socket_keepalive=True,
        )
        self._longest = _Longest()
        self._append, self._put, self._put_values = (
            self._redis.register_script(_script(name)) for name in ("append", "put", "put_values")
        )

    def read(self, keys: Sequence[str]) -> tuple[list[bytes | None], Heartbeats]:
        """The bytes under each key, and the heartbeats of the same moment, in one round trip."""
        values, beats, _ = self.read_while(keys, _nothing)
        return values, beats

    def read_while(
        self, keys: Sequence[str], prepare: Callable[[], T]
    ) -> tuple[list[bytes | None], Heartbeats, T]:
        """As `read`; and what `prepare` gives, which runs while Redis looks."""
        try:
            try:
                (beats, *values), prepared = self._mget(keys, prepare)
            except LostConnection:
                # one that a restarted Redis closed is replaced; waiting longer is the caller's policy
                (beats, *values), prepared = self._mget(keys, prepare)
        except RedisError as error:
            raise Unavailable(DEPENDENCY, error) from error
        return values, parse_heartbeats(beats), prepared

    def _mget(self, keys: Sequence[str], prepare: Callable[[], T]) -> tuple[list[bytes | None], T]:
        # the client's own `mget` takes 40 us more for one key, and twice as long for 256
        pool = self._redis.connection_pool
        connection = pool.get_connection()
        try:
            connection.send_command("MGET", POSITION_KEY, *keys)  # type: ignore[no-untyped-call]  # theirs
            prepared = prepare()
            found: list[bytes | None] = connection.read_response()
        except BaseException:
            # a time limit may strike anywhere: the answer would be taken for that of the next read
            connection.disconnect()  # type: ignore[no-untyped-call]  # theirs
            raise
        finally:
            pool.release(connection)
        return found, prepared

    def heartbeats(self) -> Heartbeats:
        """How far the online tier is."""
        return self.read(())[1]

    def append(self, partition: int, base: int, heartbeat: Heartbeat, deltas: Sequence[Delta]) -> Appended:
        """Add what the records of `partition` from `base` up to `heartbeat.position` brought.

        May be repeated. The heartbeat moves once every row has its part; with `base` at its position and no
        deltas, only its times do. After `behind`, put every row with increments since then, and append
        nothing from there.
        """
        place = (partition, struct.pack("<h", partition), base, *heartbeat)
        absent: list[str] = []
        crowded: list[str] = []
        for first in range(0, max(len(deltas), 1), ROWS_PER_SCRIPT):
            chunk = deltas[first : first + ROWS_PER_SCRIPT]
            last = "last" if first + ROWS_PER_SCRIPT >= len(deltas) else "more"
            rows = (part for delta in chunk for part in (delta.increments, *_limits(delta.view)))
            done, *said = self._run(self._append, [delta.key for delta in chunk], (*place, last, *rows))
            if not done:
                return Appended(behind=said[0])
            absent.extend(chunk[at].key for at in said[0])
            crowded.extend(chunk[at].key for at in said[1])
            self._longest.saw(chunk, *said[2:])
        return Appended(tuple(absent), tuple(crowded))

    def put(self, rows: Iterable[tuple[str, bytes, int]], known: Offsets) -> tuple[str, ...]:
        """Put whole rows (key, bytes, seconds to live) that were read when SQL stood at `known`.

        A row that is there already takes over what it did not know. Returns the keys that stay absent, since
        the online tier is further by now, or has just been emptied: their next reader will put them.
        """
        offsets = offsets_text(known)
        refused: list[str] = []
        remaining = iter(rows)
        while chunk := list(islice(remaining, ROWS_PER_SCRIPT)):
            keys = [key for key, _, _ in chunk]
            arguments = (part for _, row, ttl_s in chunk for part in (row, ttl_s))
            said = self._run(self._put, keys, (offsets, *arguments))
            refused.extend(keys[at] for at in said)
        return tuple(refused)

    def drop(self, keys: Sequence[str]) -> None:
        """Take rows away: one that is absent is read from the offline tier."""
        try:
            self._redis.unlink(*keys)
        except RedisError as error:
            raise Unavailable(DEPENDENCY, error) from error

    def put_values(
        self, view: str, rows: Iterable[tuple[str, bytes, int]], as_of: Millis | None = None
    ) -> None:
        """Put rows of a batch view (key, `encode_values`, seconds to live), none in place of a later one.

        `as_of` (epoch ms) then says up to when all that its table holds stands online.
        """
        remaining = iter(rows)
        while chunk := list(islice(remaining, ROWS_PER_SCRIPT)):
            arguments = (part for _, row, ttl_s in chunk for part in (row, ttl_s))
            self._run(self._put_values, [key for key, _, _ in chunk], (view, "", *arguments))
        if as_of is not None:
            self._run(self._put_values, [], (view, as_of))

    def close(self) -> None:
        """Give the connection back."""
        self._redis.close()

    def _run(self, script: Script, keys: Sequence[str], arguments: Sequence[Any]) -> list[Any]:
        try:
            answer: list[Any] = script(keys=[POSITION_KEY, *keys], args=arguments)
        except RedisError as error:
            raise Unavailable(DEPENDENCY, error) from error
        return answer


class _Longest:
    """The longest row of each view that was added to, as a metric."""

    def __init__(self) -> None:
        self._bytes: dict[str, int] = {}

    def saw(self, deltas: Sequence[Delta], length: int, place: int) -> None:
        """The row of `deltas[place]` has so many bytes, which is the most of theirs; 0 if none was there."""
        if length and length > self._bytes.get(name := deltas[place].view.name, 0):
            self._bytes[name] = length
            metrics.FEATURE_LONGEST_ROW.labels(name).set(length)


def _nothing() -> None:
    pass


def _limits(view: StreamView) -> tuple[int, int, int]:
    span = view.horizon_tiles + view.slack_tiles + view.slack_tiles // 2 + 1
    return view.ttl_days * DAY_S, span, SMALLEST_CAP


def _script(name: str) -> str:
    return "".join((_SCRIPTS / f"{part}.lua").read_text() for part in ("common", name))
