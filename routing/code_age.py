"""Names source files that changed since a process loaded them: it does not know their event types."""

import sys
import time
from collections.abc import Iterable
from pathlib import Path

PACKAGES = ("core", "events", "features", "models", "routing", "tasks")
"""What declares event types, features, workflows and tasks."""
STARTED = time.time()
ROOT = Path(__file__).parents[1]


def changed_files(since: float, paths: Iterable[Path]) -> tuple[str, ...]:
    """Those of `paths` that were written after `since` (epoch seconds), relative to the project."""
    changed = []
    for path in paths:
        try:
            written = path.stat().st_mtime
        except OSError:
            continue
        if written > since:
            changed.append(str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path))
    return tuple(sorted(changed))


def changed_since_start() -> tuple[str, ...]:
    """The files of modules that this process has loaded, changed after it started."""
    loaded = [
        Path(file)
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in PACKAGES and (file := getattr(module, "__file__", None))
    ]
    return changed_files(STARTED, loaded)


def changed_since(since: float) -> tuple[str, ...]:
    """The files of those packages that changed after another process started at `since` (epoch seconds)."""
    return changed_files(since, (path for name in PACKAGES for path in (ROOT / name).rglob("*.py")))


def restart_hint(changed: tuple[str, ...]) -> str:
    """What to do about it; empty if nothing changed."""
    if not changed:
        return ""
    return (
        f"{', '.join(changed)} changed after this process started, which knows the event types and tasks of "
        "then: restart it"
    )
