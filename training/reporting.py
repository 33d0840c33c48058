"""The training report: why a version was registered, or was not."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from events.decision import Millis
from events.errors import ConfigError, Problem
from training.challenging import Verdict


def write_report(folder: Path, verdict: Verdict, now: Millis) -> Path:
    """`<folder>/<model>/<time>-<digest>.json`, whole or not at all. Raises `ConfigError`."""
    at = datetime.fromtimestamp(now / 1_000, UTC)
    path = folder / verdict.model / f"{at:%Y%m%dT%H%M%SZ}-{verdict.digest[:12]}.json"
    draft = path.with_suffix(".draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(verdict), indent=2) + b"\n")
        draft.replace(path)
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, "", f"cannot be written: {error.strerror}")]) from error
    return path


def summary(verdict: Verdict) -> str:
    """One line for ledger and log."""
    match verdict.outcome:
        case "registered":
            return f"version {verdict.version} is the challenger"
        case "unchanged":
            return f"the same as version {verdict.version}, which is the champion"
        case "refused":
            reasons = (f"{check.name}: {check.finding}" for check in verdict.checks if not check.passed)
            return "; ".join(reasons)
