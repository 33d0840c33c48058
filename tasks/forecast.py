"""The demand forecaster as a Celery task: one SKU on request, a whole catalogue at night."""

from datetime import time

from models.workflow import Workflow
from tasks.celery import app, settings
from tasks.loaded import LoadedTask


class Forecast(LoadedTask):
    """Seven days of demand for each SKU that is asked for; a night's trigger is cut into such events."""

    name = "tasks.forecast.forecast"

    def load(self) -> Workflow:
        """Load the forecaster, and connect to what it reads and writes."""
        # imported in the process that forecasts: connections and libraries with threads survive no fork
        from features.offline.database import open_database
        from features.offline.forecasts import Forecasts
        from features.offline.nights import Nights
        from features.offline.sales import Sales
        from models.demand_workflow import DemandWorkflow
        from models.nights import Timetable
        from models.seasonal_naive import SeasonalNaive
        from tasks.planning import NightlyWorkflow, Planner

        database = open_database(settings.database_url)
        sales, forecasts = Sales(database, settings.time_zone), Forecasts(database)
        forecasts.create()
        begins = settings.nightly_at if isinstance(settings.nightly_at, time) else time()
        timetable = Timetable(settings.time_zone, begins)
        return NightlyWorkflow(
            DemandWorkflow(SeasonalNaive(), sales, forecasts, timetable),
            Planner(sales, Nights(database), self.publish, timetable, self.clock),
        )


forecast = app.register_task(Forecast())
