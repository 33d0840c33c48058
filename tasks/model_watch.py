"""The thread that keeps a process at the version that is wanted, beside its work."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from celery.utils.log import get_task_logger

from models.serving import Served

logger = get_task_logger(__name__)

LOOK_S = 1.0
LOOKS_AFTER_BUG = 30
"""How many looks are left out after an error that no model may raise."""


class Watched(Protocol):
    """What is served, as far as it is looked after."""

    @property
    def served(self) -> Served:
        """The version that answers."""

    def look(self) -> Served:
        """Take the version that is wanted, where it is another one and can be had."""


class ModelWatch(threading.Thread):
    """Looks once a second, and tells what it saw, until the process ends."""

    def __init__(
        self,
        model: str,
        serving: Watched,
        tell: Callable[[Served], None],
        ended: threading.Event | None = None,
    ) -> None:
        super().__init__(name=f"watch {model}", daemon=True)
        self._model = model
        self._serving = serving
        self._tell = tell
        self._ended = ended or threading.Event()

    def run(self) -> None:
        """Until `ended` is set."""
        left_out, trouble = 0, ""
        while not self._ended.wait(LOOK_S):
            left_out = max(0, left_out - 1)
            try:
                # who says nothing for a few seconds counts as gone, and is waited for no more
                self._tell(
                    replace(self._serving.served, trouble=trouble) if left_out else self._serving.look()
                )
            except Exception as error:
                # the outermost: a model that cannot be loaded for a bug is none to stop the present one for
                if not left_out:
                    trouble = f"an error that no model may raise: {error!r}"
                    logger.exception("%s: %s; the present version goes on", self._model, trouble)
                    left_out = LOOKS_AFTER_BUG + 1
