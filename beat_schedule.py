"""What runs by the clock, and how often: data only, for Celery beat.

An entry names a task that a worker has; what it does may be done twice.
"""

from collections.abc import Mapping
from typing import Any

from celery.schedules import crontab

EXPIRES_S = 300
"""What comes each minute is done by one of five: a pool that was down for a day does not catch up on it.

Longer than a minute, as a worker's clock may be ahead of beat's.
"""

BEAT_SCHEDULE: Mapping[str, Mapping[str, Any]] = {
    "materialise the batch views of the feature store": {
        "task": "tasks.features.materialize",
        # not at the full hour, when the jobs that fill the tables are at work
        "schedule": crontab(minute=10),
        "options": {"queue": "ml.features"},
    },
    "tell of customers who have become inactive": {
        "task": "tasks.features.find_inactive",
        "schedule": crontab(minute=40),
        "options": {"queue": "ml.features"},
    },
    # not at the night's hour itself: beat knows UTC, and neither summer time nor what a stop has missed
    "begin the nightly forecast that is due, and end those that are done": {
        "task": "tasks.nightly.watch",
        "schedule": crontab(),
        "options": {"queue": "ml.forecast.nights", "expires": EXPIRES_S},
    },
    # a look at SQL, if nothing is due: a message that was lost costs a minute, and no training
    "train what is due": {
        "task": "tasks.training.run",
        "schedule": crontab(),
        "options": {"queue": "ml.training", "expires": EXPIRES_S},
    },
}
