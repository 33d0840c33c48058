"""A Celery app with a workflow that does what its events say."""

import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from events.envelope import Envelope
from events.errors import DeadLetter, Retry, SignalboxError, Unavailable
from events.prediction import FraudDetail, Output
from features.contract import Contract
from features.keys import EntityKey
from models.workflow import Answer, Case, ModelVersion
from routing.catalogue import Catalogue, QueueSpec
from tasks.equipment import Addresses
from tasks.loaded import LoadedTask
from tasks.worker import make_app
from tests.fatal import make_fatal
from tests.integration.tasks.rig import TASK


class Scripted:
    """Does what `payload["do"]` says. Each batch that it begins with is a line in the file TEST_DIARY."""

    name = "scripted"
    version = ModelVersion("scripted-v1", "1", "0" * 64, "f" * 12)
    needs = Contract(needs=(), payload=(), hash="f" * 12)

    def entities(self, event: Envelope) -> Mapping[str, EntityKey]:
        """The customer, where the payload names one."""
        customer = event.payload.get("customer_id")
        return {"customer": EntityKey(event.tenant_id, "customer", customer)} if customer else {}

    def entity_id(self, event: Envelope) -> str:
        """The event's own id."""
        return event.event_id

    def infer(self, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
        """One answer a case."""
        diary([case.event.event_id for case in cases])
        return [self._decide(case.event) for case in cases]

    def fall_back(self, case: Case, reason: str) -> Answer:
        """It needs nothing that could be missing."""
        raise NotImplementedError

    def _decide(self, event: Envelope) -> Answer | SignalboxError:
        match event.payload.get("do", "score"):
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
                time.sleep(120)
            case "sleep":
                time.sleep(event.payload["seconds"])
            case "retry":
                return Retry("not yet")
            case "retry the batch":
                raise Retry("not any of you")
            case "refuse":
                return DeadLetter("rejected", "never")
            case "end the producer":
                make_fatal(decide.equipped[0].producers.open()._producer)
            case "bug":
                raise ZeroDivisionError("a bug")
            case "wait" if not Path(event.payload["for"]).exists():
                return Unavailable("oracle", "asleep")
            case "retry until" if not Path(event.payload["for"]).exists():
                return Retry("not yet")
        return Answer(Output("ok", 0.5, "approve", FraudDetail(0.5, 0.9)), {"amount": 1.0})


def diary(event_ids: Sequence[str]) -> None:
    """One line a batch: when, in which process, which events."""
    entry = {"at": time.time(), "pid": os.getpid(), "events": event_ids}
    with Path(os.environ["TEST_DIARY"]).open("a") as file:
        file.write(json.dumps(entry) + "\n")


class Decide(LoadedTask):
    """The scripted workflow's task."""

    name = TASK

    def load(self) -> Scripted:
        """Nothing to load."""
        return Scripted()


def specs() -> tuple[QueueSpec, ...]:
    """The queues, as the test wrote them into TEST_QUEUES."""
    return tuple(QueueSpec(**spec) for spec in json.loads(os.environ["TEST_QUEUES"]))


app = make_app(
    "tests.integration.tasks.app",
    os.environ["CELERY_BROKER_URL"],
    Catalogue(workflows={}, queues={spec.name: spec for spec in specs()}),
    lambda: Addresses(
        kafka=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        redis=os.environ["REDIS_URL"],
        database=os.environ["DATABASE_URL"],
    ),
    include=(),
)
decide = app.register_task(Decide())
