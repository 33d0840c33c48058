"""The measurement of the code's layout and prose."""

import pytest

from tools.house import WHERE_FOR_IF, Module, circles, importers, measured, read, sentences, table

OURS = frozenset({"a", "a.b", "a.c", "d"})


def module(name: str, text: str) -> Module:
    """A module of these four."""
    return read(name.replace(".", "/") + ".py", name, text, OURS)


def test_imports_at_the_top_of_a_module_are_counted_and_lazy_ones_are_not() -> None:
    found = module("d", "import json\nfrom a import b\nfrom a.c import x\ndef f():\n    import a\n")
    assert found.imports == {"a.b", "a.c"}


def test_a_package_is_imported_by_who_takes_a_name_of_its_own() -> None:
    assert module("d", "from a import b, something").imports == {"a", "a.b"}


def test_a_circle_is_found_once_however_long_it_is() -> None:
    around = [
        module("a.b", "from a.c import x"),
        module("a.c", "import d"),
        module("d", "from a.b import y"),
        module("a", "import d"),
    ]
    assert circles(around) == [("a.b", "a.c", "d")]
    assert circles(around[:2]) == []


def test_importers_are_counted_by_module() -> None:
    assert importers([module("a.b", "import d"), module("a.c", "import d")]) == {"d": 2}


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        pytest.param('"""What is it?"""', True, id="a question"),
        pytest.param('"""It is this. Why?\n\nBecause."""', True, id="a question in the first paragraph"),
        pytest.param('"""It is this.\n\nWhy?"""', False, id="a question further down"),
        pytest.param("x = 1", False, id="no docstring"),
        pytest.param('def f():\n    """Is it?"""', False, id="a function's"),
    ],
)
def test_a_module_asks_if_its_first_paragraph_does(text: str, asks: bool) -> None:
    assert module("d", text).asks is asks


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Raises `ConfigError` where the file is none.", True),
        ("The version; None where there is none.", True),
        ("Where nothing is stored, the default.", True),
        ("The folder where the files are.", False),
        ("None if there is none.", False),
    ],
)
def test_where_for_if_is_told_from_where_for_a_place(line: str, found: bool) -> None:
    assert bool(sentences([module("d", f'"""First.\n\n{line}\n"""')], WHERE_FOR_IF)) is found


def test_lists_name_file_and_line_and_the_table_counts_them() -> None:
    modules = [
        module("d", '"""First.\n\nNobody knows.\n"""\nx = 1\n'),
        module("a.b", '"""Why?"""\nimport d\n'),
    ]
    lists = measured(modules)
    assert lists["dialect"] == ["d.py:3: Nobody knows."]
    assert lists["questions"] == ["a/b.py: Why?"]
    assert lists["single"] == ["d.py"]
    assert dict(table(modules))["modules, median and mean lines"] == "2, 4, 4"
