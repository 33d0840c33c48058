"""Which priorities the messages have that wait on a queue, where its broker tells only how many they are."""

from collections.abc import Mapping

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
