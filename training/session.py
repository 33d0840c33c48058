"""How does a training keep its lease for as long as it lives, and say how it ended?"""

import contextlib
import logging
import threading
from types import TracebackType

from events.errors import SignalboxError, Unavailable
from models.runs import LEASE_MS, LeaseLostError, Outcome, Run, Runs

log = logging.getLogger(__name__)

RENEW_S = LEASE_MS / 4_000


class Session:
    """Renews a run's lease in a thread. What raises inside ends the run; else call `end`.

    As failed, but for who interrupts it: Ctrl-C, and the SIGTERM of a worker that stops.
    """

    def __init__(self, runs: Runs, run: Run, renew_s: float = RENEW_S) -> None:
        self._runs = runs
        self._run = run
        self._renew_s = renew_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="training-lease", daemon=True)

    def __enter__(self) -> "Session":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if error is not None:
            outcome: Outcome = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
            # another run has the lease, or will have it once this one says nothing: either way it is no more
            with contextlib.suppress(LeaseLostError, Unavailable):
                self._runs.end(self._run, outcome, f"{type(error).__name__}: {error}")

    def confirm(self) -> None:
        """Call it before whatever others can see. Raises `LeaseLostError` where another run began."""
        self._runs.renew(self._run)

    def end(self, outcome: Outcome, finding: str) -> None:
        """Write down how it ended. Raises `LeaseLostError`."""
        self._stop()  # a lease that is given back is not to be renewed
        self._runs.end(self._run, outcome, finding)

    def _stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._over.wait(self._renew_s):
            try:
                self._runs.renew(self._run)
            except LeaseLostError:
                return  # said at the next `confirm`
            except SignalboxError as error:
                log.warning("the training's lease was not renewed, trying again: %s", error)
