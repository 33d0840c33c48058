"""The thread that keeps a process at the version that is wanted, beside its work."""

import threading
from collections.abc import Callable

from celery.utils.log import get_task_logger

from models.serving import Served

logger = get_task_logger(__name__)

LOOK_S = 1.0
AFTER_BUG_S = 30.0


class ModelWatch(threading.Thread):
    """Looks once a second, and tells what it saw, until the process ends."""

    def __init__(
        self,
        model: str,
        look: Callable[[], Served],
        tell: Callable[[Served], None],
        ended: threading.Event | None = None,
    ) -> None:
        super().__init__(name=f"watch {model}", daemon=True)
        self._model = model
        self._look = look
        self._tell = tell
        self._ended = ended or threading.Event()

    def run(self) -> None:
        """Until `ended` is set."""
        pause = LOOK_S
        while not self._ended.wait(pause):
            try:
                self._tell(self._look())
                pause = LOOK_S
            except Exception:
                # the outermost: a model that cannot be loaded for a bug is none to stop the present one for
                logger.exception(
                    "%s: an error that no model may raise; the present version goes on", self._model
                )
                pause = AFTER_BUG_S
