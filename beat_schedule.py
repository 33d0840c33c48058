"""What runs at night, and how often: data only, for Celery beat.

Nothing yet. An entry names a task that a worker has, and none of those that exist runs by the clock: the
nightly forecast, the materialisation of features and the drift checks come with their workflows.
"""

from collections.abc import Mapping
from typing import Any

BEAT_SCHEDULE: Mapping[str, Mapping[str, Any]] = {}
