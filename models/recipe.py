"""Metadata of a version: its dataset, training, features and author."""

from collections.abc import Iterator

import msgspec

from features.contract import Contract, Need
from features.schema import Definitions


class DataSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a model was fitted and measured on.

    `first` and `last` (ISO 8601, inclusive) are the range of the point-in-time join that training looked at;
    `ranges` says which part of it served what: `{"train": "2026-01-01 to 2026-01-28", …}`. `rows` and
    `labels` count, by part: `{"train": 1_000, "test": 200}`, `{"train.fraud": 12, …}`. `sha256` (hex) is of
    the rows themselves.
    """

    first: str
    last: str
    ranges: dict[str, str]
    rows: dict[str, int]
    labels: dict[str, int]
    sha256: str


class Column(msgspec.Struct, frozen=True):
    """One value that goes in or comes out, and its type in MLflow's words: `double`, `long`, `string`."""

    name: str
    type: str = "double"


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """What a model takes, in that order, and what it gives."""

    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides what a version answers, besides its files, and how well it did.

    `payload` and `needs` are the features that it was trained on, as `features.contract.Contract` has them,
    and `feature_hash` that contract's.
    """

    model: str
    data: DataSummary
    parameters: dict[str, str | int | float | bool]
    metrics: dict[str, float]
    payload: tuple[str, ...]
    needs: tuple[Need, ...]
    feature_hash: str
    signature: Signature

    def contract(self, definitions: Definitions) -> Contract:
        """The features as they are defined now. Raises `ConfigError` if one is not defined any more."""
        return Contract.of(definitions, self.needs, self.payload)


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Under which circumstances a version was made; none of them is part of its digest.

    `trained_at` is ISO 8601. `snapshot` says up to which positions the offline store had counted
    (`features.position`): it moves with every event, also with those that training did not look at.
    """

    trained_at: str
    trained_by: str
    git_commit: str
    libraries: dict[str, str]
    snapshot: str


def lacks(recipe: Recipe, provenance: Provenance) -> tuple[str, ...]:
    """What a version must say of itself and does not, each by its name in `metadata.json`."""
    return tuple(_lacks(recipe, provenance))


def _lacks(recipe: Recipe, provenance: Provenance) -> Iterator[str]:
    data, signature = recipe.data, recipe.signature
    required = {
        "recipe.model": recipe.model,
        "recipe.data.first": data.first,
        "recipe.data.last": data.last,
        "recipe.data.rows": any(data.rows.values()),
        "recipe.data.sha256": data.sha256,
        "recipe.parameters": recipe.parameters,
        "recipe.metrics": recipe.metrics,
        "recipe.needs": recipe.needs or recipe.payload,
        "recipe.feature_hash": recipe.feature_hash,
        "recipe.signature": signature.inputs and signature.outputs,
        "provenance.trained_at": provenance.trained_at,
        "provenance.trained_by": provenance.trained_by,
        "provenance.git_commit": provenance.git_commit,
        "provenance.libraries": provenance.libraries,
        "provenance.snapshot": provenance.snapshot,
    }
    yield from (name for name, said in required.items() if not said)
