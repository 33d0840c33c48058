"""docker-compose.yml has the whole production shape, asks for every password and has no secret in it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import cli
from routing import load
from settings import Settings
from stack.history import TRAIN_DAYS

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
SHIPPED_QUEUES = {
    "ml.fraud.input",
    "ml.forecast.input",
    "ml.forecast.batch",
    "ml.forecast.nights",
    "ml.churn.input",
    "ml.agent.input",
    "ml.training",
    "ml.features",
}
SECRET = re.compile(r"PASS|AUTH|SECRET|TOKEN|KEY(?!_LIFE)")
FROM_ENVIRONMENT = re.compile(r"\$\{[A-Z_]+:(\?[^}]+|-)\}")
ONE_SHOT = {"topics", "database", "train"}
IN_THE_IMAGE = {"model_dir", "model_cache", "training_reports", "metrics_port", "replicas", "message_key"}
"""Settings that the file itself decides on; files of `config/` are mounted."""


def environment() -> Iterator[tuple[str, str, str]]:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            yield name, variable, str(value)


def test_every_part_of_production_is_there() -> None:
    assert {
        "kafka",
        "schema-registry",
        "redis",
        "redis-broker",
        "rabbitmq",
        "postgres",
        "mlflow",
        "objects",
        "topics",
        "dispatcher",
        "feature-pipeline",
        "reconciler",
        "beat",
        "flower",
    } <= set(SERVICES)


def test_each_worker_serves_a_queue_of_its_own_and_the_shipped_queues_have_theirs() -> None:
    catalogue = load(ROOT / "config/routing_table.yaml", ROOT / "config/workflows.yaml").catalogue
    commands = [service.get("command", []) for service in OURS.values()]
    fed = [command[1] for command in commands if command[0] == "worker"]
    assert len(fed) == len(set(fed))
    # not the other way round for every queue: an installation may run the pool that it adds elsewhere
    assert SHIPPED_QUEUES <= set(fed) <= {name for name, queue in catalogue.queues.items() if queue.served}


@pytest.mark.parametrize("name", [name for name, service in OURS.items() if "entrypoint" not in service])
def test_each_command_is_one_that_signalbox_has(name: str) -> None:
    known = set(typer.main.get_group(cli.app).commands)
    assert OURS[name]["command"][0] in known


def test_a_model_is_trained_on_as_many_days_as_the_generated_past_is_made_for() -> None:
    assert SERVICES["train"]["command"][-2:] == ["--train-days", str(TRAIN_DAYS)]


def test_no_secret_stands_in_the_file() -> None:
    secrets = [
        (service, variable, part)
        for service, variable, value in environment()
        if SECRET.search(variable)
        for part in re.split(r"(?<=\}):", value)
        # an address is looked at by itself, below
        if "//" not in value
    ]
    assert secrets
    assert [each for each in secrets if not FROM_ENVIRONMENT.fullmatch(each[2])] == []


def test_no_address_carries_a_literal_password() -> None:
    addresses = re.findall(
        r"//[^:/@\s]+:(\$\{[^}]*\}|[^@\s]+)@", "\n".join(value for *_, value in environment())
    )
    assert addresses
    assert [each for each in addresses if not FROM_ENVIRONMENT.fullmatch(each)] == []


def test_flower_asks_for_a_password_and_is_published_on_this_machine_only() -> None:
    assert "FLOWER_BASIC_AUTH" in SERVICES["flower"]["environment"]
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


@pytest.mark.parametrize("name", ["redis", "redis-broker"])
def test_redis_forgets_nothing(name: str) -> None:
    command = SERVICES[name]["command"]
    options = dict(zip(command[0::2], command[1::2], strict=True))
    assert (options["--appendonly"], options["--maxmemory-policy"]) == ("yes", "noeviction")


def test_rabbitmq_is_a_choice() -> None:
    assert SERVICES["rabbitmq"]["profiles"] == ["rabbitmq"]


def test_what_is_named_is_declared() -> None:
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= set(SERVICES)
        volumes = [volume.split(":")[0] for volume in service.get("volumes", [])]
        assert {volume for volume in volumes if not volume.startswith(".")} <= set(COMPOSE["volumes"])


def test_the_image_runs_without_root() -> None:
    stages = re.split(r"^FROM ", (ROOT / "deploy/Dockerfile").read_text(), flags=re.MULTILINE)
    base = next(stage for stage in stages if " AS base" in stage)
    assert re.search(r"^USER signalbox$", base, re.MULTILINE)
    final = [stage for stage in stages if stage.startswith("base AS ")]
    assert len(final) == 5
    assert not any("USER root" in stage for stage in final)


@pytest.mark.parametrize("name", [name for name in OURS if name not in ONE_SHOT])
def test_each_of_our_services_says_whether_it_works_and_has_time_to_stop(name: str) -> None:
    assert OURS[name]["healthcheck"]["test"]
    if name != "mlflow":
        assert OURS[name]["stop_grace_period"] == "60s"


def test_each_setting_of_an_installation_can_be_given_in_the_environment() -> None:
    settable = {
        f"SIGNALBOX_{name.upper()}"
        for name, field in Settings.model_fields.items()
        if field.validation_alias is None and not isinstance(field.default, Path) and name not in IN_THE_IMAGE
    }
    environment = OURS["dispatcher"]["environment"]
    assert {f"${{{name}:-}}" for name in settable} <= {
        re.sub(r":-[^}]+\}", ":-}", value) for value in environment.values()
    }


@pytest.mark.parametrize(
    "variable", ["REDIS_URL", "CELERY_BROKER_URL", "DATABASE_URL", "MLFLOW_TRACKING_URI"]
)
def test_no_store_of_ours_is_reached_without_a_password(variable: str) -> None:
    assert re.search(r"//\w*:\$\{[A-Z_]+:\?[^}]+\}@", OURS["dispatcher"]["environment"][variable])


def test_what_the_file_requires_is_in_the_example_of_its_environment() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    example = (ROOT / "deploy/env.example").read_text()
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE))
    assert set(re.findall(r"\$\{([A-Z_]+):\?", text)) <= named
    assert "amqp://signalbox:${RABBITMQ_PASSWORD}@rabbitmq:5672//" in example


def test_no_password_is_an_argument_of_a_command() -> None:
    for service in SERVICES.values():
        words = [*service.get("entrypoint", []), *service.get("command", [])]
        assert not [word for word in words if re.search(r"(?<!\$)\$\{?\w*(PASS|SECRET|TOKEN)", word)]
