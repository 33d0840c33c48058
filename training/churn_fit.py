"""Trees that say who stays away, and what their score means as a probability."""

from dataclasses import dataclass

import lightgbm
import msgspec
import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from events.errors import ConfigError, Problem
from models.calibration import CALIBRATION, Calibration
from models.churn_features import NEEDS, RECENCY
from models.trees import TREES
from training.churn_dataset import Examples, Floats
from training.churn_split import Split, day
from training.fraud import Progress

ROUNDS = 100
"""How many trees are grown."""
# chosen on moments of the retailer's data whose horizon ended before the first that the benchmark measures on
PARAMETERS: dict[str, str | int | float | bool] = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 8,
    "min_data_in_leaf": 100,
    "lambda_l2": 10.0,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "feature_fraction": 0.7,
    "seed": 7,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
# the optimiser's last digits are not the same on every machine
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Fitted:
    """Trees and what their score means."""

    booster: lightgbm.Booster
    calibration: Calibration

    def probabilities(self, matrix: Floats) -> Floats:
        """As the version will answer."""
        return self.calibration.probabilities(_scores(self.booster, matrix))

    def files(self) -> dict[str, bytes]:
        """What a version of it is made of."""
        told = msgspec.json.format(msgspec.json.encode(self.calibration), indent=2)
        return {TREES: self.booster.model_to_string().encode(), CALIBRATION: told + b"\n"}


def fit(found: Examples, split: Split, progress: Progress) -> Fitted:
    """Trees on the moments to fit on, Platt's line on the later ones.

    Raises `ConfigError` if the later ones say the contrary of what was learned.
    """
    learned, later = found.of(split.train), found.of(split.calibration)
    progress.say(told("fit on", learned, split.train))

    def grown(env: lightgbm.callback.CallbackEnv) -> None:
        progress.tree(env.iteration + 1, ROUNDS)

    data = lightgbm.Dataset(learned.matrix, learned.stayed_away, feature_name=list(NEEDS.names))
    booster = lightgbm.train(dict(PARAMETERS), data, num_boost_round=ROUNDS, callbacks=[grown])
    progress.say(told("calibrate on", later, split.calibration))
    # hardly regularised: two numbers from thousands of rows
    line = LogisticRegression(C=1e6).fit(_scores(booster, later.matrix)[:, None], later.stayed_away)
    slope, intercept = round(float(line.coef_[0, 0]), _DIGITS), round(float(line.intercept_[0]), _DIGITS)
    if slope <= 0:
        message = f"{day(split.calibration[0])} and later say the contrary of what was learned before"
        raise ConfigError([Problem("offline feature store", 0, "", f"{message}: slope {slope}")])
    base_rate = round(float(later.stayed_away.mean()), _DIGITS)
    return Fitted(
        booster,
        Calibration(slope=slope, intercept=intercept, base_rate=base_rate, horizon_days=split.horizon_days),
    )


def recency_alone(found: Examples, split: Split, matrix: Floats) -> Floats:
    """The best that the days since the last order can say: their isotonic regression, on the same data."""
    known = found.of((*split.train, *split.calibration))
    column = NEEDS.names.index(RECENCY)
    fitted = IsotonicRegression(out_of_bounds="clip").fit(known.matrix[:, column], known.stayed_away)
    return np.asarray(fitted.predict(matrix[:, column]))


def _scores(booster: lightgbm.Booster, matrix: Floats) -> Floats:
    return np.asarray(booster.predict(matrix, raw_score=True, num_threads=1))


def told(what: str, rows: Examples, moments: tuple[int, ...]) -> str:
    """How many rows of which days serve for something."""
    away = int(rows.stayed_away.sum())
    return f"{what} {len(rows.at):,} of {day(moments[0])} to {day(moments[-1])}, {away:,} of whom stayed away"
