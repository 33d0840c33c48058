"""The scripted server speaks the protocol, and fails as configured."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest
from starlette.testclient import TestClient

from stack.scripted_llm.app import ScriptedLlm
from stack.scripted_llm.embeddings import vector
from stack.scripted_llm.faults import Failing, LlmFaults, fault_of
from stack.scripted_llm.wire import NAME
from tests.unit.stack.scripted_llm.conversations import request

CHAT = "/v1/chat/completions"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def client(said: list[str]) -> Iterator[TestClient]:
    with TestClient(ScriptedLlm(0, said.append).app(), base_url="http://127.0.0.1") as made:
        yield made


def told(client: TestClient, **faults: float) -> None:
    assert client.post("/faults", json=faults).status_code == 200


def asked(client: TestClient, body: str = "It is late.") -> httpx2.Response:
    answer: httpx2.Response = client.post(CHAT, json=request(body))
    return answer


def test_an_answer_calls_a_tool_and_says_what_it_comes_from(client: TestClient, said: list[str]) -> None:
    answer = asked(client).json()
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "search_policies"
    assert answer["model"] == NAME == "scripted-stand-in"
    assert answer["usage"]["total_tokens"] > 0
    assert said == ["ticket t-1, call 1: search_policies"]


def test_it_says_what_it_is(client: TestClient) -> None:
    assert client.get("/v1/models").json()["data"][0]["id"] == NAME
    assert client.get("/health").json()["is"] == NAME


@pytest.mark.parametrize(
    ("faults", "status"),
    [
        pytest.param({"down": 1}, 503, id="down"),
        pytest.param({"rate_limited": 1}, 429, id="too busy"),
    ],
)
def test_who_is_turned_away_is_told_so(client: TestClient, faults: dict[str, float], status: int) -> None:
    told(client, **faults, retry_after_s=2)
    answer = asked(client)
    assert answer.status_code == status
    assert answer.json()["error"]["message"].startswith(NAME)
    assert answer.headers.get("Retry-After") == ("2" if status == 429 else None)


def test_a_refusal_is_said_in_the_protocols_own_way(client: TestClient) -> None:
    told(client, refusal=1)
    (choice,) = asked(client).json()["choices"]
    assert choice["message"]["refusal"]
    assert choice["message"]["content"] is None


def broken_kind(answer: httpx2.Response) -> str:
    try:
        body: dict[str, Any] = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return "body"
    if not body["choices"]:
        return "empty"
    arguments = body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(arguments)
    return "arguments"


def test_what_is_broken_is_broken_in_each_of_three_ways(client: TestClient) -> None:
    told(client, broken=1)
    assert {broken_kind(asked(client)) for _ in range(30)} == {"body", "empty", "arguments"}


def test_an_endpoint_that_was_down_answers_again(client: TestClient) -> None:
    told(client, down=1)
    assert asked(client).status_code == 503
    told(client)
    assert asked(client).status_code == 200


def test_each_fault_comes_as_often_as_it_was_told_to() -> None:
    faults = LlmFaults(slow=0.1, broken=0.05, rate_limited=0.05, seed=1)
    drawn = Counter(fault_of(faults, f"t-{ticket}", call, 1) for ticket in range(2_000) for call in range(5))
    broken = drawn["body"] + drawn["arguments"] + drawn["empty"]
    assert 900 < drawn["slow"] < 1_100
    assert 400 < broken < 600
    assert 400 < drawn["rate_limited"] < 600
    assert drawn["refusal"] == drawn["down"] == 0


def test_the_same_seed_fails_in_the_same_places() -> None:
    faults = LlmFaults(broken=0.5)
    first, second = Failing(), Failing()
    first.faults = second.faults = faults
    tickets = [f"t-{number % 5}" for number in range(50)]
    assert [first.draw(each, 1) for each in tickets] == [second.draw(each, 1) for each in tickets]


def test_who_asks_again_comes_through() -> None:
    failing = Failing()
    failing.faults = LlmFaults(rate_limited=0.5)
    assert None in {failing.draw("t-1", 1).fault for _ in range(20)}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT, "{"),
        (CHAT, "{}"),
        (CHAT, '{"messages": [], "stream": true}'),
        ("/v1/embeddings", '{"input": 3}'),
        ("/faults", '{"lots": 1}'),
    ],
)
def test_what_cannot_be_read_is_refused(client: TestClient, path: str, body: str) -> None:
    assert client.post(path, content=body.encode()).status_code == 400


def test_embeddings_come_in_the_order_of_the_texts(client: TestClient) -> None:
    answer = client.post(
        "/v1/embeddings", json={"model": "any", "input": ["late parcel", "broken lamp"]}
    ).json()
    assert [each["index"] for each in answer["data"]] == [0, 1]
    assert answer["data"][1]["embedding"] == pytest.approx(vector("broken lamp"))


def test_texts_with_the_same_words_are_near() -> None:
    def nearness(one: str, other: str) -> float:
        return sum(a * b for a, b in zip(vector(one), vector(other), strict=True))

    assert nearness("refunds for broken lamps", "a broken lamp is refunded") > 0.4
    assert nearness("refunds for broken lamps", "gift cards expire") < 0.2
    assert nearness("", "anything") == 0
