"""When a count of the logs is final: at rest, or a while after catching up with the producers."""

import time

from events.topics import EVENTS
from monitoring.held import Partition
from monitoring.ledger import Ledger
from monitoring.reading import LogReader, take

SETTLE_S = 15.0
"""An event that is counted has had so many seconds for its outcome."""


def count(reader: LogReader, ledger: Ledger, settle: float = SETTLE_S) -> bool:
    """Take in all that there is; whether it was all.

    Where the topics do not come to rest, what came to the source after this had caught up with it is left
    out: its outcomes are still on their way. Raises `Unavailable`.
    """
    mark: dict[Partition, int] = {}
    until = float("inf")
    for message in reader.read_all():
        take(ledger, message)
        if not mark and reader.caught_up(EVENTS):
            mark, until = dict(ledger.reached), time.monotonic() + settle
        if time.monotonic() > until:
            ledger.forget_from(mark)
            return False
    return True
