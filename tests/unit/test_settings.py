"""Sources of the settings, and the error for one that is missing or wrong."""

from collections.abc import Iterator
from datetime import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from events.errors import ConfigError
from settings import LOCAL_ENV, Settings, load_settings, local_stack_runs
from stack.local_env import AlreadyRunningError, published
from transport.http import HttpPlace

ADDRESSES = {
    "CELERY_BROKER_URL": "celery_broker_url",
    "REDIS_URL": "redis_url",
    "DATABASE_URL": "database_url",
    "SUPPORT_PLATFORM_URL": "support_platform_url",
}


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in (*ADDRESSES, "KAFKA_BOOTSTRAP_SERVERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


@pytest.mark.parametrize(("variable", "attribute"), ADDRESSES.items())
def test_an_address_that_is_set_nowhere_is_an_error_with_the_way_out(variable: str, attribute: str) -> None:
    with pytest.raises(ConfigError, match=rf"environment: {variable}: is not set: set it, or .*signalbox up"):
        getattr(load_settings(), attribute)


@pytest.mark.parametrize(("variable", "attribute"), ADDRESSES.items())
def test_the_environment_sets_an_address(
    variable: str, attribute: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "redis://somewhere:1")
    assert getattr(load_settings(), attribute) == "redis://somewhere:1"


def test_kafka_that_is_set_nowhere_is_an_error_with_the_way_out() -> None:
    with pytest.raises(ConfigError, match=r"environment: KAFKA_BOOTSTRAP_SERVERS: is not set: set it, or "):
        _ = load_settings().kafka_cluster


def test_the_environment_names_the_brokers_of_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "one:9092,two:9092")
    assert load_settings().kafka_cluster.bootstrap == "one:9092,two:9092"


def test_an_empty_variable_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "")
    assert load_settings().redis is None


def test_a_schema_registry_is_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCHEMA_REGISTRY_URL", raising=False)
    assert Settings().schema_registry is None
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", "http://registry:8081")
    assert Settings().schema_registry == HttpPlace("http://registry:8081")


def test_without_a_language_model_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL", "EMBEDDING_MODEL"):
        monkeypatch.delenv(name, raising=False)
    found = Settings()
    assert (found.llm, found.llm_key, found.llm_model, found.embedding_model) == (None,) * 4


@pytest.mark.parametrize("variable", ["LLM_API_KEY", "SUPPORT_PLATFORM_TOKEN"])
def test_a_key_is_not_printed_with_the_settings(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "s3cret")
    found = Settings()
    assert "s3cret" not in repr(found)
    assert "s3cret" not in str(found.model_dump())


def test_every_variable_that_cannot_be_used_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALBOX_PARTITIONS", "-1")
    monkeypatch.setenv("SIGNALBOX_METRICS_PORT", "http")
    with pytest.raises(ConfigError) as raised:
        load_settings()
    assert [problem.key for problem in raised.value.problems] == [
        "SIGNALBOX_PARTITIONS",
        "SIGNALBOX_METRICS_PORT",
    ]
    assert "is '-1'" in str(raised.value)


def test_a_value_that_may_hold_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALBOX_PARTITIONS", "redis://:s3cret@h")
    with pytest.raises(ConfigError, match="SIGNALBOX_PARTITIONS") as raised:
        load_settings()
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("variable", ADDRESSES)
def test_the_password_of_an_address_is_not_printed_with_the_settings(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "any://user:s3cret@host/0")
    assert "s3cret" not in repr(load_settings())


@pytest.mark.parametrize(("variable", "attribute"), [*ADDRESSES.items(), ("SIGNALBOX_TENANT", "tenant")])
def test_every_setting_may_come_from_a_file_that_is_named(
    variable: str, attribute: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("redis://:p w@h/0\n")
    monkeypatch.setenv(f"{variable}_FILE", str(tmp_path / "secret"))
    assert getattr(load_settings(), attribute) == "redis://:p w@h/0"


@pytest.mark.parametrize("variable", ["LLM_API_KEY", "SUPPORT_PLATFORM_TOKEN", "KAFKA_SASL_PASSWORD"])
def test_a_key_from_a_file_is_not_printed_either(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text("s3cret\r\n")
    monkeypatch.setenv(f"{variable}_FILE", str(tmp_path / "key"))
    found = load_settings()
    assert "s3cret" in {value.get_secret_value() for _, value in found if isinstance(value, SecretStr)}
    assert "s3cret" not in repr(found)


def test_a_setting_and_its_file_are_one_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("redis://file:1/0")
    monkeypatch.setenv("REDIS_URL", "redis://:s3cret@h:1/0")
    monkeypatch.setenv("REDIS_URL_FILE", str(tmp_path / "secret"))
    with pytest.raises(
        ConfigError, match="environment: REDIS_URL: is set, and so is REDIS_URL_FILE"
    ) as raised:
        load_settings()
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "No such file or directory"),
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff", "is not UTF-8"),
        (b"x" * 100_001, "is larger than 100,000 bytes"),
    ],
)
def test_a_file_that_holds_no_value_is_named(
    content: bytes | None, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "secret"))
    with pytest.raises(ConfigError, match=f"environment: DATABASE_URL_FILE: .*secret: {complaint}"):
        load_settings()


def test_a_file_that_is_named_goes_before_the_local_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("redis://real:1/0")
    monkeypatch.setenv("REDIS_URL_FILE", str(tmp_path / "secret"))
    with published({"REDIS_URL": "redis://local:1/0"}):
        assert load_settings().redis_url == "redis://real:1/0"


@pytest.mark.parametrize(
    ("variable", "attribute"),
    [("CELERY_BROKER_URL", "celery_broker_url"), ("REDIS_URL", "redis_url")],
)
def test_an_address_that_a_half_could_not_use_ends_every_command_at_its_start(
    variable: str, attribute: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "sqs://key:s3cret@")
    with pytest.raises(ConfigError, match=f"environment: {variable}: begins with sqs://") as raised:
        getattr(load_settings(), attribute)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("variable", ["CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"])
def test_celerys_own_variables_cannot_send_workers_elsewhere(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://h/1")
    monkeypatch.setenv(variable, "redis://other/1")
    with pytest.raises(ConfigError, match=f"{variable}: is Celery's alone: set CELERY_BROKER_URL"):
        _ = load_settings().celery_broker_url


def test_the_settings_of_kafka_become_its_clients_properties(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "KAFKA_BOOTSTRAP_SERVERS": "broker:9093",
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-256",
        "KAFKA_SASL_USERNAME": "dispatcher",
        "KAFKA_SASL_PASSWORD": "s3cret",
    }.items():
        monkeypatch.setenv(name, value)
    cluster = load_settings().kafka_cluster
    assert cluster.properties["sasl.password"] == "s3cret"
    assert "s3cret" not in repr(cluster)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().partitions = 8  # type: ignore[misc]  # what mypy refuses is what is tested


def test_a_command_in_another_terminal_finds_the_local_stack() -> None:
    with published({"REDIS_URL": "redis://local:1/0", "CELERY_BROKER_URL": "redis://local:1/1"}):
        assert load_settings().redis_url == "redis://local:1/0"
        assert load_settings().celery_broker_url == "redis://local:1/1"


def test_the_environment_goes_before_the_local_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://real:1/0")
    with published({"REDIS_URL": "redis://local:1/0"}):
        assert load_settings().redis_url == "redis://real:1/0"


def test_the_file_of_a_stack_that_was_killed_counts_for_nothing() -> None:
    LOCAL_ENV.parent.mkdir()
    LOCAL_ENV.write_text("REDIS_URL=redis://gone:1/0\n")
    assert not local_stack_runs()
    assert load_settings().redis is None


def test_the_file_of_a_stack_that_ended_is_gone() -> None:
    with published({"REDIS_URL": "redis://local:1/0"}):
        assert local_stack_runs()
    assert not LOCAL_ENV.exists()


def test_nobody_else_reads_what_opens_the_support_desk_of_a_local_stack() -> None:
    LOCAL_ENV.parent.mkdir()
    LOCAL_ENV.write_text("")
    LOCAL_ENV.chmod(0o644)
    with published({"SUPPORT_PLATFORM_TOKEN": "opens"}):
        assert LOCAL_ENV.stat().st_mode & 0o777 == 0o600


def test_two_stacks_in_one_folder_are_one_too_many() -> None:
    with (
        published({"REDIS_URL": "redis://first:1/0"}),
        pytest.raises(AlreadyRunningError, match=r"runs here already: .*local\.env"),
        published({"REDIS_URL": "redis://second:1/0"}),
    ):
        pass


def test_configuration_files_are_found_from_the_working_directory() -> None:
    assert Settings().routing_table == Path("config/routing_table.yaml")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({}, ("UTC", time(2)), id="by default at two, UTC"),
        pytest.param(
            {"SIGNALBOX_TIME_ZONE": "Europe/London", "SIGNALBOX_NIGHTLY_AT": "03:30"},
            ("Europe/London", time(3, 30)),
            id="by the shop's own clocks",
        ),
        pytest.param({"SIGNALBOX_NIGHTLY_AT": "off"}, ("UTC", "off"), id="never"),
    ],
)
def test_when_a_night_begins(
    said: dict[str, str], expected: tuple[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert (settings.time_zone.key, settings.nightly_at) == expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SIGNALBOX_TIME_ZONE", "Europe/Lndon"), ("SIGNALBOX_NIGHTLY_AT", "late")],
)
def test_no_night_begins_by_a_clock_that_there_is_not(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=f"environment: {variable}: .*{value}"):
        load_settings()
