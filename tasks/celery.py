"""The Celery app of `celery -A tasks worker|beat|flower`. Settings are read here, once."""

import sys

from celery import Celery

from beat_schedule import BEAT_SCHEDULE
from events.errors import ConfigError
from routing import load
from settings import Settings, load_settings
from tasks.exporting import prepare


def _make(settings: Settings) -> Celery:
    prepare(settings.metrics_port)
    # whatever counts is imported after that
    from models.source import ModelPlace
    from tasks.equipment import Addresses
    from tasks.worker import make_app

    return make_app(
        "tasks",
        settings.celery_broker_url,
        load(settings.routing_table, settings.workflows).catalogue,
        lambda: Addresses(
            settings.kafka_cluster,
            settings.redis_url,
            settings.database_url,
            ModelPlace(settings.model_registry, settings.model_dir, settings.model_cache),
            settings.seal,
        ),
        schedule=BEAT_SCHEDULE,
    )


try:
    settings = load_settings()
    app = _make(settings)
except ConfigError as error:
    sys.exit(f"signalbox: {error}")
