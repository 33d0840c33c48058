"""Which policies are there, and what does each part of them say? Markdown files under `config/policies`."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from events.errors import ConfigError, Problem
from routing.report import Report
from routing.section import Section

DEFAULT_NAMESPACE = "support-policies"
SYNONYMS = "synonyms.txt"

LONGEST_PART = 1_000
"""Characters. A longer section is cut into several parts."""

_FENCE = "---\n"
_HEADING = "## "


@dataclass(frozen=True, slots=True)
class Document:
    """One policy. `effective` is the day (ISO 8601) from which on it holds."""

    id: str
    namespace: str
    title: str
    effective: str


@dataclass(frozen=True, slots=True)
class Part:
    """So much of a policy as is found and shown at once; `section` is the heading it stands under, if any."""

    document: Document
    section: str
    text: str


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies, and the words that mean the same in questions about them.

    `digest` (hex) is of all that a search rests on, the files' names included.
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

    Each policy begins with front matter: id, title, effective. Raises `ConfigError` with every problem, its
    file and its line; also where there is no policy at all.
    """
    report = Report(str(folder))
    digest = hashlib.sha256()
    documents: list[Document] = []
    parts: list[Part] = []
    for path in sorted(folder.glob("*/*.md")):
        found = _read(path, report)
        if found is None:
            continue
        document, text = found
        digest.update(f"{document.namespace}/{path.name}\0{text}\0".encode())
        documents.append(document)
        parts.extend(_cut(document, text))
    _refuse_twins(documents, report)
    if not documents and not report.problems:
        report.add(0, "", "holds no policy: none is named <namespace>/<name>.md")
    synonyms = tuple(_synonyms(folder / SYNONYMS, report))
    if report.problems:
        raise ConfigError(report.problems)
    digest.update(repr(synonyms).encode())
    return Policies(tuple(documents), tuple(parts), synonyms, digest.hexdigest())


def _synonyms(path: Path, report: Report) -> Iterator[tuple[str, ...]]:
    """A meaning in each line, its words and phrases with commas between."""
    text = _text(path, report) if path.exists() else ""
    for number, line in enumerate(text.splitlines(), start=1):
        said, _, _ = line.partition("#")
        words = tuple(word.strip() for word in said.split(","))
        if not said.strip():
            continue
        if len(words) < 2 or not all(any(char.isalnum() for char in word) for word in words):
            message = "must be two words or more with commas between"
            report.problems.append(Problem(str(path), number, "", message))
        yield words


def _text(path: Path, report: Report) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        report.problems.append(Problem(str(path), 0, "", f"cannot be read: {error}"))
        return ""


def _read(path: Path, into: Report) -> tuple[Document, str] | None:
    report = Report(str(path))
    text = _text(path, report)
    document = _document(path.parent.name, text, report) if not report.problems else None
    if document is not None and not any(_sections(text)):
        report.add(0, "", "says nothing below its front matter")
    into.problems.extend(report.in_order())
    return None if document is None else (document, text)


def _document(namespace: str, text: str, report: Report) -> Document | None:
    head, fence, _ = text.removeprefix(_FENCE).partition("\n" + _FENCE)
    if not text.startswith(_FENCE) or not fence:
        report.add(1, "", "must begin with front matter between two lines of ---")
        return None
    try:
        # an empty line stands for the first ---, so that lines count as they do in the file
        node = yaml.compose(f"\n{head}\n", Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        report.add(1, "", f"the front matter is not YAML: {' '.join(str(error).split())}")
        return None
    if node is None:
        report.add(1, "", "the front matter is empty")
        return None
    section = Section(report, "", node)
    named, title, effective = (section.text(key) or "" for key in ("id", "title", "effective"))
    section.refuse_unknown()
    if effective and not _is_day(effective):
        section.report("effective", f'effective must be a day in quotes ("2026-03-01"), is {effective}')
    return Document(named, namespace, title, effective)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _refuse_twins(documents: list[Document], report: Report) -> None:
    seen: dict[str, Document] = {}
    for document in documents:
        first = seen.setdefault(document.id, document)
        if first is not document:
            report.add(
                0, document.id, f"two policies have this id: in {first.namespace}, {document.namespace}"
            )


def _cut(document: Document, text: str) -> Iterator[Part]:
    for heading, body in _sections(text):
        for piece in _pieces(body):
            yield Part(document, heading, piece)


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Heading and text of each part; what stands before the first heading has none."""
    _, _, body = text.removeprefix(_FENCE).partition("\n" + _FENCE)
    heading, lines = "", list[str]()
    for line in [*body.splitlines(), _HEADING]:
        if not line.startswith(_HEADING):
            lines.append(line)
            continue
        if said := "\n".join(lines).strip():
            yield heading, said
        heading, lines = line.removeprefix(_HEADING).strip(), []


def _pieces(body: str) -> Iterator[str]:
    """Whole paragraphs together, as many as fit; one that is longer than a part is cut."""
    held = ""
    for paragraph in body.split("\n\n"):
        if held and len(held) + 2 + len(paragraph) > LONGEST_PART:
            yield held
            held = ""
        held = f"{held}\n\n{paragraph}" if held else paragraph
        while len(held) > LONGEST_PART:
            yield held[:LONGEST_PART]
            held = held[LONGEST_PART:]
    if held:
        yield held
