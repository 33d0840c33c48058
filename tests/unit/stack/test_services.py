"""The processes of the local stack."""

from pathlib import Path

import pytest

from routing import load
from stack.services import POOLS, TRAFFIC, Plan, Ready, served_queues, services, unserved_queues

ROOT = Path(__file__).parents[3]
RULES = load(ROOT / "config/routing_table.yaml", ROOT / "config/workflows.yaml")
ENV = {"REDIS_URL": "redis://here:1/0"}


def says(_name: str, _text: str, _times: int) -> Ready:
    return lambda: True


def plan(flower_port: int | None = 5555, traffic_rate: float | None = 50) -> Plan:
    return Plan(RULES, ENV, Path("var/local"), flower_port, traffic_rate)


def test_each_part_runs_once_and_each_served_queue_has_its_pool() -> None:
    names = [service.name for service in services(plan(), says, lambda: True)]
    workers = [
        "worker agent",
        "worker churn",
        "worker forecast.batch",
        "worker forecast",
        "worker fraud",
        "worker training",
    ]
    workers += ["worker forecast.nights", "worker features"]
    # an installation adds pools of its own
    parts = {"dispatcher", "pipeline", "reconciler", *workers, "beat", "flower", "traffic"}
    assert parts <= set(names)
    assert all(name.startswith("worker ") for name in set(names) - parts)
    assert len(names) == len(set(names))


def test_queues_without_a_worker_are_known() -> None:
    served = {
        "ml.agent.input",
        "ml.churn.input",
        "ml.forecast.batch",
        "ml.forecast.input",
        "ml.fraud.input",
        "ml.training",
    }
    assert served <= set(served_queues(RULES))
    assert unserved_queues(RULES) == ()


@pytest.mark.parametrize(
    ("made", "absent"),
    [
        pytest.param(plan(flower_port=None), "flower", id="Flower can be left out"),
        pytest.param(plan(traffic_rate=None), "traffic", id="nothing is played unless asked for"),
    ],
)
def test_what_can_be_left_out(made: Plan, absent: str) -> None:
    assert absent not in {service.name for service in services(made, says, lambda: True)}


def test_traffic_ends_before_those_who_work_on_it() -> None:
    tiers = {service.name: service.tier for service in services(plan(), says, lambda: True)}
    assert tiers.pop("traffic") == TRAFFIC
    assert set(tiers.values()) == {POOLS}


def test_everything_finds_the_services() -> None:
    assert all(service.env == ENV for service in services(plan(), says, lambda: True))
