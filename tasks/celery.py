"""The Celery app of `celery -A tasks worker|beat|flower`. Settings are read here, once."""

from beat_schedule import BEAT_SCHEDULE
from routing import load
from settings import load_settings
from tasks.equipment import Addresses
from tasks.worker import make_app

settings = load_settings()
app = make_app(
    "tasks",
    settings.celery_broker_url,
    load(settings.routing_table, settings.workflows).catalogue,
    Addresses(kafka=settings.kafka_bootstrap_servers, redis=settings.redis_url),
    schedule=BEAT_SCHEDULE,
)
