"""The watch over the nightly forecasts as a Celery task: beat asks for it every minute."""

from datetime import time

from celery.utils.log import get_task_logger

from tasks.celery import app, settings
from tasks.clocked import ClockTask

logger = get_task_logger(__name__)


class Watch(ClockTask):
    """Begins the night that is due, and ends those that are done. Two at once do what one does."""

    name = "tasks.nightly.watch"

    def run(self) -> str:
        """One look. Raises `Unavailable`: the next minute's looks again."""
        # in the process that works: connections do not survive a fork
        from models.nights import Timetable
        from tasks.night_parts import connected_watch, sales_known_until

        with connected_watch(settings.kafka_cluster, settings.database_url, settings.time_zone) as watch:
            said = []
            for night, report in watch.look():
                done = f"{report.forecast:,} of {report.planned:,} SKUs in {report.duration_s:,.0f} s"
                said.append(f"{night.night} ended: {done}, {report.failed:,} failed")
                if not report.within_sla:
                    logger.warning("the night of %s kept not to its %d s", night.night, report.sla_s)
            # last: while Redis is away nothing begins, and what is under way ends all the same
            if isinstance(settings.nightly_at, time):
                known = sales_known_until(settings.database_url, settings.redis_url)
                table = Timetable(settings.time_zone, settings.nightly_at)
                begun = watch.begin(settings.tenant, table, known)
                said += [f"{begun} triggered"] if begun else []
        return "; ".join(said) or "nothing to do"


watch = app.register_task(Watch())
