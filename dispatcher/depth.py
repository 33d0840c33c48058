"""What the depth of a queue tells: which priorities wait there, and how soon it is worth another look."""

from collections.abc import Mapping

from dispatcher.feeding import Depth
from events.decision import Millis
from events.priority import Priority

_LOWEST_FIRST = tuple(reversed(Priority))


class Attribution:
    """What this feeder sent to one queue, held against the number that waits.

    A broker hands out the highest first, so what still waits of them are the lowest. Messages that this
    feeder did not send count as the lowest of all: another feeder's flood must not close the window to an
    urgent lane.
    """

    def __init__(self) -> None:
        self._sent: dict[Priority, int] = dict.fromkeys(Priority, 0)

    def on_sent(self, priority: Priority) -> None:
        """One message of this priority was accepted."""
        self._sent[priority] += 1

    def waiting(self, total: int) -> Mapping[Priority, int]:
        """`total` messages wait: how many of each priority. What is gone is forgotten."""
        left = total
        for priority in _LOWEST_FIRST:
            self._sent[priority] = min(self._sent[priority], left)
            left -= self._sent[priority]
        return {**self._sent, Priority.BATCH: self._sent[Priority.BATCH] + left}


class Looks:
    """How soon to look at a queue again. If a batch takes minutes, not a thousand times a second."""

    def __init__(self, soonest: Millis, latest: Millis = 20) -> None:
        """`latest` is what an urgent record may wait behind a slow batch of a lower lane."""
        self._soonest = soonest
        self._latest = latest
        self._depth: Depth | None = None
        self._since: Millis = 0

    def pause_after(self, depth: Depth, now: Millis) -> Millis:
        """Milliseconds until the next look: an eighth of the time for which nothing has changed."""
        if depth != self._depth:
            self._depth, self._since = depth, now
        return min(max((now - self._since) // 8, self._soonest), self._latest)
