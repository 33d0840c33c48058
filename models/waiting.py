"""Waits until all workers serve a version."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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

    One that reported once and fell silent before it took it is waited for, too. Raises what `read` does.
    """
    began = monotonic()
    last: dict[str, Report] = {}
    while True:
        reports = {report.worker: report for report in read()}
        last |= reports
        behind = [report for report in last.values() if report.digest != digest]
        spent = monotonic() - began
        if not behind:
            if not last:
                return Took(all=True, told="no process serves this model at the moment")
            return Took(all=True, told=f"{len(last)} of {len(last)} processes serve it, {spent:.1f} s later")
        if spent >= patience_s:
            return Took(all=False, told="\n".join(_behind(last, reports, behind, spent)))
        sleep(LOOK_S)


def _behind(
    last: Mapping[str, Report], reports: Mapping[str, Report], behind: Sequence[Report], spent: float
) -> Iterator[str]:
    yield f"{len(last) - len(behind)} of {len(last)} processes serve it after {spent:.1f} s; the others:"
    for each in behind:
        reason = each.trouble or "it says no reason"
        if each.worker not in reports:
            reason = "it ended, or loads, or hangs: it says nothing any more"
        yield f"  {each.worker}: v{each.version}; {reason}"
