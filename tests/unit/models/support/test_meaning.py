"""Policies are searched by vectors if an endpoint embeds texts, and by words alone if not."""

import json
import logging
from collections.abc import Callable, Iterator

import httpx2
import pytest

from events.errors import ConfigError, Unavailable
from models.support.embeddings import BATCH, Embeddings, connect_embeddings
from models.support.meaning import RETRY_AFTER, ByMeaning
from models.support.policy import Document, Part

DOCUMENT = Document("D", "support-policies", "", "")
PARTS = tuple(Part(DOCUMENT, "", text) for text in ("north", "east", "north-east"))
DIRECTIONS = {"north": [0.0, 2.0], "east": [3.0, 0.0], "north-east": [1.0, 1.0]}


class Endpoint:
    """Knows where the texts point to; `answer` may say something else."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.answer: Callable[[], httpx2.Response] | None = None
        self.now = 0
        client = httpx2.Client(base_url="http://llm.example/v1", transport=httpx2.MockTransport(self._say))
        self.embeddings = Embeddings(client, "small", clock=lambda: self.now)
        self.meaning = ByMeaning(PARTS, self.embeddings, clock=lambda: self.now)

    def _say(self, request: httpx2.Request) -> httpx2.Response:
        assert str(request.url) == "http://llm.example/v1/embeddings"
        body = json.loads(request.content)
        assert body["model"] == "small"
        self.asked.append(body["input"])
        return self.answer() if self.answer else httpx2.Response(200, json={"data": vectors(body["input"])})


def vectors(texts: list[str]) -> list[dict[str, object]]:
    """As the endpoint gives them, in no order."""
    found = [DIRECTIONS.get(text.strip(), [1.0, 0.1]) for text in texts]
    return [{"index": at, "embedding": row, "object": "embedding"} for at, row in enumerate(found)][::-1]


def refused() -> httpx2.Response:
    """An endpoint that is there and does not work."""
    return httpx2.Response(503)


def gone() -> httpx2.Response:
    """No endpoint."""
    raise httpx2.ConnectError("refused")


@pytest.mark.parametrize(
    ("query", "places", "found"),
    [
        pytest.param("north", [0, 1, 2], [0, 2, 1], id="the nearest first, however long its vector"),
        pytest.param("east", [0, 2], [2, 0], id="only among those that were asked about"),
        pytest.param("east", [], [], id="among none"),
    ],
)
def test_the_nearest_in_meaning_comes_first(query: str, places: list[int], found: list[int]) -> None:
    assert Endpoint().meaning.search(query, places, 3) == found


def test_the_policies_are_embedded_once() -> None:
    endpoint = Endpoint()
    assert endpoint.meaning.prepare()
    for _ in range(3):
        endpoint.meaning.search("north", [0, 1, 2], 1)
    assert endpoint.asked == [["\n\nnorth", "\n\neast", "\n\nnorth-east"], *[["north"]] * 3]


@pytest.mark.parametrize("failing", [pytest.param(refused, id="refused"), pytest.param(gone, id="gone")])
def test_an_endpoint_that_is_down_is_left_alone_for_a_while_and_found_again(
    failing: Callable[[], httpx2.Response], caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = Endpoint()
    endpoint.answer = failing
    with caplog.at_level(logging.INFO):
        assert endpoint.meaning.search("north", [0, 1], 2) is None
        endpoint.now = RETRY_AFTER - 1
        assert endpoint.meaning.search("north", [0, 1], 2) is None
        assert len(endpoint.asked) == 1
        endpoint.now, endpoint.answer = RETRY_AFTER, None
        assert endpoint.meaning.search("north", [0, 1], 2) == [0, 1]
    ours = [record.levelname for record in caplog.records if record.name == "models.support.meaning"]
    assert ours == ["WARNING", "INFO"]


def test_an_endpoint_that_dies_between_searches_leaves_the_words() -> None:
    endpoint = Endpoint()
    assert endpoint.meaning.prepare()
    endpoint.answer = gone
    assert endpoint.meaning.search("north", [0, 1], 2) is None


def test_vectors_of_another_model_are_fetched_anew() -> None:
    endpoint = Endpoint()
    assert endpoint.meaning.prepare()
    endpoint.answer = lambda: httpx2.Response(
        200, json={"data": [{"index": 0, "embedding": [1.0, 0.0, 0.0]}]}
    )
    assert endpoint.meaning.search("north", [0, 1], 2) is None
    endpoint.answer = None
    assert endpoint.meaning.search("north", [0, 1], 2) == [0, 1]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param([], id="none"),
        pytest.param([{"index": 1, "embedding": [1.0]}], id="of another text"),
        pytest.param([{"index": 0, "embedding": [0.0, 0.0]}], id="without a direction"),
        pytest.param([{"index": 0, "embedding": "AACAPw=="}], id="in base64"),
        pytest.param([{"embedding": [1.0]}], id="without an index"),
    ],
)
def test_what_is_no_vector_counts_as_no_answer(data: list[dict[str, object]]) -> None:
    endpoint = Endpoint()
    endpoint.answer = lambda: httpx2.Response(200, json={"data": data})
    with pytest.raises(Unavailable):
        endpoint.embeddings.embed(["north"])


def test_many_texts_go_in_several_requests_and_keep_their_order() -> None:
    endpoint = Endpoint()
    texts = ["north"] * BATCH + ["east"]
    found = endpoint.embeddings.embed(texts)
    assert [len(asked) for asked in endpoint.asked] == [BATCH, 1]
    assert found[0].tolist() == [0.0, 1.0]
    assert found[-1].tolist() == [1.0, 0.0]


def test_half_a_surrogate_pair_is_a_question_as_any_other() -> None:
    assert Endpoint().meaning.search("\ud800", [0, 1], 1) == [1]


def test_an_address_that_is_none_is_refused_by_its_variable() -> None:
    with pytest.raises(ConfigError, match="LLM_BASE_URL"):
        connect_embeddings("localhost:8000", None, "small")


def test_a_key_goes_with_each_request() -> None:
    embeddings = connect_embeddings("http://llm.example/v1", "secret", "small")
    assert embeddings._client.headers["Authorization"] == "Bearer secret"
    embeddings.close()


def test_an_answer_that_drips_is_given_up() -> None:
    endpoint = Endpoint()

    def drip() -> Iterator[bytes]:
        for _ in range(1_000):
            endpoint.now += 2_000
            yield b" "

    endpoint.answer = lambda: httpx2.Response(200, content=drip())
    with pytest.raises(Unavailable, match="not there in time"):
        endpoint.embeddings.embed(["north"])
    assert endpoint.now <= 4_000
