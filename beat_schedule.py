"""What runs at night, and how often: data only, for Celery beat.

Nothing yet: an entry is a task that a worker has, and none of those that have one runs by the clock. The
nightly forecast, materialisation and drift checks come with their workflows; an entry reads

    "nightly-forecast": {"task": "tasks.triggers.nightly_forecast", "schedule": crontab(hour=2, minute=0)},
"""

from collections.abc import Mapping
from typing import Any

BEAT_SCHEDULE: Mapping[str, Mapping[str, Any]] = {}
