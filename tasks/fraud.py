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
        from models.artifact import load_newest
        from models.fraud import MODEL, FraudWorkflow
        from models.thresholds import load_thresholds

        thresholds = load_thresholds(settings.fraud_config)
        return load_newest(
            settings.model_dir, MODEL, lambda artifact: FraudWorkflow.load(artifact, thresholds)
        )


score = app.register_task(Score())
