"""The task of a workflow that is what its code says: it has no versions, and is loaded once."""

from abc import abstractmethod

from models.workflow import Workflow
from tasks.equipment import Equipment
from tasks.inference import InferenceTask


class LoadedTask(InferenceTask):
    """A module says its task's `name` and how its workflow is loaded."""

    loaded: Workflow | None = None

    @abstractmethod
    def load(self) -> Workflow:
        """Load it and warm it. Called once, in the process that infers."""

    def start(self, _equipment: Equipment) -> Workflow:
        """See `InferenceTask`."""
        self.loaded = self.load()
        return self.loaded

    def current(self) -> Workflow:
        """See `InferenceTask`."""
        if self.loaded is None:
            raise RuntimeError(f"{self.name} was not started")
        return self.loaded
