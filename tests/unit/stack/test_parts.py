"""What is embedded where only some services are configured?"""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from events.errors import ConfigError
from settings import Settings
from stack.parts import choose_parts

VARIABLES = (
    "KAFKA_BOOTSTRAP_SERVERS",
    "CELERY_BROKER_URL",
    "REDIS_URL",
    "DATABASE_URL",
    "MLFLOW_TRACKING_URI",
)
REAL = {
    "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
    "CELERY_BROKER_URL": "amqp://rabbit//",
    "REDIS_URL": "redis://real:6379/0",
    "DATABASE_URL": "postgresql://real/db",
    "MLFLOW_TRACKING_URI": "http://real:5000",
}


@pytest.mark.parametrize(
    ("configured", "embedded"),
    [
        pytest.param((), {"kafka", "redis", "mlflow"}, id="on a bare laptop everything is embedded"),
        pytest.param(VARIABLES, set(), id="where everything is configured nothing is"),
        pytest.param(
            ("KAFKA_BOOTSTRAP_SERVERS",), {"redis", "mlflow"}, id="a real Kafka, and the rest embedded"
        ),
        pytest.param(
            ("CELERY_BROKER_URL",),
            {"kafka", "redis", "mlflow"},
            id="the queues are real, the features embedded",
        ),
        pytest.param(
            ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "REDIS_URL"),
            {"redis", "mlflow"},
            id="the features are real, the queues embedded",
        ),
    ],
)
def test_what_is_configured_is_used_and_the_rest_embedded(
    configured: tuple[str, ...], embedded: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name in configured:
        monkeypatch.setenv(name, REAL[name])
    parts = choose_parts(Settings(), tmp_path)
    assert parts.embedded == embedded
    assert set(parts.env) == set(VARIABLES)
    assert {name: parts.env[name] for name in configured} == {name: REAL[name] for name in configured}


@pytest.mark.parametrize(
    ("configured", "refused"),
    [
        pytest.param(
            ("DATABASE_URL",),
            "DATABASE_URL: counts features .*: set KAFKA_BOOTSTRAP_SERVERS too",
            id="a database that lasts does not count in a Kafka that lives in memory",
        ),
        pytest.param(
            ("REDIS_URL",),
            "REDIS_URL: holds .*: set DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS too",
            id="an online tier that lasts is not emptied for a stack of one's own",
        ),
        pytest.param(
            ("REDIS_URL", "CELERY_BROKER_URL", "KAFKA_BOOTSTRAP_SERVERS"),
            "REDIS_URL: holds .*: set DATABASE_URL too",
            id="nor for a database of one's own",
        ),
        pytest.param(
            ("REDIS_URL", "DATABASE_URL"),
            "DATABASE_URL: counts features .*\n.*REDIS_URL: holds .*: set KAFKA_BOOTSTRAP_SERVERS too",
            id="nor for a Kafka that lives in memory",
        ),
        pytest.param(
            ("MLFLOW_TRACKING_URI",),
            "MLFLOW_TRACKING_URI: holds models .*: set DATABASE_URL too",
            id="a registry that lasts does not have its changes in a database of one's own",
        ),
    ],
)
def test_what_lasts_is_not_mixed_with_what_begins_here(
    configured: tuple[str, ...], refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name in configured:
        monkeypatch.setenv(name, REAL[name])
    with pytest.raises(ConfigError, match=refused):
        choose_parts(Settings(), tmp_path)


def test_queues_and_features_share_a_server_and_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    env = choose_parts(Settings(), tmp_path).env
    features, queues = urlsplit(env["REDIS_URL"]), urlsplit(env["CELERY_BROKER_URL"])
    assert features.netloc == queues.netloc
    assert features.path != queues.path
