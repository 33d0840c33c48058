"""The first version of each model of a stack comes to serve, and is put down to whoever started it."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from events.errors import ConfigError
from models.artifact import load
from models.changes import Changes
from models.registry import CHAMPION, Registry
from stack.champions import ensure_champion
from tests.unit.models.versions import files_of, write
from training.registering import TrainingRegistry
from transport.database import open_database


@pytest.fixture
def env(mlflow_uri: str, tmp_path: Path) -> dict[str, str]:
    return {"MLFLOW_TRACKING_URI": mlflow_uri, "DATABASE_URL": f"sqlite:///{tmp_path / 'changes.db'}"}


def test_it_is_trained_once_and_promoted_with_a_word(
    env: dict[str, str], tmp_path: Path, unique: Callable[[str], str]
) -> None:
    model = unique("oracle")
    trained: list[str] = []
    registry = Registry(env["MLFLOW_TRACKING_URI"])

    def train() -> None:
        folder = write(tmp_path / "trained" / str(len(trained)), files_of("yes", model))
        made = TrainingRegistry(env["MLFLOW_TRACKING_URI"]).register(load(folder, "?"), {})
        registry.point(model, "challenger", made.version)
        trained.append(made.version)

    change = ensure_champion(env, model, train)
    assert change is not None
    assert (change.version, change.why) == ("1", "the first version of a stack that had none")
    with closing(open_database(env["DATABASE_URL"])) as database:
        assert [each.version for each in Changes(database).done(model, CHAMPION)] == ["1"]
    assert ensure_champion(env, model, train) is None
    assert trained == ["1"]


def test_a_training_that_leaves_no_version_does_not_begin_a_stack(
    env: dict[str, str], unique: Callable[[str], str]
) -> None:
    with pytest.raises(ConfigError, match="its training left no version"):
        ensure_champion(env, unique("oracle"), lambda: None)
