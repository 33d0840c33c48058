"""The churn predictor as a Celery task."""

from models.artifact import Artifact
from models.churn import MODEL, ChurnWorkflow
from models.thresholds import load_churn_thresholds
from models.workflow import Workflow
from tasks.celery import app, settings
from tasks.served import ServedTask


class Predict(ServedTask):
    """Says of customers whether they will stay away: leave, remind or offer."""

    name = "tasks.churn.predict"
    model = MODEL

    def load(self, artifact: Artifact) -> Workflow:
        """This version, with the thresholds as they are by then."""
        return ChurnWorkflow.load(artifact, load_churn_thresholds(settings.churn_config))


predict = app.register_task(Predict())
