"""Calendar features, night and weekend: computed in one place for training and serving."""

import numpy as np
from numpy.typing import NDArray

_HOUR = 3_600
_DAY = 86_400
_LAST_NIGHT_HOUR = 6
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday
_SATURDAY = 5


def weekend(seconds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each time (epoch seconds) lies on a Saturday or Sunday, UTC."""
    answer: NDArray[np.bool_] = (seconds // _DAY + _EPOCH_WEEKDAY) % 7 >= _SATURDAY
    return answer


def night(seconds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each time (epoch seconds) lies between 00:00 and 06:59:59 UTC, the handbook's night."""
    answer: NDArray[np.bool_] = seconds % _DAY // _HOUR <= _LAST_NIGHT_HOUR
    return answer
