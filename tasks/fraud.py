"""The fraud classifier as a Celery task."""

from models.workflow import Workflow
from tasks.celery import app, settings
from tasks.inference import InferenceTask


class Score(InferenceTask):
    """Decides on orders: approve, review or hold."""

    name = "tasks.fraud.score"

    def load(self) -> Workflow:
        """Load the newest model, and warm it."""
        # imported in the process that scores: a LightGBM loaded before the fork hangs after it
        from models.fraud import FraudWorkflow

        return FraudWorkflow.load(settings.model_dir, settings.fraud_config)


score = app.register_task(Score())
