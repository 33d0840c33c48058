"""The task of a workflow whose model is served by alias: it takes the version that the registry names."""

import os
import socket
from abc import abstractmethod

from celery.utils.log import get_task_logger

from events.errors import Unavailable
from models.artifact import Artifact
from models.reports import Report, Reports
from models.serving import Served, Serving
from models.workflow import Workflow
from tasks.equipment import Equipment
from tasks.inference import InferenceTask
from tasks.model_watch import ModelWatch
from transport.metrics import MODEL_INFO, MODEL_LOOKS

logger = get_task_logger(__name__)


class ServedTask(InferenceTask):
    """A module says its task's `name`, its `model` in the registry, and how one version is loaded."""

    model: str
    serving: Serving | None = None
    watch: type[ModelWatch] = ModelWatch

    @abstractmethod
    def load(self, artifact: Artifact) -> Workflow:
        """This version, warm. Raises `BrokenModelError` if it cannot be served.

        Called in the process that infers: at its start, and beside the inference whenever the alias moved.
        """

    def stand_in(self) -> Workflow | None:
        """What answers until there is a version; None if nothing may but a model."""
        return None

    def start(self, equipment: Equipment) -> Workflow:
        """The version that is wanted, or the one that can be had; it is looked after from then on."""
        serving = self.serving = Serving(equipment.sources(self.model), self.load, stand_in=self.stand_in)
        serving.start()
        telling = Telling(self.model, equipment.reports)
        telling.tell(serving.served)
        self.watch(self.model, serving, telling.tell).start()
        return serving.workflow

    def current(self) -> Workflow:
        """The version that was taken last."""
        if self.serving is None:
            raise RuntimeError(f"{self.name} was not started")
        return self.serving.workflow


class Telling:
    """Says what this process serves, in figures and in Redis."""

    def __init__(self, model: str, reports: Reports) -> None:
        self._model = model
        self._reports = reports
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self._counted: tuple[str, str] | None = None
        self._heard = True

    def tell(self, served: Served) -> None:
        """Once a second. A report that is lost costs no prediction."""
        number, digest = served.version
        if self._counted != (number, digest):
            if self._counted is not None:
                MODEL_INFO.labels(self._model, *self._counted).set(0)
            MODEL_INFO.labels(self._model, number, digest).set(1)
            self._counted = (number, digest)
        MODEL_LOOKS.labels(self._model, "trouble" if served.trouble else "served").inc()
        report = Report(self._worker, number, digest, served.since, served.trouble)
        try:
            self._reports.say(self._model, report)
        except Unavailable as error:
            if self._heard:
                logger.warning("%s: nobody hears which version is served: %s", self._model, error)
            self._heard = False
        else:
            self._heard = True
