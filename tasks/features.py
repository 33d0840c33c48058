"""The upkeep of the feature store as Celery tasks: batch views put online, and what is found in its past."""

from tasks.celery import app, settings
from tasks.clocked import ClockTask

TIME_LIMIT_S = 3_300
"""Below the hour after which the next one comes, and below the queue's visibility timeout."""


FIND_LIMIT_S = 600


class Materialize(ClockTask):
    """May be stopped, repeated, or run twice at once: it goes by a watermark, and no row replaces a later."""

    name = "tasks.features.materialize"
    time_limit = TIME_LIMIT_S
    soft_time_limit = TIME_LIMIT_S - 60

    def run(self) -> str:
        """Materialise every batch view. Raises `Unavailable`: the next hour's run goes on from there."""
        # in the process that works: connections do not survive a fork
        from features.materializing import Materializer
        from features.offline.store import open_offline
        from features.redis_store import RedisStore
        from features.retail import DEFINITIONS
        from transport.sql_limits import BATCH

        store = open_offline(settings.database_url, limits=BATCH)
        shelf = RedisStore(settings.redis_url, timeout_s=10)
        try:
            materializer = Materializer(store.batch, shelf)
            done = {view.name: materializer.run(view) for view in DEFINITIONS.batch_views}
        finally:
            shelf.close()
            store.close()
        return ", ".join(f"{rows:,} rows of {name}" for name, rows in done.items())


class FindInactive(ClockTask):
    """Tells of customers who have ordered nothing for a while. Two at once do what one does."""

    name = "tasks.features.find_inactive"
    time_limit = FIND_LIMIT_S
    soft_time_limit = FIND_LIMIT_S - 60

    def run(self) -> str:
        """One look. Raises `Unavailable`: the next hour's finds what this one did not tell of."""
        from features.inactivity import Rule
        from tasks.inactivity import connected_finder

        rule = Rule(settings.inactive_after_days, settings.lost_after_days)
        with connected_finder(settings.kafka_cluster, settings.database_url, rule) as finder:
            return f"{finder.look():,} customers have become inactive"


materialize = app.register_task(Materialize())
find_inactive = app.register_task(FindInactive())
