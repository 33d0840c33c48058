"""One event of each workflow over services that ask for TLS, a login and a right: each gets its outcome."""

from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import msgspec
import psutil
import pytest

from events.prediction import Prediction, decode_prediction
from events.topics import EVENTS, PREDICTIONS
from stack.retail import TENANT
from tests.faults.processes import wait_until
from tests.integration.secured.parts import Secured
from transport.clock import system_clock

# one process of a parallel run starts the services
pytestmark = [pytest.mark.xdist_group("secured"), pytest.mark.timeout(600)]

OUTCOME_S = 120
REFUSED_S = 60
LANE = "ml.churn.input.low"
METRIC = "signalbox_refused_topic_info"
PAYLOADS: dict[str, tuple[str, dict[str, Any]]] = {
    "fraud-classifier": (
        "order.placed",
        {"order_id": "o-1", "customer_id": "c-1", "terminal_id": "t-1", "amount": 12.5, "currency": "GBP"},
    ),
    "churn-predictor": ("support.ticket.resolved", {"ticket_id": "s-1", "customer_id": "c-1"}),
    "demand-forecaster": ("inventory.restock_requested", {"sku": "sku-1", "quantity": 5}),
    "ai-support-agent": (
        "support.ticket.escalated",
        {
            "ticket_id": "t-1",
            "customer_id": "c-1",
            "order_id": "o-1",
            "subject": "My order arrived damaged",
            "body": "The mug in my parcel is broken.",
        },
    ),
}


def event(kind: str, event_id: str, payload: dict[str, Any]) -> bytes:
    return msgspec.json.encode(
        {
            "event_id": event_id,
            "event_type": kind,
            "source": "tests",
            "version": "1.0.0",
            "occurred_at": system_clock(),
            "tenant_id": TENANT,
            "payload": payload,
        }
    )


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def running(request: pytest.FixtureRequest, secured: Secured) -> Iterator[tuple[Secured, str]]:
    """The parts, with a Celery broker of this kind."""
    secured.start_all(request.param)
    yield secured, request.param
    secured.stop_all()


def outcomes(made: Secured, event_ids: set[str]) -> dict[str, Prediction]:
    """The predictions of these events, once each has one."""
    reading, found = made.read(PREDICTIONS), dict[str, Prediction]()

    def there() -> bool:
        for value in reading.look():
            prediction = decode_prediction(value)
            found[prediction.source_event_id] = prediction
        return event_ids <= found.keys()

    try:
        wait_until(there, OUTCOME_S, f"outcomes of {sorted(event_ids)}; logs in {made.ground.folder}")
    finally:
        reading.close()
    return found


def test_one_event_of_each_workflow_gets_its_outcome_and_no_secret_is_shown(
    running: tuple[Secured, str],
) -> None:
    made, broker = running
    ids = {workflow: f"{workflow}-{broker}" for workflow in PAYLOADS}
    made.produce(
        EVENTS, {ids[name]: event(kind, ids[name], payload) for name, (kind, payload) in PAYLOADS.items()}
    )
    found = outcomes(made, set(ids.values()))
    assert {workflow: found[event_id].workflow for workflow, event_id in ids.items()} == {
        workflow: workflow for workflow in PAYLOADS
    }
    # without a language model a person has the ticket
    assert found[ids["ai-support-agent"]].output.decision == "escalate"
    assert_secret(made)


@pytest.mark.parametrize("running", ["redis"], indirect=True)
def test_a_lane_whose_right_was_taken_away_stops_alone_and_goes_on_once_it_is_given_back(
    running: tuple[Secured, str],
) -> None:
    made, _ = running
    (_, ticket), (_, order) = PAYLOADS["churn-predictor"], PAYLOADS["fraud-classifier"]
    made.take_away(LANE)
    made.produce(EVENTS, {"held": event("support.ticket.resolved", "held", ticket)})
    wait_until(lambda: refused(made) > 0, REFUSED_S, f"the metric says that {LANE} is refused")
    assert LANE in made.log("dispatcher-redis").read_text()
    made.produce(EVENTS, {"passing": event("order.placed", "passing", order)})
    assert "held" not in outcomes(made, {"passing"})
    made.give_back(LANE)
    assert "held" in outcomes(made, {"held"})
    wait_until(lambda: refused(made) == 0, REFUSED_S, f"the metric says that {LANE} is refused no more")


def refused(made: Secured) -> float:
    """What the dispatcher's metric says of the lane, over both ways in which it can be refused."""
    with urlopen(f"http://127.0.0.1:{made.metrics_port}/metrics", timeout=10) as answer:
        lines: list[str] = answer.read().decode().splitlines()
    found = [line for line in lines if line.startswith(f"{METRIC}{{") and f'topic="{LANE}"' in line]
    return sum(float(line.rpartition(" ")[2]) for line in found)


def assert_secret(made: Secured) -> None:
    """No password is in a log or in a command line of ours."""
    encoded = made.ground.login.partition(":")[2]
    for secret in (made.ground.password, encoded):
        for name in made.parts:
            assert secret not in made.log(name).read_text(errors="replace"), name
        for child in made.parts.values():
            if child.running:
                for process in (
                    psutil.Process(child.pid),
                    *psutil.Process(child.pid).children(recursive=True),
                ):
                    assert secret not in " ".join(process.cmdline())
