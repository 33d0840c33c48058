"""The support agent on real services: a scripted LLM, a support desk, workers to be killed, and tickets."""

import random
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any
from urllib.request import Request, urlopen

import msgspec
from confluent_kafka import Producer

from events.decision import Millis
from events.envelope import Envelope
from events.topics import EVENTS
from features.offline.store import open_offline
from features.retail import DEFINITIONS
from stack.tickets import LETTERS
from tests.faults.processes import Child, free_port, postgres, wait_until
from tests.faults.rig import Rig
from transport.clock import system_clock
from transport.kafka import producer_config

TENANT = "retailpulse"
QUEUE = "ml.agent.input"
CUSTOMERS = 150
START_S = 120


class Ground:
    """The rig with all that the agent needs beside it. Its workers are `worker-1`, `worker-2`, …"""

    def __init__(self, made: Rig, workers: int, delay_s: float, keys_kept_s: int | None = None) -> None:
        """`keys_kept_s`: after how long the support desk forgets the key of an action."""
        self.made = made
        self.workers = [f"worker-{number}" for number in range(1, workers + 1)]
        ports = made.ports
        ports.update({name: free_port() for name in ("postgres", "llm", "desk")})
        self.database = f"postgresql+psycopg://postgres@127.0.0.1:{ports['postgres']}/postgres"
        self.desk_file = made.folder / "desk.db"
        made.services["postgres"] = postgres(ports["postgres"], made.folder)
        made.services["llm"] = _module(made, "llm", "stack.scripted_llm", "--delay", f"{delay_s:g}")
        desk = ["--database", f"sqlite:///{self.desk_file}"]
        if keys_kept_s is not None:
            desk += ["--keys-kept", str(keys_kept_s)]
        made.services["desk"] = _module(made, "desk", "stack.support_desk", *desk)
        made.extra_env |= {
            "DATABASE_URL": self.database,
            "SIGNALBOX_MODEL_DIR": str(made.folder / "models"),
            "LLM_BASE_URL": f"{self.url('llm')}/v1",
            "LLM_MODEL": "scripted-stand-in",
            "SUPPORT_PLATFORM_URL": self.url("desk"),
            "SUPPORT_PLATFORM_IDEMPOTENT": "true",
            "SUPPORT_PLATFORM_KEY_LIFE_S": str(keys_kept_s or 86_400),
        }

    def url(self, service: str) -> str:
        """Where one of ours listens."""
        return f"http://127.0.0.1:{self.made.ports[service]}"

    def begin(self) -> None:
        """Start everything; returns once each worker has its version."""
        made = self.made
        for service in ("postgres", "llm", "desk"):
            made.services[service].start()
            made.wait_for(service)
        store = open_offline(self.database)
        store.create(DEFINITIONS)
        store.database.close()
        made.complete("register", "agent", "register")
        made.run("dispatcher", "dispatcher")
        made.run("reconciler", "reconcile")
        made.run("features", "features", "pipeline")
        for name in self.workers:
            made.run(name, "worker", QUEUE)
        for name in self.workers:
            wait_until(partial(self._loaded, name), START_S, f"{name} has its version")

    def _loaded(self, name: str) -> bool:
        return " is loaded" in (self.made.folder / f"{name}.log").read_text(errors="replace")

    def fail(self, **faults: object) -> None:
        """Let the LLM's stand-in fail from now on as `LlmFaults` say."""
        post(f"{self.url('llm')}/faults", faults)

    def lose(self, **faults: object) -> None:
        """Let the support desk fail from now on as `DeskFaults` say."""
        post(f"{self.url('desk')}/faults", faults)

    def said(self, service: str, path: str) -> Any:
        """What one of ours answers."""
        with urlopen(f"{self.url(service)}{path}", timeout=10) as answer:
            return msgspec.json.decode(answer.read())

    def kill(self, name: str) -> None:
        """SIGKILL a worker with all its threads, and start it again."""
        child = self.made.parts[name]
        child.kill()
        child.start()


def _module(made: Rig, name: str, module: str, *arguments: str) -> Child:
    command = (sys.executable, "-m", module, "--port", str(made.ports[name]), *arguments)
    return Child(name, command, made.folder / f"{name}.log", made.env)


def post(url: str, body: Mapping[str, object]) -> None:
    """Send JSON. Raises `URLError` if it was not taken."""
    with urlopen(Request(url, msgspec.json.encode(body), method="POST"), timeout=10) as answer:
        answer.read()


class Ticket(msgspec.Struct, frozen=True):
    """One escalation and the order that it is of."""

    event_id: str
    ticket_id: str
    customer_id: str
    order_id: str
    total: float
    payload: dict[str, Any]


def tickets(run: str, count: int, seed: int) -> Iterator[Ticket]:
    """Of customers who have more than one, in every kind of letter, the hostile ones too."""
    rng = random.Random(seed)
    for number in range(count):
        customer, order_id = f"c-{rng.randrange(CUSTOMERS)}", f"o-{run}-{number}"
        letter = rng.choice(LETTERS)
        payload = {
            "ticket_id": f"t-{run}-{number}",
            "customer_id": customer,
            "subject": letter.subject,
            "body": letter.body.format(order=order_id),
            "reason": letter.reason,
        }
        if letter.named:
            payload["order_id"] = order_id
        total = round(rng.lognormvariate(3.5, 0.9), 2)
        yield Ticket(f"{run}-{number}", payload["ticket_id"], customer, order_id, total, payload)


def place_orders(bootstrap: str, known: list[Ticket]) -> None:
    """What the tickets are about, in Kafka before them."""
    producer = Producer(producer_config(bootstrap, **{"linger.ms": 5, "log_level": 2}))
    for ticket in known:
        payload = {
            "order_id": ticket.order_id,
            "customer_id": ticket.customer_id,
            "terminal_id": "t-1",
            "amount": ticket.total,
            "currency": "GBP",
        }
        _produce(producer, ticket, f"order-{ticket.event_id}", "order.placed", payload)
    producer.flush(60)


def escalate(bootstrap: str, known: list[Ticket], rate: float) -> None:
    """One ticket after the other at a steady rate (a second)."""
    producer = Producer(producer_config(bootstrap, **{"linger.ms": 5, "log_level": 2}))
    start = time.monotonic()
    for number, ticket in enumerate(known):
        if (left := start + number / rate - time.monotonic()) > 0:
            producer.poll(0)
            time.sleep(left)
        _produce(producer, ticket, ticket.event_id, "support.ticket.escalated", ticket.payload)
    producer.flush(60)


def _produce(
    producer: Producer, ticket: Ticket, event_id: str, event_type: str, payload: dict[str, Any]
) -> None:
    now: Millis = system_clock()
    event = Envelope(
        event_id=event_id,
        event_type=event_type,
        source="faults",
        version="1.0.0",
        occurred_at=now,
        tenant_id=TENANT,
        payload=payload,
    )
    producer.produce(EVENTS, value=msgspec.json.encode(event), key=ticket.customer_id.encode())


def desk_knows(ground: Ground, orders: int) -> None:
    """Return once the support desk has learned of every order."""

    def known() -> bool:
        with closing(sqlite3.connect(ground.desk_file)) as connection:
            found = connection.execute("SELECT count(*) FROM desk_orders").fetchone()
        return int(found[0]) >= orders

    wait_until(known, 60, f"the desk knows {orders} orders")
