"""Configuration files as text and as YAML nodes; what is wrong with a file is reported with its line."""

import os
import re
import stat

import yaml

from routing.report import Report
from routing.section import Section

LARGEST_BYTES = 1_000_000
"""A larger file is a mistake, and would keep a running process busy for seconds at each look at it."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_MALFORMED = (RecursionError, ValueError, OverflowError)
"""What PyYAML lets through from Python itself: nesting, escapes beyond Unicode, versions of 5,000 digits."""


def read(report: Report, root_key: str) -> Section | None:
    """The mapping under the only key of the report's file, or None if there is none."""
    document = read_document(report)
    if document is None:
        return None
    content = document.child(root_key)
    document.refuse_unknown()
    return content


def read_document(report: Report) -> Section | None:
    """The mapping that the report's file is, or None if it is not YAML."""
    text = read_text(report)
    root = parse(report, text) if text is not None else None
    return None if root is None else Section(report, "", root)


def read_text(report: Report) -> str | None:
    """The text of the report's file; None if it is missing, too large, not UTF-8, or no plain text."""
    try:
        with open(report.path, "rb", opener=_without_waiting) as file:
            if stat.S_ISFIFO(os.fstat(file.fileno()).st_mode):
                report.add(0, "", "is a pipe: give a file")
                return None
            content = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        # a NUL in a path is no `OSError`
        report.add(0, "", f"cannot be read: {getattr(error, 'strerror', None) or error}")
        return None
    if len(content) > LARGEST_BYTES:
        report.add(0, "", f"is larger than {LARGEST_BYTES:,} bytes")
        return None
    return _decoded(report, content)


def _without_waiting(path: str, flags: int) -> int:
    """Opening a pipe that has no writer would hold up the process for ever."""
    return os.open(path, flags | os.O_NONBLOCK)


def _decoded(report: Report, content: bytes) -> str | None:
    try:
        # each line ends in one character, as in a text file
        text = content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        report.add(line, "", f"is not UTF-8 text: {error.reason} at byte {error.start}")
        return None
    control = _CONTROL.search(text)
    if control is None:
        return text
    line = text.count("\n", 0, control.start()) + 1
    report.add(line, "", f"holds the control character {control.group()!r}")
    return None


def parse(report: Report, text: str) -> yaml.Node | None:
    """The node of a YAML text whose lines are those of the report's file, or None if it is none."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        report.add(mark.line + 1 if mark else 1, "", f"is not YAML: {error.problem}")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        report.add(line, "", f"is not YAML: {error.reason}: {chr(error.character)!r}")
    except (yaml.YAMLError, *_MALFORMED) as error:
        report.add(1, "", f"is not YAML: {' '.join(str(error).split())}")
    else:
        if root is None:
            report.add(1, "", "is empty")
        return root
    return None
