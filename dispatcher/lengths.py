"""How many messages of each priority wait on a queue in Redis."""

from typing import Any

from redis.connection import ConnectionPool

from events.priority import Priority
from transport.priorities import redis_list

_PRIORITIES = tuple(Priority)


class RedisLengths:
    """Asks for the length of each priority's list, all in one round trip. Raises what redis-py raises.

    It has a connection of its own and speaks over it by hand: the question is asked up to a thousand times a
    second, and redis-py's pipeline takes three times the processor time.
    """

    def __init__(self) -> None:
        self._connection: Any = None
        self._packed: dict[str, Any] = {}

    def of(self, queue: str, pool: ConnectionPool) -> dict[Priority, int]:
        """Messages that wait, by priority, on the Redis of `pool`: the one that messages are sent to."""
        connection = self._connection or self._connect(pool)
        packed = self._packed.get(queue)
        if packed is None:
            commands = [("LLEN", redis_list(queue, priority)) for priority in _PRIORITIES]
            packed = self._packed[queue] = connection.pack_commands(commands)
        connection.send_packed_command(packed)
        return {priority: connection.read_response() for priority in _PRIORITIES}

    def close(self) -> None:
        """Close the connection. After a failure this is a must: an answer may still be on its way."""
        if self._connection is not None:
            self._connection.disconnect()
        self.forget()

    def forget(self) -> None:
        """Let go of a connection that another process has inherited, or gave."""
        self._connection = None

    def _connect(self, pool: ConnectionPool) -> Any:
        self._connection = pool.get_connection()
        return self._connection
