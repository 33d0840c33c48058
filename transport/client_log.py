"""What the Kafka clients have to say, and how often they may say it."""

import logging
from collections.abc import Callable
from time import monotonic

EVERY_S = 10.0


class Sparse(logging.Filter):
    """Lets each client say each kind of thing once in `EVERY_S` seconds.

    While Kafka is away every connection of every client fails twenty times a second, and says so.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._quiet_until: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this may be said."""
        # librdkafka gives the kind ("FAIL"), the client and the text
        kind = record.args[:2] if isinstance(record.args, tuple) else record.msg
        now = self._clock()
        if now < self._quiet_until.get(kind, 0):
            return False
        self._quiet_until[kind] = now + EVERY_S
        return True


client_log = logging.getLogger("librdkafka")
client_log.addFilter(Sparse())
