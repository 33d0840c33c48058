"""The fraud classifier as a Celery task."""

from models.artifact import Artifact
from models.fraud import MODEL, FraudWorkflow
from models.thresholds import load_thresholds
from models.workflow import Workflow
from tasks.celery import app, settings
from tasks.served import ServedTask


class Score(ServedTask):
    """Decides on orders: approve, review or hold."""

    name = "tasks.fraud.score"
    model = MODEL

    def load(self, artifact: Artifact) -> Workflow:
        """This version, with the thresholds as they are by then."""
        return FraudWorkflow.load(artifact, load_thresholds(settings.fraud_config))


score = app.register_task(Score())
