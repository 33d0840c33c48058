"""What a raw score means as a probability, and which calibrations are not taken."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from models.artifact import Artifact, BrokenModelError, Metadata, load
from models.calibration import CALIBRATION, Calibration, calibration_of
from models.recipe import DataSummary, Provenance, Recipe, Signature
from training.saving import save

GOOD = {"slope": 1.2, "intercept": -0.5, "base_rate": 0.3, "horizon_days": 30}


def saved(folder: Path, content: bytes) -> Artifact:
    """A version whose only file is a calibration."""
    data = DataSummary(first="", last="", ranges={}, rows={}, labels={}, sha256="")
    recipe = Recipe(
        model="churn-predictor", data=data, parameters={}, metrics={}, payload=(), needs=(), feature_hash="",
        signature=Signature(inputs=(), outputs=()),
    )  # fmt: skip
    who = Provenance(trained_at="", trained_by="", git_commit="", libraries={}, snapshot="")
    path, metadata = save(folder, {CALIBRATION: content}, recipe, who)
    assert isinstance(metadata, Metadata)
    return load(path)


def test_the_log_odds_are_a_line_over_the_score() -> None:
    calibration = msgspec.convert(GOOD, Calibration)
    scores = np.array([-3.0, 0.0, 0.5, 4.0])
    probabilities = calibration.probabilities(scores)
    assert np.log(probabilities / (1 - probabilities)) == pytest.approx(1.2 * scores - 0.5)


def test_no_score_is_too_large_to_be_a_probability() -> None:
    extremes = msgspec.convert(GOOD, Calibration).probabilities(np.array([-1e9, 1e9]))
    assert (extremes >= 0).all()
    assert (extremes <= 1).all()


def test_what_was_saved_is_what_is_served(tmp_path: Path) -> None:
    assert calibration_of(saved(tmp_path, msgspec.json.encode(GOOD))) == msgspec.convert(GOOD, Calibration)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"{", r"calibration\.json cannot be read", id="no JSON"),
        pytest.param(b'{"slope": 1}', r"missing required field `intercept`", id="a field is missing"),
        pytest.param(
            msgspec.json.encode(GOOD | {"slope": -1.0}), r"slope must be above 0, is -1\.0", id="upside down"
        ),
        pytest.param(msgspec.json.encode(GOOD | {"slope": 0}), r"slope must be above 0", id="flat"),
        pytest.param(
            msgspec.json.encode(GOOD | {"horizon_days": 0}), r"horizon_days 0", id="within no time at all"
        ),
        pytest.param(
            msgspec.json.encode(GOOD | {"base_rate": 1.5}), r"base_rate 1\.5", id="more often than always"
        ),
    ],
)
def test_a_calibration_that_cannot_be_is_a_broken_version(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    with pytest.raises(BrokenModelError, match=reason):
        calibration_of(saved(tmp_path, content))
