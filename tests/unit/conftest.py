"""What unit tests share."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from settings import Settings, variable_of
from tests.trained import THRESHOLDS, train_small
from training.fraud import Trained

# on a busy machine a test is slow, not wrong
settings.register_profile("signalbox", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("signalbox")


@pytest.fixture(autouse=True)
def no_settings_of_this_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """No unit test sees the services that the integration tests of the same run are given."""
    for name, field in Settings.model_fields.items():
        variable = variable_of(str(field.validation_alias or name))
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(f"{variable}_FILE", raising=False)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A small fraud model in a directory of its own: do not write there."""
    return train_small(tmp_path_factory.mktemp("models"))


@pytest.fixture
def thresholds_file(tmp_path: Path) -> Path:
    """A `config/fraud.yaml` that holds."""
    path = tmp_path / "fraud.yaml"
    path.write_text(THRESHOLDS)
    return path
