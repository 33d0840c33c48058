"""Training as Celery tasks: what an updated dataset means, and, by the clock, the training that is due."""

from models.training_plan import load_plans
from models.workflow import Workflow
from tasks.celery import app, settings
from tasks.clocked import ClockTask
from tasks.loaded import LoadedTask
from tasks.stopping import STOPPING
from transport.clock import system_clock

TIME_LIMIT_S = 6 * 3_600


class Train(LoadedTask):
    """Counts each version of a dataset once, and answers whether a training is due."""

    name = "tasks.training.train"

    def load(self) -> Workflow:
        """Read the plans, and connect to where is written down what came."""
        # in the process that works: connections do not survive a fork
        from models.runs import Runs
        from models.trainer import Trainer
        from transport.database import open_database

        runs = Runs(open_database(settings.database_url))
        runs.create()
        return Trainer(load_plans(settings.training_plan), runs)


class Run(ClockTask):
    """Trains what is due. Two at once do what one does: a model's lease is one training's."""

    name = "tasks.training.run"
    # acknowledged before it begins: it outlasts the visibility timeout, and the next minute looks again
    acks_late = False
    time_limit = TIME_LIMIT_S
    soft_time_limit = TIME_LIMIT_S - 60

    def run(self) -> str:
        """One look. Raises `Unavailable`."""
        from models.runs import Runs
        from tasks.training_runs import launch, run_due
        from transport.database import open_database

        database = open_database(settings.database_url)
        try:
            plans = load_plans(settings.training_plan)
            said = list(run_due(plans, Runs(database), system_clock, lambda plan: launch(plan, STOPPING)))
        finally:
            database.close()
        return "; ".join(said) or "nothing is due"


train = app.register_task(Train())
run = app.register_task(Run())
