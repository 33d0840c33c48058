"""Who stayed away, what was known before, and what a model makes of it: on a small shop's own past."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

from events.errors import ConfigError
from features.offline.store import OfflineStore, open_offline
from models.artifact import load
from models.calibration import CALIBRATION, calibration_of
from models.churn import ChurnWorkflow
from models.churn_features import NEEDS, ORDERS, RECENCY
from models.recipe import lacks
from models.thresholds import ChurnThresholds
from stack.retail import TENANT
from tests.trained import PROVENANCE, Silent, placed, remember, small_store
from training.bench import IncomparableError
from training.churn import Trained, train
from training.churn_dataset import examples, known_days
from training.churn_evaluation import calibration, calibration_error, evaluate
from training.churn_split import DAY_MS, Split, day
from training.saving import save
from training.transactions import Transaction

UNTIL = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * 1_000
SINCE = UNTIL - 56 * DAY_MS
HORIZON_DAYS = 7
SPLIT = Split.before(UNTIL, SINCE, HORIZON_DAYS, calibration_weeks=2, test_weeks=1)
NOON_S = 43_200


def ago(moment: int) -> float:
    return (UNTIL - moment) / DAY_MS


class TestWhichMomentsServeWhat:
    def test_each_part_is_later_than_the_one_before_and_nothing_lies_beyond_the_end(self) -> None:
        assert list(map(ago, SPLIT.test)) == [7]
        assert list(map(ago, SPLIT.calibration)) == [21, 14]
        assert list(map(ago, SPLIT.train)) == [49, 42, 35, 28]

    @pytest.mark.parametrize("horizon_days", [1, 7, 30])
    def test_what_is_calibrated_on_is_known_when_the_first_is_measured(self, horizon_days: int) -> None:
        split = Split.before(UNTIL, UNTIL - 400 * DAY_MS, horizon_days)
        assert split.calibration[-1] + horizon_days * DAY_MS <= split.test[0]
        assert split.test[-1] + horizon_days * DAY_MS <= UNTIL
        assert split.train[-1] < split.calibration[0]

    def test_a_year_of_moments_is_enough(self) -> None:
        assert len(Split.before(UNTIL, 0, 30).train) == 52

    def test_too_few_days_are_refused_with_how_many_it_takes(self) -> None:
        with pytest.raises(ConfigError, match=r"56 days of orders are known; a horizon of 30 .* need 139"):
            Split.before(UNTIL, SINCE, 30)
        assert len(Split.before(UNTIL, UNTIL - 139 * DAY_MS, 30).train) == 1
        with pytest.raises(ConfigError, match="need 139"):
            Split.before(UNTIL, UNTIL - 138 * DAY_MS, 30)


def shop(folder: Path, days_ago: dict[str, list[int]], tenant: str = TENANT) -> OfflineStore:
    """One where each customer ordered so many days before the end, at noon."""
    store = open_offline(f"sqlite:///{folder}/shop.db")
    orders = [
        Transaction(UNTIL // 1_000 - days * 86_400 + NOON_S, customer, "t-1", 1_000, fraud=False)
        for customer, each in days_ago.items()
        for days in each
    ]
    remember(store, (placed(order, f"e-{place}") for place, order in enumerate(orders)))
    return store


# moments lie 49, 42, 35, 28 / 21, 14 / 7 days before the end, and the horizon is seven
REGULAR = list(range(1, 56))
LEFT = [55, 54, 40]
RETURNED = [55, 50, 30, 12]


class TestWhoStayedAway:
    @pytest.fixture
    def store(self, tmp_path: Path) -> OfflineStore:
        return shop(tmp_path, {"regular": REGULAR, "left": LEFT, "returned": RETURNED})

    def labels(self, store: OfflineStore, customer: str) -> dict[float, int]:
        found = examples(store, TENANT, SPLIT)
        rows = zip(found.customers, found.at.tolist(), found.stayed_away.tolist(), strict=True)
        return {ago(at): label for who, at, label in rows if who == customer}

    @pytest.mark.parametrize(
        ("customer", "stayed_away"),
        [
            pytest.param("regular", {}, id="one who comes every day"),
            pytest.param("left", {49: 1, 35: 1, 28: 1, 21: 1, 14: 1, 7: 1}, id="one who left"),
            pytest.param("returned", {49: 1, 42: 1, 28: 1, 21: 1, 7: 1}, id="one who came back now and then"),
        ],
    )
    def test_who_orders_nothing_within_the_horizon(
        self, store: OfflineStore, customer: str, stayed_away: dict[float, int]
    ) -> None:
        everywhere = dict.fromkeys((49.0, 42.0, 35.0, 28.0, 21.0, 14.0, 7.0), 0)
        assert self.labels(store, customer) == everywhere | stayed_away

    def test_what_is_known_at_a_moment_ends_there(self, store: OfflineStore) -> None:
        found = examples(store, TENANT, SPLIT)
        (row,) = [
            place
            for place, (who, at) in enumerate(zip(found.customers, found.at.tolist(), strict=True))
            if (who, ago(at)) == ("returned", 28)
        ]
        values = dict(zip(NEEDS.names, found.matrix[row].tolist(), strict=True))
        assert (values[ORDERS], values[RECENCY], values["lifetime_value"]) == (3, 1.5, 30.0)

    def test_another_tenants_customers_are_nobody_here(self, store: OfflineStore) -> None:
        with pytest.raises(ConfigError, match="train: 0 customers, 0 of whom stayed away; both kinds"):
            examples(store, "somebody-else", SPLIT)

    def test_the_days_that_are_known_end_with_the_last_whole_one(self, store: OfflineStore) -> None:
        assert tuple(map(ago, known_days(store, TENANT))) == (55, 1)
        with pytest.raises(ConfigError, match="knows no order of somebody-else: `signalbox features"):
            known_days(store, "somebody-else")

    def test_who_is_long_gone_is_asked_no_more(self, tmp_path: Path) -> None:
        store = shop(tmp_path, {"regular": REGULAR, "left": LEFT, "gone": [139]})
        found = examples(store, TENANT, SPLIT)
        rows = zip(found.customers, found.at.tolist(), strict=True)
        assert [ago(at) for who, at in rows if who == "gone"] == [49]

    def test_a_part_where_all_are_alike_teaches_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"train: 4 customers, 0 of whom stayed away; both kinds"):
            examples(shop(tmp_path, {"regular": REGULAR}), TENANT, SPLIT)


@pytest.fixture(scope="module")
def churn(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(small_store(), TENANT, SPLIT, tmp_path_factory.mktemp("models"), PROVENANCE, Silent())


class TestWhatIsTrained:
    def test_it_beats_recency_alone_on_weeks_that_it_has_not_seen(self, churn: Trained) -> None:
        metrics = churn.metadata.recipe.metrics
        assert metrics["auc_roc"] > metrics["recency_alone_auc_roc"]
        assert metrics["brier"] < metrics["recency_alone_brier"]

    def test_it_says_all_of_itself(self, churn: Trained) -> None:
        metadata = churn.metadata
        assert lacks(metadata.recipe, metadata.provenance) == ()
        assert metadata.recipe.parameters["horizon_days"] == HORIZON_DAYS
        assert (metadata.recipe.data.first, metadata.recipe.data.last) == ("2026-01-12", "2026-03-01")

    def test_it_can_be_served_and_says_its_horizon(self, churn: Trained) -> None:
        artifact = load(churn.path)
        workflow = ChurnWorkflow.load(artifact, ChurnThresholds(0.5, 0.8))
        assert workflow.version.model_id == "churn-predictor-v1"
        assert calibration_of(artifact).horizon_days == HORIZON_DAYS

    def test_served_as_a_worker_serves_it_it_does_as_well_as_training_said(self, churn: Trained) -> None:
        metrics = churn.metadata.recipe.metrics
        served = churn.bench.metrics(load(churn.path))
        assert served == {name: pytest.approx(metrics[name], abs=1e-6) for name in served}
        assert 0 < churn.bench.latency_ms(load(churn.path), batch=64) < 1_000

    def test_a_version_that_looks_less_far_ahead_is_not_measured_on_its_rows(
        self, churn: Trained, tmp_path: Path
    ) -> None:
        nearer = msgspec.structs.replace(calibration_of(load(churn.path)), horizon_days=HORIZON_DAYS - 1)
        files = {CALIBRATION: msgspec.json.encode(nearer)}
        path, _ = save(tmp_path, files, churn.metadata.recipe, PROVENANCE)
        with pytest.raises(IncomparableError, match="looks 6 days ahead, and not 7"):
            churn.bench.metrics(load(path))

    def test_the_same_orders_give_the_same_digest(self, churn: Trained, tmp_path: Path) -> None:
        again = train(small_store(), TENANT, SPLIT, tmp_path, PROVENANCE, Silent())
        assert again.metadata.digest == churn.metadata.digest

    def test_other_weeks_give_another(self, churn: Trained, tmp_path: Path) -> None:
        earlier = Split.before(UNTIL - DAY_MS, SINCE, HORIZON_DAYS, calibration_weeks=2, test_weeks=1)
        assert train(small_store(), TENANT, earlier, tmp_path, PROVENANCE, Silent()).metadata.digest != (
            churn.metadata.digest
        )


class TestProbabilities:
    LABELS = np.array([0, 0, 1, 0, 1, 1])
    SAID = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.8])

    def test_the_parts_hold_as_many_each_the_lowest_first(self) -> None:
        low, high = calibration(self.LABELS, self.SAID, bins=2)
        assert low == pytest.approx((0.2, 1 / 3, 3))
        assert high == pytest.approx((0.7, 2 / 3, 3))

    def test_who_is_always_right_on_average_has_no_error(self) -> None:
        always_half = np.full(1_000, 0.5)
        assert calibration_error(np.tile([0, 1], 500), always_half) == 0

    def test_who_is_sure_and_wrong_has_the_largest(self) -> None:
        assert calibration_error(np.zeros(20, np.int64), np.ones(20)) == 1

    def test_the_figures(self) -> None:
        found = evaluate(self.LABELS, self.SAID)
        assert found["auc_roc"] == pytest.approx(8 / 9, abs=1e-6)
        assert found["brier"] == pytest.approx(float(np.mean((self.SAID - self.LABELS) ** 2)), abs=1e-6)


def test_a_moment_is_said_as_its_day() -> None:
    assert day(UNTIL) == "2026-03-02"
