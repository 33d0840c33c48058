"""Hybrid search of the policies: full text, and vectors if texts are embedded."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

from models.support.passage import Passage
from models.support.policies import DEFAULT_NAMESPACE, Policies, read_policies
from models.support.words import WordIndex
from transport.clock import Clock, system_clock

TOP = 5

# Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet …" (SIGIR 2009)
_FUSION_K = 60
_CANDIDATES = 40
_BETWEEN = 3

LONGEST_PASSAGE = 1_200
"""Characters. Five passages are some 1,500 tokens of a prompt."""


class Meaning(Protocol):
    """Ranks the parts of the policies by what they mean."""

    def search(self, query: str, places: Sequence[int], limit: int) -> list[int] | None:
        """The likeliest of these places first; None if it cannot be said now. Raises nothing."""


class PolicyIndex:
    """Searches the policies. Made once in a process and asked from all its threads."""

    def __init__(self, policies: Policies, meaning: Meaning | None = None) -> None:
        self._parts = policies.parts
        self._words = WordIndex(policies)
        self._meaning = meaning
        self.digest = policies.digest
        self.namespaces = policies.namespaces

    def search(
        self, query: str, namespace: str | None = DEFAULT_NAMESPACE, k: int = TOP
    ) -> tuple[Passage, ...]:
        """At most `k` passages of as many policies, the likeliest first, whatever characters the query has.

        Nothing if no word fits, or there is no such namespace. With None all of them are searched.
        """
        rankings = [self._words.search(query, namespace, _CANDIDATES)]
        if self._meaning is not None:
            by_meaning = self._meaning.search(query, self._places(namespace), _CANDIDATES)
            rankings += [] if by_meaning is None else [by_meaning]
        return tuple(self._passages(fused(rankings), k))

    def _places(self, namespace: str | None) -> list[int]:
        return [
            place
            for place, part in enumerate(self._parts)
            if namespace is None or part.document.namespace == namespace
        ]

    def _passages(self, ranked: Sequence[tuple[int, float]], k: int) -> Iterator[Passage]:
        by_policy: dict[str, list[tuple[int, float]]] = {}
        for place, score in ranked:
            by_policy.setdefault(self._parts[place].document.id, []).append((place, score))
        for found in islice(by_policy.values(), k):
            best, score = found[0]
            part = self._parts[best]
            yield Passage(
                document=part.document.id,
                title=part.document.title,
                section=part.section,
                text=self._text([place for place, _ in found]),
                score=round(score, 6),
            )

    def _text(self, places: Sequence[int]) -> str:
        """The likeliest part of a policy, and as many of the next ones as fit, as written in it."""
        shown, length = list[int](), 0
        for place in places:
            part = self._parts[place]
            length += len(part.section) + len(part.text) + _BETWEEN
            if shown and length > LONGEST_PASSAGE:
                break
            shown.append(place)
        parts = [self._parts[place] for place in sorted(shown)]
        return "\n\n".join(f"{part.section}\n{part.text}" if part.section else part.text for part in parts)


def fused(rankings: Sequence[Sequence[int]]) -> list[tuple[int, float]]:
    """Places with their scores, the likeliest first: the sum of 1 / (60 + rank) over the rankings."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, place in enumerate(ranking, start=1):
            scores[place] = scores.get(place, 0.0) + 1 / (_FUSION_K + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def open_policies(
    folder: Path,
    base_url: str | None = None,
    key: str | None = None,
    embedding_model: str | None = None,
    clock: Clock = system_clock,
) -> PolicyIndex:
    """The index of the policies in a folder, by meaning too where a URL and a model are given.

    An endpoint that does not answer is tried again later. Raises `ConfigError`.
    """
    policies = read_policies(folder)
    if base_url is None or embedding_model is None:
        return PolicyIndex(policies)
    # here and not above: who registers or measures a version does without `signalbox[agent]`
    from models.support.embeddings import connect_embeddings
    from models.support.meaning import ByMeaning

    meaning = ByMeaning(policies.parts, connect_embeddings(base_url, key, embedding_model), clock)
    meaning.prepare()
    return PolicyIndex(policies, meaning)
