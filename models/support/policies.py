"""The policies of a folder, and the synonyms of the words in questions about them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from events.errors import ConfigError, Problem
from models.support.policy import Document, Part, read_policy
from routing.reading import read_text
from routing.report import Report

DEFAULT_NAMESPACE = "support-policies"
SYNONYMS = "synonyms.txt"


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies, and the words that mean the same in questions about them.

    `digest` (SHA-256, hex) is of everything that a search rests on.
    """

    documents: tuple[Document, ...]
    parts: tuple[Part, ...]
    synonyms: tuple[tuple[str, ...], ...]
    digest: str

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(sorted({document.namespace for document in self.documents}))


def read_policies(folder: Path) -> Policies:
    """The policies `<folder>/<namespace>/<slug>.md`, and the synonyms of `<folder>/synonyms.txt`, if any.

    Raises `ConfigError` with every problem, its file and its line; also if there is no policy at all.
    """
    problems: list[Problem] = []
    read: list[tuple[Document, tuple[Part, ...]]] = []
    for path in sorted(folder.glob("*/*.md")):
        report = Report(str(path))
        found = read_policy(report)
        problems += report.in_order()
        read += [] if found is None else [found]
    documents = tuple(document for document, _ in read)
    problems += _twins(folder, documents)
    if not read and not problems:
        problems.append(Problem(str(folder), 0, "", "holds no policy: none is named <namespace>/<name>.md"))
    report = Report(str(folder / SYNONYMS))
    synonyms = tuple(_synonyms(report)) if (folder / SYNONYMS).exists() else ()
    problems += report.problems
    if problems:
        raise ConfigError(problems)
    parts = tuple(part for _, cut in read for part in cut)
    digest = hashlib.sha256(msgspec.json.encode((documents, parts, synonyms))).hexdigest()
    return Policies(documents, parts, synonyms, digest)


def _twins(folder: Path, documents: Sequence[Document]) -> Iterator[Problem]:
    seen: dict[str, Document] = {}
    for document in documents:
        first = seen.setdefault(document.id, document)
        if first is not document:
            where = f"{first.namespace}, {document.namespace}"
            yield Problem(str(folder), 0, document.id, f"two policies have this id: in {where}")


def _synonyms(report: Report) -> Iterator[tuple[str, ...]]:
    """A meaning in each line, its words and phrases with commas between."""
    for number, line in enumerate((read_text(report) or "").splitlines(), start=1):
        said, _, _ = line.partition("#")
        if not said.strip():
            continue
        words = tuple(word.strip() for word in said.split(","))
        if len(words) < 2 or not all(any(char.isalnum() for char in word) for word in words):
            report.add(number, "", "must be two words or more with commas between")
        yield words
