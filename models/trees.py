"""Boosted trees of a version, checked to be grown on the features that it names."""

from typing import TYPE_CHECKING

from features.contract import Contract
from models.artifact import Artifact, BrokenModelError

if TYPE_CHECKING:
    from lightgbm import Booster

TREES = "model.txt"
"""The file with the trees, as LightGBM writes them."""


def booster_of(artifact: Artifact, needs: Contract) -> "Booster":
    """The version's trees. Raises `BrokenModelError` if they cannot be read, or are of other columns."""
    # here and not above: whoever imports this module before it forks must not start LightGBM's threads
    from lightgbm import Booster
    from lightgbm.basic import LightGBMError

    try:
        booster = Booster(model_str=artifact.read_text(TREES))
    except LightGBMError as error:
        raise BrokenModelError(artifact.path, f"LightGBM cannot read its trees: {error}") from error
    if tuple(booster.feature_name()) != needs.names:
        raise BrokenModelError(
            artifact.path, "its trees were grown on columns that its metadata does not name"
        )
    return booster
