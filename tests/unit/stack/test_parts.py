"""The parts that are embedded if only some services are configured."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from events.errors import ConfigError
from settings import Settings
from stack.parts import choose_parts
from stack.scripted_llm.wire import NAME
from stack.stand_ins import SCRIPTED_MODEL

VARIABLES = (
    "KAFKA_BOOTSTRAP_SERVERS",
    "CELERY_BROKER_URL",
    "REDIS_URL",
    "DATABASE_URL",
    "MLFLOW_TRACKING_URI",
    "LLM_BASE_URL",
    "SUPPORT_PLATFORM_URL",
)
AGENTS = {"scripted LLM", "support desk"}
REAL = {
    "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
    "CELERY_BROKER_URL": "amqp://rabbit//",
    "REDIS_URL": "redis://real:6379/0",
    "DATABASE_URL": "postgresql://real/db",
    "MLFLOW_TRACKING_URI": "http://real:5000",
    "LLM_BASE_URL": "https://llm.example/v1",
    "SUPPORT_PLATFORM_URL": "https://desk.example",
}


@pytest.mark.parametrize(
    ("configured", "embedded"),
    [
        pytest.param((), {"kafka", "redis", "mlflow", *AGENTS}, id="on a bare laptop everything is embedded"),
        pytest.param(VARIABLES, set(), id="where everything is configured nothing is"),
        pytest.param(
            ("KAFKA_BOOTSTRAP_SERVERS",),
            {"redis", "mlflow", *AGENTS},
            id="a real Kafka, and the rest embedded",
        ),
        pytest.param(
            ("CELERY_BROKER_URL",),
            {"kafka", "redis", "mlflow", *AGENTS},
            id="the queues are real, the features embedded",
        ),
        pytest.param(
            ("LLM_BASE_URL",),
            {"kafka", "redis", "mlflow", "support desk"},
            id="a real LLM, and a desk where nobody is paid",
        ),
        pytest.param(
            ("SUPPORT_PLATFORM_URL",),
            {"kafka", "redis", "mlflow", "scripted LLM"},
            id="a real support platform",
        ),
        pytest.param(
            ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "REDIS_URL"),
            {"redis", "mlflow", *AGENTS},
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
    assert set(parts.env) >= set(VARIABLES)
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


def test_nobody_takes_the_script_for_a_language_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LLM_MODEL", "gpt-4.1-mini")
    parts = choose_parts(Settings(), tmp_path)
    assert parts.env["LLM_MODEL"] == SCRIPTED_MODEL == NAME
    assert any("scripted stand-in" in server.note for server in parts.servers)


def test_a_model_that_is_configured_keeps_its_name_and_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, REAL[name])
    monkeypatch.setenv("LLM_API_KEY", "secret")
    parts = choose_parts(Settings(), tmp_path)
    assert not parts.env.keys() & {"LLM_MODEL", "LLM_API_KEY", "EMBEDDING_MODEL", "SUPPORT_PLATFORM_TOKEN"}
    assert parts.desk is None


def test_without_a_route_to_the_agent_nothing_stands_in_for_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    parts = choose_parts(Settings(), tmp_path, agent=False)
    assert parts.embedded == {"kafka", "redis", "mlflow"}
    assert not parts.env.keys() & {"LLM_BASE_URL", "SUPPORT_PLATFORM_URL"}


def test_the_desk_of_a_stack_opens_to_its_own_agent_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    first, second = choose_parts(Settings(), tmp_path), choose_parts(Settings(), tmp_path)
    assert first.env["SUPPORT_PLATFORM_TOKEN"] != second.env["SUPPORT_PLATFORM_TOKEN"]
    (desk,) = (server for server in first.servers if server.name == "support desk")
    assert desk.env["SUPPORT_PLATFORM_TOKEN"] == first.env["SUPPORT_PLATFORM_TOKEN"]
    assert first.desk == desk.url == first.env["SUPPORT_PLATFORM_URL"]
