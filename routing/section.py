"""A YAML mapping with the line of each key: typed readers that report every wrong value with its line."""

import re
from collections.abc import Iterable, Iterator, Sequence

import yaml

from routing.report import Report, nearest

# Neither octal (010) nor sexagesimal (1:30), which YAML 1.1 reads as numbers that nobody meant.
# Underscores between digits only: int() refuses 1_800_, which YAML 1.1 reads as 1800.
_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]*(_[0-9]+)*)")
_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?")
_LONGEST_WHOLE = 24
_SHOWN = 80
_TEXT = "tag:yaml.org,2002:str"
_TRUTH = {"true": True, "false": False}


class Section:
    """A mapping in a file. Each reader takes one key, and answers with a value that holds or a placeholder.

    `name` says in messages where the mapping stands; `line` is where it begins, or where the key that leads
    to it stands.
    """

    def __init__(self, report: Report, name: str, node: yaml.Node, line: int | None = None) -> None:
        self.name = name
        self.line = _line(node) if line is None else line
        self._report = report
        self._is_mapping = isinstance(node, yaml.MappingNode)
        self._fields: dict[str, tuple[int, yaml.Node]] = {}
        self._taken: set[str] = set()
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._add(key, value)
        else:
            self.report("", f"must be a mapping, is {_shown(node)}")

    def _add(self, node: yaml.Node, value: yaml.Node) -> None:
        key = str(node.value) if isinstance(node, yaml.ScalarNode) else _shown(node)
        if key in self._fields:
            first, _ = self._fields[key]
            self._report.add(_line(node), self.name or key, f"{key} stands twice, first in line {first}")
        else:
            self._fields[key] = (_line(node), value)

    def has(self, *keys: str) -> bool:
        """Whether all these keys are there."""
        return all(key in self._fields for key in keys)

    def report(self, key: str, message: str) -> None:
        """Remember a problem with one key of this mapping, or with all of it where the key is not there."""
        self._report.add(self._fields[key][0] if key in self._fields else self.line, self.name, message)

    def text(self, key: str, choices: Sequence[str] = ()) -> str | None:
        """A text that must be there, one of `choices` where they are given; else None."""
        node = self._required(key)
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode) or node.tag != _TEXT or not node.value:
            self.report(key, f"{key} must be text, is {_shown(node)}")
        elif not node.value.isprintable():
            # a lone surrogate would fail wherever it is encoded, a NUL in PostgreSQL, a line break in a log
            self.report(key, f"{key} holds a character that cannot be printed: {_shown(node)}")
        elif choices and node.value not in choices:
            self.report(key, f"{key} must be one of {', '.join(choices)}, is {node.value}")
        else:
            return str(node.value)
        return None

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number from `low` to `high`, required where there is no default; else that, or `low`."""
        number = self.maybe_whole(key, low, high)
        if number is not None:
            return number
        if default is None:
            self._required(key)
        return low if default is None else default

    def maybe_whole(self, key: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`; None if the key is not there."""
        self._taken.add(key)
        if key not in self._fields:
            return None
        node = self._fields[key][1]
        if not isinstance(node, yaml.ScalarNode) or node.style or not _is_whole(node.value):
            self.report(key, f"{key} must be a whole number, is {_shown(node)}")
            return None
        number = int(node.value)
        if low <= number <= high:
            return number
        wanted = "positive" if low == 1 and number < 1 else f"from {low} to {high}"
        self.report(key, f"{key} must be {wanted}, is {number}")
        return None

    def number(self, key: str, low: float, high: float) -> float:
        """A number from `low` to `high` that must be there; else `low`."""
        node = self._required(key)
        if node is None:
            return low
        if not isinstance(node, yaml.ScalarNode) or node.style or not _NUMBER.fullmatch(node.value):
            self.report(key, f"{key} must be a number, is {_shown(node)}")
        elif not low <= float(node.value) <= high:
            self.report(key, f"{key} must be from {low:g} to {high:g}, is {node.value}")
        else:
            return float(node.value)
        return low

    def truth(self, key: str, default: bool) -> bool:
        """`true` or `false`; else the default."""
        self._taken.add(key)
        if key not in self._fields:
            return default
        node = self._fields[key][1]
        if isinstance(node, yaml.ScalarNode) and not node.style and node.value in _TRUTH:
            return _TRUTH[node.value]
        self.report(key, f"{key} must be true or false, is {_shown(node)}")
        return default

    def child(self, key: str) -> "Section | None":
        """The mapping under a key that must be there."""
        node = self._required(key)
        if node is None:
            return None
        return Section(self._report, f"{self.name}.{key}" if self.name else key, node, self._fields[key][0])

    def children(self) -> Iterator["Section"]:
        """The mapping under each key, whatever the keys are."""
        for key, (line, node) in self._fields.items():
            yield Section(self._report, key, node, line)

    def lists(self) -> Iterator[tuple[str, "list[Section]"]]:
        """Each key, whatever the keys are, with its mappings; one without a list is a list of one."""
        for key, (line, node) in self._fields.items():
            if not isinstance(node, yaml.SequenceNode):
                yield key, [Section(self._report, key, node, line)]
                continue
            if not node.value:
                self.report(key, f"{key} is an empty list")
                continue
            yield key, [Section(self._report, key, item) for item in node.value]

    def refuse_unknown(self, known: Iterable[str] = ()) -> None:
        """Call once every key that means something has been read: what is left means nothing.

        `known` are keys that would have been read too, for the message to name.
        """
        for key in self._fields:
            if key not in self._taken:
                self.report(key, f"unknown key {key}{nearest(key, self._taken.union(known))}")

    def _required(self, key: str) -> yaml.Node | None:
        self._taken.add(key)
        if key in self._fields:
            return self._fields[key][1]
        if self._is_mapping:
            self.report(key, f"{key} is missing")
        return None


def _is_whole(text: str) -> bool:
    return len(text) <= _LONGEST_WHOLE and _WHOLE.fullmatch(text) is not None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _shown(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    quoted = isinstance(node, yaml.ScalarNode) and node.style
    shown = repr(node.value) if quoted else (str(node.value) or "empty")
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}… ({len(node.value):,} characters)"
