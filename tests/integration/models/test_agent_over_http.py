"""A run over HTTP: the client that asks a real endpoint, against the scripted one and each of its faults."""

import time
from collections.abc import Iterator
from dataclasses import replace

import httpx2
import msgspec
import pytest

from events.prediction import Output, SupportDetail
from models.support.llm import Endpoint
from models.support.run import work
from models.support.steps import Ended
from stack.embedded import free_port, running
from stack.stand_ins import scripted_llm
from tests.memory_platform import MemoryPlatform
from tests.unit.models.support.agents import PLAN, order
from tests.unit.models.support.runs import PlainRun, assignment, surroundings
from transport.clock import system_clock

QUICK = msgspec.structs.replace(PLAN, llm=msgspec.structs.replace(PLAN.llm, timeout_s=1.0, patience_s=4.0))


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the script answers, ending in `/v1`."""
    with running(scripted_llm(free_port()), tmp_path_factory.mktemp("llm") / "log", timeout=60) as url:
        yield url


def failing(endpoint: str, **faults: object) -> str:
    """The script fails so from now on."""
    told = httpx2.post(f"{endpoint.removesuffix('/v1')}/faults", json=faults)
    assert told.status_code == 200, told.text
    return endpoint


def worked(endpoint: str | None) -> tuple[Ended, SupportDetail]:
    """One ticket's run."""
    plain = surroundings(None, MemoryPlatform.of([order()]), system_clock)
    around = replace(plain, connect=Endpoint(endpoint).connect)
    ended = work(PlainRun(), assignment(QUICK, deadline=system_clock() + 90_000), around)
    detail = msgspec.json.decode(ended.output, type=Output).detail
    assert isinstance(detail, SupportDetail)
    return ended, detail


def test_a_ticket_is_resolved_over_http(endpoint: str) -> None:
    ended, detail = worked(failing(endpoint))
    assert (detail.outcome, detail.reason, ended.fallback) == ("resolved", "", None)
    assert {call.state for call in detail.tool_calls} == {"confirmed"}
    assert detail.llm_calls >= 4
    assert detail.input_tokens > detail.output_tokens > 0


@pytest.mark.parametrize(
    ("faults", "fallback", "reasons"),
    [
        pytest.param({"down": 1.0}, "no_llm", {"no_llm"}, id="503"),
        pytest.param({"rate_limited": 1.0}, "no_llm", {"no_llm"}, id="429, for as long as it has patience"),
        pytest.param({"slow": 1.0, "slow_s": 3.0}, "no_llm", {"no_llm"}, id="slower than it waits"),
        pytest.param({"broken": 1.0}, None, {"unreadable", "checks"}, id="nothing that can be read"),
        pytest.param({"refusal": 1.0}, None, {"refusal"}, id="a refusal"),
    ],
)
def test_an_endpoint_that_only_fails_leaves_the_ticket_to_a_person(
    endpoint: str, faults: dict[str, float], fallback: str | None, reasons: set[str]
) -> None:
    began = time.monotonic()
    ended, detail = worked(failing(endpoint, **faults))
    assert (detail.outcome, ended.fallback) == ("handed_over", fallback)
    assert detail.reason in reasons
    assert time.monotonic() - began < 60


def test_what_fails_now_and_then_is_resolved_all_the_same(endpoint: str) -> None:
    _, detail = worked(failing(endpoint, rate_limited=0.2, retry_after_s=0, slow=0.2, slow_s=0.3))
    assert (detail.outcome, detail.reason) == ("resolved", "")


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(None, id="none is configured"),
        pytest.param("http://127.0.0.1:9/v1", id="nobody listens there"),
    ],
)
def test_without_an_endpoint_a_ticket_falls_back(address: str | None) -> None:
    ended, _ = worked(address)
    assert ended.fallback == "no_llm"
