"""Exported metrics keep to one naming."""

import pytest
from prometheus_client import Counter, Gauge, Histogram

from transport import metrics

DEFINED = [each for each in vars(metrics).values() if isinstance(each, Counter | Gauge | Histogram)]
BASE_UNITS = ("_seconds", "_bytes", "_ratio", "_info", "_messages", "_tasks", "_records", "_events")


@pytest.mark.parametrize("metric", DEFINED, ids=lambda metric: str(metric.describe()[0].name))
def test_a_name_says_its_part_and_its_base_unit(metric: Counter | Gauge | Histogram) -> None:
    (family,) = metric.describe()
    assert family.name.startswith("signalbox_")
    assert family.documentation.endswith(".")
    # prometheus_client takes the `_total` of a counter off its family's name
    assert isinstance(metric, Counter) or family.name.endswith(BASE_UNITS)
