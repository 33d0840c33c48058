"""Celery beat's scheduler, which starts whatever its schedule file holds: nothing in it is worth keeping."""

from typing import Any

from celery.beat import PersistentScheduler
from celery.utils.log import get_logger

logger = get_logger(__name__)


class Scheduler(PersistentScheduler):
    """Celery's. Named by `beat_scheduler`.

    The file knows when each entry ran last. Without it an entry waits for its next time, and each task does
    then what was missed.
    """

    schedule_filename: str
    _store: Any

    def setup_schedule(self) -> None:
        """Called by Celery when beat starts."""
        try:
            super().setup_schedule()
        except Exception as error:  # noqa: BLE001 - a file of any bytes raises whatever dbm and pickle raise
            logger.warning(
                "the schedule file %s cannot be read, it begins empty: %r", self.schedule_filename, error
            )
            self._store = None
            self._remove_db()  # type: ignore[attr-defined]  # its stubs leave it out
            super().setup_schedule()
