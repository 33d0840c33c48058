"""The shutdown flag of a worker, seen by its pool processes, which Celery does not notify."""

import mmap


class StopFlag:
    """One byte that the main process and every process forked from it after this was made have in common.

    A warm shutdown sends the processes of a pool no signal: it waits for them. One that waits for a
    dependency meanwhile would hold the whole stop up.
    """

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 1)

    def set(self) -> None:
        """The worker was asked to stop."""
        self._shared[0] = 1

    def clear(self) -> None:
        """A worker begins."""
        self._shared[0] = 0

    def __call__(self) -> bool:
        """Whether it was."""
        return self._shared[0] == 1


STOPPING = StopFlag()
"""Of this process and of those that are forked from it."""
