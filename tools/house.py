"""Measures the layout and the prose of the code: module sizes, importers, circles, questions, dialect words.

    python -m tools.house [FOLDER] [--list questions|dialect|where|circles|small|single]

Counts the Python modules that git tracks. Layout figures leave out tests, benchmarks and these tools.
"""

import argparse
import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median

SMALL_LINES = 40
NOT_LAYOUT = ("tests", "benchmarks", "tools")
DIALECT = re.compile(
    r"\b(nobody|whoever|somebody|anew|lacks?|told|stands? (?:in|for|there|as))\b", re.IGNORECASE
)
WHERE_FOR_IF = re.compile(
    r"\b(?:None|true|false|0|1|only|also|empty|absent|Raises `\w+`|`\w+`) where\b"
    r"|(?:^|\. )Where (?:it|there|nothing|none|nobody|no|the \w+ (?:is|has|does|cannot))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Module:
    """One file: its dotted `name`, its docstrings by line, and what it imports of ours at its top."""

    path: str
    name: str
    lines: int
    docstrings: Mapping[int, str]
    imports: frozenset[str] = field(default_factory=frozenset)

    @property
    def top(self) -> str:
        """The folder at the root that it lies in."""
        return self.name.partition(".")[0]

    @property
    def asks(self) -> bool:
        """Whether the first paragraph of its docstring is a question."""
        return bool(self.docstrings) and min(self.docstrings) == 1 and "?" in _first(self.docstrings[1])


def _first(docstring: str) -> str:
    return docstring.strip().split("\n\n")[0]


def modules_of(folder: Path) -> list[Module]:
    """Every module that git tracks in `folder`. Raises `SyntaxError` for one that is no Python."""
    command = ["git", "-C", str(folder), "ls-files", "*.py"]
    paths = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    names = {path: path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in paths}
    ours = frozenset(names.values())
    return [read(path, name, (folder / path).read_text(), ours) for path, name in names.items()]


def read(path: str, name: str, text: str, ours: frozenset[str]) -> Module:
    """The module in `text`; of its imports those that are `ours`."""
    tree = ast.parse(text, path)
    imports = frozenset(found for found in _imported(tree, ours) if found != name)
    return Module(path, name, text.count("\n"), dict(_docstrings(tree)), imports)


def _imported(tree: ast.Module, ours: frozenset[str]) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in ours)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & ours
            yield from inner
            if node.module in ours and len(inner) < len(node.names):
                yield node.module


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """By line: of modules, classes and functions, and what follows a constant or a field like one."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else ():
            match statement:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield statement.lineno, text


def circles(modules: Sequence[Module]) -> list[tuple[str, ...]]:
    """Modules that import each other at their top, however many others lie between; each circle once."""
    imports = {module.name: module.imports for module in modules}
    reached = {name: _reached(name, imports) for name in imports}
    found = {
        tuple(sorted(other for other in reached[name] if name in reached[other]))
        for name in imports
        if name in reached[name]
    }
    return sorted(found)


def _reached(start: str, imports: Mapping[str, frozenset[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for name in imports.get(waiting.pop(), ()):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return seen


def importers(modules: Sequence[Module]) -> Counter[str]:
    """How many modules import each one."""
    return Counter(name for module in modules for name in module.imports)


def sentences(modules: Sequence[Module], pattern: re.Pattern[str]) -> list[str]:
    """`file:line: text` of each docstring line that the pattern finds."""
    return [
        f"{module.path}:{line + number}: {text.strip()}"
        for module in modules
        for line, docstring in sorted(module.docstrings.items())
        for number, text in enumerate(docstring.split("\n"))
        if pattern.search(text)
    ]


def measured(modules: Sequence[Module]) -> dict[str, list[str]]:
    """What can be listed, by name."""
    layout = [module for module in modules if module.top not in NOT_LAYOUT]
    used = importers(layout)
    return {
        "small": [f"{module.path}: {module.lines} lines" for module in layout if module.lines < SMALL_LINES],
        "single": [module.path for module in layout if used[module.name] == 1],
        "circles": [" <-> ".join(circle) for circle in circles(layout)],
        "questions": [f"{module.path}: {_first(module.docstrings[1])}" for module in modules if module.asks],
        "dialect": sentences(modules, DIALECT),
        "where": sentences(modules, WHERE_FOR_IF),
    }


def table(modules: Sequence[Module]) -> list[tuple[str, str]]:
    """The figures, by what they count."""
    lines = [module.lines for module in modules if module.top not in NOT_LAYOUT]
    lists = measured(modules)
    return [
        ("modules, median and mean lines", f"{len(lines)}, {median(lines):.0f}, {mean(lines):.0f}"),
        (f"modules below {SMALL_LINES} lines", str(len(lists["small"]))),
        ("modules with exactly one importer", str(len(lists["single"]))),
        ("import circles", str(len(lists["circles"]))),
        ("module docstrings that are questions", str(len(lists["questions"]))),
        ("docstring lines with dialect words", str(len(lists["dialect"]))),
        ("docstring lines with 'where' for 'if'", str(len(lists["where"]))),
    ]


def main() -> int:
    """Print the table, or one list."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", default=Path())
    parser.add_argument("--list", choices=("small", "single", "circles", "questions", "dialect", "where"))
    asked = parser.parse_args()
    modules = modules_of(asked.folder)
    if asked.list:
        print("\n".join(measured(modules)[asked.list]))
    else:
        print("\n".join(f"{name:40} {figure}" for name, figure in table(modules)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
