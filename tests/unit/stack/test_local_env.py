"""A second terminal has the files and addresses of the running stack."""

from pathlib import Path

import pytest

from settings import Settings
from stack.local_env import published
from stack.up import for_terminals


def test_every_setting_of_the_stack_reaches_another_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "SIGNALBOX_ROUTING_TABLE": "lockers/table.yaml",
        "SIGNALBOX_WORKFLOWS": "lockers/work flows.yaml",
        "SIGNALBOX_TOPICS": "lockers/it's # topics.yaml",
        "SIGNALBOX_NIGHTLY_AT": "03:30",
        "SIGNALBOX_TIME_ZONE": "Europe/Berlin",
        "SIGNALBOX_REPLICAS": "2",
        "KAFKA_SASL_PASSWORD": "a'b\\c d",
        "SUPPORT_PLATFORM_IDEMPOTENT": "true",
        "SIGNALBOX_METRICS_PORT": "9400",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    stack = Settings()
    path = tmp_path / "local.env"
    with published(for_terminals(stack, {"REDIS_URL": "redis://127.0.0.1:1/0"}), path):
        for name in given:
            monkeypatch.delenv(name)
        other = Settings(_env_file=path)
    differing = {name for name in Settings.model_fields if getattr(other, name) != getattr(stack, name)}
    assert differing == {"redis", "metrics_port"}
    assert other.redis == "redis://127.0.0.1:1/0"
    assert other.metrics_port == 0
