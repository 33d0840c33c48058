"""Retrieval evaluation: customers' questions, and the policies that answer each."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from events.errors import ConfigError
from models.support.policies import Policies
from models.support.search import TOP, PolicyIndex
from routing.reading import read
from routing.report import Report
from routing.section import Section

QUESTIONS = "questions.yaml"
"""Their file, beside the policies' namespaces."""


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asked, and which policies (ids) of a namespace answer it."""

    ask: str
    namespace: str
    answered_by: frozenset[str]


@dataclass(frozen=True, slots=True)
class Questions:
    """All of them; `digest` (hex) is of their file."""

    asked: tuple[Question, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Found:
    """At which places, from 1 on, the policies that a question has came among those that were found."""

    question: Question
    ranks: tuple[int, ...]

    def recall(self, k: int) -> float:
        """Which share of them came among the first `k`, 0 to 1."""
        return sum(rank <= k for rank in self.ranks) / len(self.question.answered_by)


def read_questions(path: Path, policies: Policies) -> Questions:
    """The questions in this file. Raises `ConfigError`: also if one names a policy that there is not."""
    report = Report(str(path))
    content = read(report, "questions")
    known = {document.id: document.namespace for document in policies.documents}
    asked = tuple(_questions(content, known)) if content is not None else ()
    if content is not None and not asked and not report.problems:
        report.add(content.line, "questions", "holds no question")
    if report.problems:
        raise ConfigError(report.in_order())
    return Questions(asked, hashlib.sha256(path.read_bytes()).hexdigest())


def _questions(content: Section, known: dict[str, str]) -> Iterator[Question]:
    for namespace, sections in content.lists():
        for section in sections:
            ask, named = section.text("ask"), section.text("answered_by")
            section.refuse_unknown()
            if ask is None or named is None:
                continue
            ids = frozenset(id_.strip() for id_ in named.split(","))
            for id_ in sorted(ids):
                if known.get(id_) != namespace:
                    section.report("answered_by", f"no policy of {namespace} has the id {id_}")
            yield Question(ask, namespace, ids)


def ask_all(
    index: PolicyIndex, questions: Sequence[Question], k: int = TOP, *, everywhere: bool = False
) -> list[Found]:
    """Search each question in its namespace, or `everywhere` in all of them together."""
    return [_found(index, question, None if everywhere else question.namespace, k) for question in questions]


def _found(index: PolicyIndex, question: Question, namespace: str | None, k: int) -> Found:
    passages = index.search(question.ask, namespace, k)
    ranks: dict[str, int] = {}
    for rank, passage in enumerate(passages, start=1):
        ranks.setdefault(passage.document, rank)
    return Found(question, tuple(sorted(ranks[id_] for id_ in question.answered_by if id_ in ranks)))


def recall(found: Sequence[Found], k: int = TOP) -> float:
    """The mean over questions of which share of their policies came among the first `k` passages."""
    return sum(each.recall(k) for each in found) / len(found)
