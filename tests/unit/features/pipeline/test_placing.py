"""Where counting begins in a partition, by what SQL has counted and what Kafka holds."""

import pytest

from features.pipeline.placing import Beginning, ReplacedLogError, beginning

PARTITION = ("events", 3)


@pytest.mark.parametrize(
    ("counted", "low", "high", "expected", "lost"),
    [
        pytest.param(None, 0, 9, Beginning(0, 0), 0, id="never counted: from its beginning"),
        pytest.param(None, 4, 9, Beginning(4, 4), 0, id="what was deleted before anybody counted is no loss"),
        pytest.param(5, 0, 9, Beginning(5, 5), 0, id="on from where SQL stands"),
        pytest.param(9, 0, 9, Beginning(9, 9), 0, id="nothing new"),
        pytest.param(5, 7, 9, Beginning(5, 7), 2, id="deleted uncounted: SQL moves on from where it stood"),
    ],
)
def test_counting_goes_on_where_sql_says(
    counted: int | None, low: int, high: int, expected: Beginning, lost: int
) -> None:
    begin = beginning(PARTITION, counted, low, high)
    assert begin == expected
    assert begin.lost == lost


def test_another_log_is_refused_and_the_way_out_named() -> None:
    with pytest.raises(ReplacedLogError, match=r"events\[3\] ends at 9, .* up to 10.*backfill"):
        beginning(PARTITION, 10, 0, 9)
