"""The lease of a training: renewed for as long as it lives, and given back with how it ended."""

import contextlib
import time
from collections.abc import Callable
from types import TracebackType

from events.errors import Unavailable
from models.runs import LEASE_MS, LeaseLostError, Outcome, Run, Runs
from transport.lease import Renewals

RENEW_S = LEASE_MS / 4_000


class Session:
    """Renews a run's lease in a thread. What raises inside ends the run; else call `end`.

    As failed, but for who interrupts it: Ctrl-C, and the SIGTERM of a worker that stops.
    """

    def __init__(self, runs: Runs, run: Run, renew_s: float = RENEW_S) -> None:
        self._runs = runs
        self._run = run
        self._renew_s = renew_s
        self._renewals = Renewals(lambda: runs.renew(run), LEASE_MS, renew_s)

    def __enter__(self) -> "Session":
        self._renewals.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._renewals.stop()
        if error is not None:
            outcome: Outcome = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
            # another run has the lease, or will have it once this one says nothing: either way it is no more
            with contextlib.suppress(LeaseLostError, Unavailable):
                self._runs.end(self._run, outcome, f"{type(error).__name__}: {error}")

    def confirm(self) -> None:
        """Call it before whatever others can see. Raises `LeaseLostError` if another run began."""
        self._through_an_outage(lambda: self._runs.renew(self._run))

    def end(self, outcome: Outcome, finding: str) -> None:
        """Write down how it ended. Raises `LeaseLostError`."""
        self._renewals.stop()  # a lease that is given back is not to be renewed
        self._through_an_outage(lambda: self._runs.end(self._run, outcome, finding))

    def _through_an_outage(self, call: Callable[[], None]) -> None:
        """An hour's work is not lost for seconds without SQL: raises `Unavailable` after a lease's length."""
        deadline = time.monotonic() + LEASE_MS / 1_000
        while True:
            try:
                return call()
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(self._renew_s)
