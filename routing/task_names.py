"""Finds Celery task names in a module's source, without importing it: a misspelt `task:` is refused early.

The dispatcher sends tasks by name and must not import them. If their package is not installed beside it,
nothing is refused.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from events.errors import Problem
from routing.catalogue import Catalogue
from routing.report import nearest


def task_problems(
    catalogue: Catalogue, path: str, *, broken_modules: bool = False, roots: Sequence[str] | None = None
) -> tuple[Problem, ...]:
    """What is wrong with the `task:` of each served workflow in the catalogue's file at `path`.

    `broken_modules`: whether one that is no Python counts, which ends its own pool only. `roots` are the
    folders that modules are imported from, by default those of this interpreter.
    """
    folders = [Path(root or ".") for root in (sys.path if roots is None else roots)]
    faults = (
        (spec, _fault(spec.task, folders, broken_modules))
        for spec in catalogue.workflows.values()
        if spec.served
    )
    return tuple(Problem(path, spec.line, spec.name, fault) for spec, fault in faults if fault is not None)


def _fault(task: str, folders: Iterable[Path], broken_modules: bool) -> str | None:
    *packages, name = task.split(".")[:-1]
    package = next((folder.joinpath(*packages) for folder in folders if _is_package(folder, packages)), None)
    if package is None:
        return None
    file = package / f"{name}.py"
    try:
        known = names_in(file, ".".join([*packages, name])) if file.is_file() else frozenset()
    except SyntaxError as error:
        why = f"{error.filename}:{error.lineno}: {error.msg}"
        return f"the module of {task} cannot be imported: {why}" if broken_modules else None
    if task in known:
        return None
    return f"no module has a task {task}{nearest(task, set(_names_of(package, '.'.join(packages))))}"


def _is_package(folder: Path, packages: Sequence[str]) -> bool:
    return bool(packages) and folder.joinpath(*packages, "__init__.py").is_file()


def _names_of(package: Path, dotted: str) -> Iterator[str]:
    for file in sorted(package.glob("*.py")):
        try:
            yield from names_in(file, f"{dotted}.{file.stem}")
        except SyntaxError:
            continue  # it is another task's module


def names_in(file: Path, module: str) -> frozenset[str]:
    """The tasks of a module: `name = "…"` of its classes, `name="…"` of its decorators, its functions.

    Raises `SyntaxError` with file and line.
    """
    tree = ast.parse(file.read_bytes(), str(file))
    found = (
        _of_class(node) if isinstance(node, ast.ClassDef) else _of_function(node, module)
        for node in tree.body
    )
    return frozenset(chain.from_iterable(found))


def _of_class(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="name")], value=ast.Constant(value=str(name))):
                yield name
            case ast.AnnAssign(target=ast.Name(id="name"), value=ast.Constant(value=str(name))):
                yield name


def _of_function(node: ast.stmt, module: str) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef) and node.decorator_list:
        yield f"{module}.{node.name}"
        calls = (call for call in node.decorator_list if isinstance(call, ast.Call))
        for keyword in chain.from_iterable(call.keywords for call in calls):
            if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                yield str(keyword.value.value)
