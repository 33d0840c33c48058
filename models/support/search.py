"""Which passages of the policies answer a question? By words, and by meaning where texts are embedded."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

from models.support.passage import Passage
from models.support.policies import DEFAULT_NAMESPACE, Policies
from models.support.words import WordIndex

TOP = 5

# Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet …" (SIGIR 2009)
_FUSION_K = 60
_CANDIDATES = 20
_OF_ONE_POLICY = 2


class UnknownNamespaceError(LookupError):
    """There is no such namespace. The message names those that there are."""


class Meaning(Protocol):
    """Ranks the parts of the policies by what they mean."""

    def search(self, query: str, places: Sequence[int], limit: int) -> list[int] | None:
        """The likeliest of these places first; None where it cannot be said now. Raises nothing."""


class PolicyIndex:
    """Searches the policies. Made once in a process and asked from all its threads."""

    def __init__(self, policies: Policies, meaning: Meaning | None = None) -> None:
        self._parts = policies.parts
        self._words = WordIndex(policies.parts)
        self._meaning = meaning
        self.digest = policies.digest
        self.namespaces = policies.namespaces

    def search(
        self, query: str, namespace: str | None = DEFAULT_NAMESPACE, k: int = TOP
    ) -> tuple[Passage, ...]:
        """At most `k` passages, the likeliest first; none where nothing fits. None searches every namespace.

        No more than two are of one policy, so that a long one does not hide the others. Raises
        `UnknownNamespaceError`.
        """
        if namespace is not None and namespace not in self.namespaces:
            known = ", ".join(self.namespaces)
            raise UnknownNamespaceError(f"there is no namespace {namespace[:80]!r}; there are {known}")
        rankings = [self._words.search(query, namespace, _CANDIDATES)]
        if self._meaning is not None:
            by_meaning = self._meaning.search(query, self._places(namespace), _CANDIDATES)
            rankings += [] if by_meaning is None else [by_meaning]
        return tuple(self._chosen(fused(rankings), k))

    def _places(self, namespace: str | None) -> list[int]:
        return [
            place
            for place, part in enumerate(self._parts)
            if namespace is None or part.document.namespace == namespace
        ]

    def _chosen(self, ranked: Sequence[tuple[int, float]], k: int) -> Iterator[Passage]:
        taken: Counter[str] = Counter()
        for place, score in ranked:
            part = self._parts[place]
            if taken.total() == k:
                return
            if taken[part.document.id] < _OF_ONE_POLICY:
                taken[part.document.id] += 1
                yield Passage(
                    document=part.document.id,
                    title=part.document.title,
                    section=part.section,
                    text=part.text,
                    score=round(score, 6),
                )


def fused(rankings: Sequence[Sequence[int]]) -> list[tuple[int, float]]:
    """Places with their scores, the likeliest first: the sum of 1 / (60 + rank) over the rankings."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, place in enumerate(ranking, start=1):
            scores[place] = scores.get(place, 0.0) + 1 / (_FUSION_K + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
