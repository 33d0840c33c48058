"""Lane records without an outcome, and when one is fed again."""

import pytest

from dispatcher.reconciling import FURTHEST, Completeness, Reconciling

HORIZON = 100


def lane(fed: int, *, watermark: int = 0, max_allowance: int = 1_024) -> Reconciling:
    """A partition of which everything below `fed` was given to the workers at time 0."""
    reconciling = Reconciling(watermark, HORIZON, max_allowance)
    reconciling.on_fed(fed, 0)
    return reconciling


def give(reconciling: Reconciling, *offsets: int) -> None:
    for offset in offsets:
        reconciling.on_outcome(offset)


@pytest.mark.parametrize(
    ("fed", "outcomes", "now", "due"),
    [
        pytest.param(0, [], 10_000, (), id="nothing was fed"),
        pytest.param(3, [], 99, (), id="it may still be on its way"),
        pytest.param(3, [], 100, (0,), id="overdue: one record at first"),
        pytest.param(3, [0, 2], 100, (1,), id="what has an outcome is not fed again"),
        pytest.param(3, [0, 1, 2], 100, (), id="all is done"),
        pytest.param(3, [0, 1, 2, 7], 100, (), id="an outcome may be known before its feeding"),
    ],
)
def test_what_has_no_outcome_within_the_horizon_is_fed_again(
    fed: int, outcomes: list[int], now: int, due: tuple[int, ...]
) -> None:
    reconciling = lane(fed)
    give(reconciling, *outcomes)
    assert reconciling.due(now) == due


def test_the_horizon_runs_from_each_commit_of_the_feeder() -> None:
    reconciling = lane(1)
    reconciling.on_fed(2, 60)
    reconciling.on_fed(2, 90)
    reconciling.on_fed(1, 95)
    assert reconciling.due(100) == (0,)
    give(reconciling, 0)
    assert reconciling.due(159) == ()
    assert reconciling.due(160) == (1,)


class TestTheBudget:
    def test_each_record_that_came_out_allows_one_more(self) -> None:
        reconciling = lane(100)
        sizes = []
        for turn in range(5):
            due = reconciling.due(HORIZON + turn)
            sizes.append(len(due))
            give(reconciling, *due)
        assert sizes == [1, 2, 4, 8, 16]

    def test_nothing_more_is_fed_while_the_last_is_on_its_way(self) -> None:
        reconciling = lane(100)
        assert reconciling.due(HORIZON) == (0,)
        assert reconciling.due(2 * HORIZON - 1) == ()

    def test_it_is_one_record_again_as_soon_as_one_did_not_come_out(self) -> None:
        reconciling = lane(100)
        give(reconciling, *reconciling.due(HORIZON))
        give(reconciling, *reconciling.due(HORIZON))
        assert len(reconciling.due(HORIZON)) == 4
        assert len(reconciling.due(2 * HORIZON)) == 1

    def test_what_is_not_late_yet_keeps_its_part_of_it(self) -> None:
        reconciling = lane(100)
        give(reconciling, *reconciling.due(HORIZON))
        first = reconciling.due(HORIZON)
        give(reconciling, first[0])
        reconciling.due(HORIZON + 50)
        assert reconciling.due(2 * HORIZON) == ()

    def test_it_never_grows_above_its_limit(self) -> None:
        reconciling = lane(100, max_allowance=3)
        for turn in range(4):
            give(reconciling, *reconciling.due(HORIZON + turn))
        assert len(reconciling.due(HORIZON)) == 3

    def test_the_next_incident_begins_with_one_record(self) -> None:
        reconciling = lane(7)
        for _ in range(3):
            give(reconciling, *reconciling.due(HORIZON))
        assert reconciling.due(HORIZON) == ()
        reconciling.on_fed(20, HORIZON)
        assert reconciling.due(2 * HORIZON) == (7,)

    def test_an_outcome_that_nobody_waited_for_allows_nothing(self) -> None:
        reconciling = lane(100)
        give(reconciling, 0, 1, 2, 3)
        assert len(reconciling.due(HORIZON)) == 1

    def test_records_that_kafka_no_longer_holds_allow_nothing(self) -> None:
        reconciling = lane(100)
        for offset in reconciling.due(HORIZON):
            reconciling.on_gap(offset)
        assert reconciling.due(HORIZON) == (1,)


def test_a_record_that_never_gets_an_outcome_holds_up_no_other() -> None:
    reconciling = lane(4)
    turns = [reconciling.due(HORIZON * turn) for turn in range(1, 6)]
    assert turns == [(0,), (1,), (2,), (3,), (0,)]


def test_what_is_due_ascends_though_the_turn_begins_anew() -> None:
    reconciling = lane(6)
    give(reconciling, *reconciling.due(HORIZON))
    give(reconciling, *reconciling.due(HORIZON))
    assert reconciling.due(HORIZON) == (3, 4, 5)
    reconciling.on_fed(9, HORIZON)
    reconciling.due(2 * HORIZON)
    give(reconciling, 6, 7)
    assert reconciling.due(2 * HORIZON + 1) == (3, 8)


class TestARefusedFeeding:
    def test_the_record_is_due_again_at_once(self) -> None:
        reconciling = lane(1)
        reconciling.on_refused(reconciling.due(HORIZON))
        assert reconciling.due(HORIZON) == (0,)

    def test_one_that_cannot_be_sent_holds_up_no_other(self) -> None:
        reconciling = lane(3)
        turns = []
        for _ in range(4):
            due = reconciling.due(HORIZON)
            turns.append(due)
            reconciling.on_refused(due)
        assert turns == [(0,), (1,), (2,), (0,)]

    def test_it_does_not_count_as_fed_again(self) -> None:
        reconciling = lane(100)
        reconciling.on_refused(reconciling.due(HORIZON))
        assert reconciling.fed_again == 0

    def test_an_outcome_that_came_meanwhile_stands(self) -> None:
        reconciling = lane(2)
        due = reconciling.due(HORIZON)
        give(reconciling, *due)
        reconciling.on_refused(due)
        assert reconciling.due(HORIZON) == (1,)


class TestAfterARestart:
    def test_it_begins_at_its_watermark_and_waits_a_horizon(self) -> None:
        reconciling = Reconciling(40, HORIZON)
        reconciling.on_fed(42, 1_000)
        assert reconciling.due(1_099) == ()
        assert reconciling.due(1_100) == (40,)

    def test_outcomes_below_its_watermark_are_known_already(self) -> None:
        reconciling = Reconciling(40, HORIZON)
        give(reconciling, 3, 39, 40)
        assert reconciling.watermark == 41

    def test_a_feeder_behind_the_watermark_owes_nothing(self) -> None:
        reconciling = Reconciling(40, HORIZON)
        reconciling.on_fed(7, 0)
        assert reconciling.due(10_000) == ()
        assert reconciling.completeness() == Completeness(watermark=40, fed=0, open=0, overdue=0)


class TestWhatKafkaNoLongerHolds:
    def test_a_gap_moves_the_watermark(self) -> None:
        reconciling = lane(3)
        reconciling.on_gap(0)
        assert reconciling.watermark == 1

    def test_what_expired_is_not_fed_again(self) -> None:
        reconciling = lane(100)
        reconciling.due(HORIZON)
        reconciling.on_expired(60)
        assert reconciling.watermark == 60
        assert reconciling.due(HORIZON) == (60,)

    def test_what_expired_without_an_outcome_is_lost_and_not_complete(self) -> None:
        reconciling = lane(100)
        reconciling.on_outcome(3)
        reconciling.due(HORIZON)
        assert reconciling.on_expired(60) == 59
        figures = reconciling.completeness()
        assert (figures.lost, figures.open) == (59, 40)
        assert figures.ratio == pytest.approx(0.01)

    def test_what_was_never_fed_and_expired_is_lost(self) -> None:
        reconciling = lane(10)
        for offset in range(10):
            reconciling.on_outcome(offset)
        assert reconciling.on_expired(50) == 40
        assert reconciling.watermark == 50
        assert reconciling.completeness().ratio == pytest.approx(0.2)

    def test_what_was_fed_lately_may_still_come_out_though_its_record_expired(self) -> None:
        reconciling = lane(10)
        assert reconciling.on_expired(10) == 0
        reconciling.on_outcome(0)
        assert reconciling.due(HORIZON) == (1,)
        reconciling.on_lost(1)
        assert reconciling.completeness().lost == 1

    def test_an_offset_of_another_life_of_the_topic_takes_no_memory(self) -> None:
        reconciling = lane(3)
        reconciling.on_outcome(FURTHEST)
        assert reconciling.completeness().open == 3


@pytest.mark.parametrize(
    ("outcomes", "now", "expected", "ratio"),
    [
        pytest.param([], 0, Completeness(0, fed=4, open=4, overdue=0), 0.0, id="all on its way"),
        pytest.param([1, 2], 0, Completeness(0, fed=4, open=2, overdue=0), 0.5, id="half of it came out"),
        pytest.param(
            [0, 1], HORIZON, Completeness(2, fed=4, open=2, overdue=2), 0.5, id="the rest is overdue"
        ),
        pytest.param([0, 1, 2, 3], 0, Completeness(4, fed=4, open=0, overdue=0), 1.0, id="complete"),
        pytest.param(
            [0, 1, 2, 3, 4],
            0,
            Completeness(5, fed=5, open=0, overdue=0),
            1.0,
            id="the feeder's commit lags behind",
        ),
    ],
)
def test_completeness_is_the_share_of_fed_records_that_came_out(
    outcomes: list[int], now: int, expected: Completeness, ratio: float
) -> None:
    reconciling = lane(4)
    give(reconciling, *outcomes)
    reconciling.due(now)
    assert reconciling.completeness() == expected
    assert reconciling.completeness().ratio == ratio


def test_a_lane_that_was_never_fed_is_complete() -> None:
    assert Reconciling(0, HORIZON).completeness().ratio == 1.0
