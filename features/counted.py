"""The completeness watermark of the offline store: up to when it knows every event."""

from typing import Protocol

from events.decision import Millis
from features.heartbeats import Heartbeat, Heartbeats, as_of
from features.offline.reading import heartbeats
from features.offline.tables import OFFLINE_STORE
from transport.database import Database

NOTHING = Heartbeat(0, 0, 0)


class Beats(Protocol):
    """The online tier: see `features.redis_store.RedisStore`."""

    def heartbeats(self) -> Heartbeats:
        """How far it is. Raises `Unavailable`."""


def counted_until(database: Database, shelf: Beats) -> Millis | None:
    """Epoch ms; None if no stream was counted yet. What was backfilled has no such time.

    SQL moves on only if there is something to count: that nothing came since is said online alone. What is
    said there counts where it is about no more than SQL holds, which was put back to a copy otherwise. Raises
    `Unavailable`.
    """
    online = shelf.heartbeats().partitions
    with database.of(OFFLINE_STORE).reading() as connection:
        known = heartbeats(connection)
    for partition, beat in online.items():
        stands = known.setdefault(partition, NOTHING)
        if beat.position <= stands.position and beat.as_of > stands.as_of:
            known[partition] = beat
    return as_of(known)
