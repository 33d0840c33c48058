"""The stand-ins of an LLM and a support platform run, ingest, and keep their state."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from events.topics import EVENTS
from models.support.actions import Refund
from models.support.platform import Resolution, TicketRef
from models.support.platform_http import connect_platform
from stack.embedded import free_port, kafka, running
from stack.examples import envelope
from stack.stand_ins import SCRIPTED_MODEL, scripted_llm, support_desk
from transport.topics import TopicSpec, create_topics

TENANT = "retailpulse"
TICKET = TicketRef(tenant_id=TENANT, ticket_id="t-301", customer_id="c-17", event_id="e-2")
REFUND = Refund(order_id="o-1001", amount_minor=12_990, currency="EUR", reason="it never came")


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Kafka with one order and one ticket, and something that is neither."""
    with running(kafka(free_port()), tmp_path_factory.mktemp("kafka") / "log") as address:
        create_topics(AdminClient({"bootstrap.servers": address}), [TopicSpec(EVENTS, 2)])
        producer = Producer({"bootstrap.servers": address})
        for event_type, event_id in (("order.placed", "e-1"), ("support.ticket.escalated", "e-2")):
            producer.produce(EVENTS, value=msgspec.json.encode(envelope(event_type, event_id)))
        producer.produce(EVENTS, value=b"no event")
        assert producer.flush(10) == 0
        yield address


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def tell(url: str) -> list[str]:
    """Have the desk refund the order and close the ticket, once it knows of both; its references."""
    platform = connect_platform(url, "opens", key_life=60_000)
    until(lambda: platform.order(TENANT, "o-1001") is not None)
    told = [
        platform.act("k-1", TICKET, REFUND).reference,
        platform.resolve("k-2", TICKET, Resolution(reply="r", summary="s")).reference,
    ]
    order = platform.order(TENANT, "o-1001")
    platform.close()
    assert order is not None
    assert (order.total_minor, order.refunded_minor) == (12_990, 12_990)
    until(lambda: counts(url)["escalated"] == 1)
    return told


def counts(url: str) -> dict[str, int]:
    answer = httpx2.get(f"{url}/api/counts", headers={"Authorization": "Bearer opens"})
    return msgspec.json.decode(answer.content, type=dict[str, int])


def test_the_desk_learns_from_kafka_and_keeps_what_it_was_told_over_a_restart(
    bootstrap: str, tmp_path: Path
) -> None:
    references = []
    for _ in range(2):
        server = support_desk(free_port(), tmp_path, bootstrap, "opens")
        with running(server, tmp_path / "log", timeout=60) as url:
            references.append(tell(url))
            known = counts(url)
    assert references[0] == references[1]
    assert (known["resolved"], known["refunds"], known["over_refunded"]) == (1, 1, 0)


def test_the_script_answers_and_says_what_it_is_in_every_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(scripted_llm(free_port()), log, timeout=60) as url:
        answer = httpx2.post(
            f"{url}/chat/completions", json={"messages": [{"role": "user", "content": "anything"}]}
        )
        assert answer.json()["model"] == SCRIPTED_MODEL
    lines = log.read_text().splitlines()
    assert lines
    assert all(line.startswith(f"{SCRIPTED_MODEL} (no language model): ") for line in lines)
