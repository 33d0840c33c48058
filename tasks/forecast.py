"""The demand forecaster as a Celery task: one SKU on request, a whole catalogue at night."""

from datetime import time
from functools import cached_property
from typing import TYPE_CHECKING

from events.decision import Millis
from models.artifact import Artifact
from models.demand_workflow import MODEL
from models.workflow import Workflow
from tasks.celery import app, settings
from tasks.served import ServedTask

if TYPE_CHECKING:
    from features.redis_store import RedisStore
    from models.forecasting import Forecaster
    from transport.database import Database


class Forecast(ServedTask):
    """Demand over a horizon for each SKU that is asked for; a night's trigger is cut into such events."""

    name = "tasks.forecast.forecast"
    model = MODEL

    def load(self, artifact: Artifact) -> Workflow:
        """This version, warm."""
        # imported in the process that forecasts: libraries with threads survive no fork
        from models.forecast import DemandForecaster

        return self._around(DemandForecaster.load(artifact))

    def stand_in(self) -> Workflow:
        """A shop without a trained forecaster gets what was sold a week ago, marked as that."""
        from models.seasonal_naive import SeasonalNaive

        return self._around(SeasonalNaive())

    @cached_property
    def database(self) -> "Database":
        """What series and forecasts stand in: one for all versions that this process comes to serve."""
        from features.offline.forecasts import Forecasts
        from transport.database import open_database
        from transport.sql_limits import BATCH

        database = open_database(settings.database_url, limits=BATCH)
        Forecasts(database).create()
        return database

    @cached_property
    def shelf(self) -> "RedisStore":
        """The online tier, which says up to when all sales are known."""
        from features.redis_store import RedisStore

        return RedisStore(settings.redis_url)

    def _around(self, forecaster: "Forecaster") -> Workflow:
        from features.counted import counted_until
        from features.offline.forecasts import Forecasts
        from features.offline.nights import Nights
        from features.offline.sales import Sales
        from models.demand_workflow import DemandWorkflow
        from models.nights import Timetable
        from tasks.planning import NightlyWorkflow, Planner

        sales, forecasts = Sales(self.database, settings.time_zone), Forecasts(self.database)
        begins = settings.nightly_at if isinstance(settings.nightly_at, time) else time()
        timetable = Timetable(settings.time_zone, begins)

        def known_until() -> Millis | None:
            return counted_until(self.database, self.shelf)

        return NightlyWorkflow(
            DemandWorkflow(forecaster, sales, forecasts, timetable, known_until, self.clock),
            Planner(sales, Nights(self.database), self.publish, timetable, self.clock),
        )


forecast = app.register_task(Forecast())
