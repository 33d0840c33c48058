"""Runs the training that is due, as an operator's command in a process of its own.

That keeps training's libraries and its memory out of the workers. The lease is the command's: whoever starts
it, by hand or by event, one model is trained once at a time.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from celery.exceptions import SoftTimeLimitExceeded

from events.decision import Millis
from events.errors import SignalboxError
from models.retraining import Begin, Known, next_run
from models.training_plan import BY_PLAN, Plan
from transport.clock import Clock

LOOK_S = 1.0
STOP_S = 30.0
WHO = "dataset.updated"

ENDED = {
    0: "registered, or the champion already",
    3: "somebody else began before",
    4: "refused by the gate",
}
"""What the command's exit codes say (`commands.conducting`); any other is a failure."""
STOPPED = "stopped with its worker"


class TrainingFailedError(SignalboxError):
    """A training came to no end. The ledger says why; it is tried again by the plan."""


class TookTooLongError(TrainingFailedError):
    """A training was ended by the time limit of its task, which leaves no time for another one."""


class Ledger(Protocol):
    """See `models.runs.Runs`."""

    def known(self, model: str, tenant_id: str) -> Known:
        """What a decision about this model goes by. Raises `Unavailable`."""

    def fail(self, model: str, since: Millis, finding: str) -> None:
        """Write down that a training failed, if none did from `since` on. Raises `Unavailable`."""


def run_due(
    plans: Mapping[str, Plan], ledger: Ledger, clock: Clock, launch: Callable[[Plan], str]
) -> Iterator[str]:
    """Train every model that is due, one after the other, and say so. Raises `Unavailable`.

    One at a time whoever began it: a pool that trained in each of its processes would count no event.
    """
    for plan in plans.values():
        since = clock()
        known = {each.model: ledger.known(each.model, each.tenant) for each in plans.values()}
        if any(each.leased_until > since for each in known.values()):
            return
        if isinstance(next_run(plan, known[plan.model], since), Begin):
            try:
                yield f"{plan.model} was trained: {launch(plan)}"
            except TrainingFailedError as error:
                # one that did not come as far as its lease has written nothing, and would begin again at once
                ledger.fail(plan.model, since, str(error))
                yield str(error)
                if isinstance(error, TookTooLongError):
                    return


def command(plan: Plan) -> list[str]:
    """What an operator would type, on the rows of the plan's tenant."""
    return [sys.executable, "-m", "cli", "train", *shlex.split(plan.command), "--tenant", plan.tenant]


def launch(plan: Plan, stopping: Callable[[], bool], line: list[str] | None = None) -> str:
    """Run the training to its end, and say how it ended; a worker that is asked to stop stops it.

    What it prints is the worker's. Raises `TrainingFailedError`. Whatever else is raised meanwhile ends the
    training.
    """
    env = {**os.environ, BY_PLAN: "1", "SIGNALBOX_USER": WHO, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(line or command(plan), env=env, stdin=subprocess.DEVNULL) as process:
        try:
            code = _await(process, stopping)
        except SoftTimeLimitExceeded as error:
            _end(process)
            raise TookTooLongError(f"the training of {plan.model} took too long") from error
        except BaseException:
            _end(process)
            raise
    if code not in ENDED and stopping():
        return STOPPED
    if code not in ENDED:
        raise TrainingFailedError(f"the training of {plan.model} ended with exit code {code}")
    return ENDED[code]


def _await(process: "subprocess.Popen[bytes]", stopping: Callable[[], bool]) -> int:
    while True:
        try:
            return process.wait(LOOK_S)
        except subprocess.TimeoutExpired:
            if stopping():
                _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """With SIGTERM, on which a training says how it ended; what does not go by then is killed."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
