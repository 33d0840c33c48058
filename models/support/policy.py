"""One policy: a Markdown file with front matter, cut at its headings."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from routing.reading import parse, read_text
from routing.report import Report
from routing.section import Section

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


def read_policy(report: Report) -> tuple[Document, tuple[Part, ...]] | None:
    """The policy in the report's file, whose namespace is its folder's name.

    Below its front matter (id, title, effective) stand sections, each under a heading of two #. What is wrong
    is added to the report; None if it cannot be read at all.
    """
    text = read_text(report)
    document = _document(Path(report.path).parent.name, text, report) if text is not None else None
    if text is None or document is None:
        return None
    parts = tuple(_cut(document, text))
    if not parts:
        report.add(text.count("\n") + 1, "", "says nothing below its front matter")
    return document, parts


def _document(namespace: str, text: str, report: Report) -> Document | None:
    head, fence, _ = text.removeprefix(_FENCE).partition("\n" + _FENCE)
    if not text.startswith(_FENCE) or not fence:
        report.add(1, "", "must begin with front matter between two lines of ---")
        return None
    # an empty line in place of the first ---, so that lines count as they do in the file
    node = parse(report, f"\n{head}\n")
    if node is None:
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
