"""Have all workers taken a version by now?"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.reports import Report

LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Took:
    """Whether every process serves it, and the same in a sentence."""

    all: bool
    told: str


def await_served(
    read: Callable[[], Sequence[Report]],
    digest: str,
    patience_s: float,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Took:
    """Look until every process that reports serves the version of this digest, or patience ends.

    Raises what `read` does.
    """
    began = monotonic()
    while True:
        reports = read()
        behind = [report for report in reports if report.digest != digest]
        spent = monotonic() - began
        if not behind:
            if not reports:
                return Took(all=True, told="no process serves this model at the moment")
            return Took(
                all=True, told=f"{len(reports)} of {len(reports)} processes serve it, {spent:.1f} s later"
            )
        if spent >= patience_s:
            return Took(all=False, told=_behind(reports, behind, spent))
        sleep(LOOK_S)


def _behind(reports: Sequence[Report], behind: Sequence[Report], spent: float) -> str:
    done = len(reports) - len(behind)
    lines = [f"{done} of {len(reports)} processes serve it after {spent:.1f} s; the others:"]
    lines += [f"  {each.worker}: v{each.version}; {each.trouble or 'it says no reason'}" for each in behind]
    return "\n".join(lines)
