"""Text embeddings by an endpoint that speaks OpenAI's protocol: one vector for each text."""

import json
from collections.abc import Sequence

import httpx2
import msgspec
import numpy as np
from numpy.typing import NDArray

from events.errors import Unavailable
from models.support import timely
from transport.clock import Clock, system_clock
from transport.http import parse_address

DEPENDENCY = "embeddings endpoint"
VARIABLE = "LLM_BASE_URL"
WITHIN_S, CONNECT_S = 3.0, 1.0
"""Of one request."""
BATCH = 64
"""Texts in one request."""

_JSON = {"Content-Type": "application/json"}

Vectors = NDArray[np.float32]


class _Item(msgspec.Struct):
    index: int
    embedding: list[float]


class _Answer(msgspec.Struct):
    data: list[_Item]


class Embeddings:
    """The endpoint. One for all threads of a process, made after the fork."""

    def __init__(self, client: httpx2.Client, model: str, clock: Clock = system_clock) -> None:
        self._client = client
        self._model = model
        self._clock = clock

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A row of length 1 for each text, so that a product of two is the cosine between them.

        Raises `Unavailable` if the endpoint does not answer, or answers with something else.
        """
        batches = [self._embed(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        if len({batch.shape[1] for batch in batches}) != 1:
            raise Unavailable(DEPENDENCY, "its vectors are of several lengths")
        return np.concatenate(batches)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        # in ASCII: half a surrogate pair, as a ticket may hold, has no form in UTF-8
        body = json.dumps({"model": self._model, "input": list(texts)})
        try:
            response = timely.ask(
                self._client,
                "POST",
                "/embeddings",
                headers=_JSON,
                content=body,
                connect_s=CONNECT_S,
                within_s=WITHIN_S,
                clock=self._clock,
            )
            response.raise_for_status()
            answer = msgspec.json.decode(response.content, type=_Answer)
        except httpx2.HTTPStatusError as error:
            raise Unavailable(DEPENDENCY, f"HTTP {error.response.status_code}") from error
        except httpx2.HTTPError as error:
            raise Unavailable(DEPENDENCY, str(error) or type(error).__name__) from error
        except msgspec.MsgspecError as error:
            raise Unavailable(DEPENDENCY, f"its answer cannot be read: {error}") from error
        return _matrix(answer, len(texts))

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


def _matrix(answer: _Answer, count: int) -> Vectors:
    items = sorted(answer.data, key=lambda item: item.index)
    if [item.index for item in items] != list(range(count)) or len({len(i.embedding) for i in items}) != 1:
        raise Unavailable(DEPENDENCY, f"it gave no {count} vectors of one length")
    rows = np.array([item.embedding for item in items], dtype=np.float32)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or not norms.all():
        raise Unavailable(DEPENDENCY, "a vector has no direction")
    unit: Vectors = rows / norms
    return unit


def connect_embeddings(base_url: str, key: str | None, model: str) -> Embeddings:
    """The endpoint at a URL such as `https://…/v1`. Raises `ConfigError` if it is none."""
    address = parse_address(base_url, VARIABLE)
    headers = dict(address.headers) | ({"Authorization": f"Bearer {key}"} if key else {})
    client = httpx2.Client(base_url=address.base, headers=headers, follow_redirects=False)
    return Embeddings(client, model)
