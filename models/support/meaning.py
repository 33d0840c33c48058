"""Semantic search in the policies by embedding vectors, behind a circuit breaker on the endpoint."""

import logging
import threading
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from core.circuit_breaker import CircuitBreaker
from events.decision import Millis
from events.errors import Unavailable
from models.support.embeddings import Vectors
from models.support.policy import Part
from transport.clock import Clock, system_clock

log = logging.getLogger(__name__)

RETRY_AFTER: Millis = 20_000
"""So long the endpoint is left alone after a failure: each search would wait for a timeout."""


class Embedder(Protocol):
    """What makes vectors of texts: `models.support.embeddings.Embeddings`."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A row of length 1 for each text. Raises `Unavailable`."""


class ByMeaning:
    """Ranks parts by an endpoint's vectors; says so in one line where it cannot, and when it can again.

    Safe to be asked from several threads. While one of them fetches the policies' vectors, the others get
    none.
    """

    def __init__(self, parts: Sequence[Part], embedder: Embedder, clock: Clock = system_clock) -> None:
        self._texts = [f"{part.document.title}\n{part.section}\n{part.text}" for part in parts]
        self._embedder = embedder
        self._clock = clock
        self._vectors: Vectors | None = None
        self._fetching = threading.Lock()
        self._breaker = CircuitBreaker(RETRY_AFTER)

    def prepare(self) -> bool:
        """Fetch the policies' vectors where they are not there yet; whether they are."""
        if self._vectors is None and not self._waits() and self._fetching.acquire(blocking=False):
            try:
                self._vectors = self._embed(self._texts)
            finally:
                self._fetching.release()
        return self._vectors is not None

    def search(self, query: str, places: Sequence[int], limit: int) -> list[int] | None:
        """The likeliest of these places first; None if it cannot be said now. Raises nothing."""
        if not query.strip() or not self.prepare() or self._waits():
            return None
        asked = self._embed([query])
        held = self._vectors
        if asked is None or held is None:
            return None
        if asked.shape[1] != held.shape[1]:  # another model answers by now
            self._vectors = None
            return None
        chosen = np.asarray(places, dtype=np.intp)
        cosines = held[chosen] @ asked[0]
        return [int(place) for place in chosen[np.argsort(-cosines, kind="stable")][:limit]]

    def _waits(self) -> bool:
        return self._breaker.is_open(self._clock())

    def _embed(self, texts: Sequence[str]) -> Vectors | None:
        try:
            vectors = self._embedder.embed(texts)
        except Unavailable as error:
            if not self._breaker.failures:
                log.warning("policies are searched by words alone: %s", error)
            self._breaker.on_failure(self._clock())
            return None
        if self._breaker.failures:
            log.info("policies are searched by meaning again")
        self._breaker.on_success()
        return vectors
