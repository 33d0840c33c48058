"""The files that docs/architecture.md names exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text()
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)`", PAGE)))
LINKED = sorted(set(re.findall(r"\]\(([\w./-]+)\)", PAGE)))


@pytest.mark.parametrize("path", NAMED)
def test_a_module_that_the_page_names_exists(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("path", LINKED)
def test_a_page_that_it_links_to_exists(path: str) -> None:
    assert (ROOT / "docs" / path).exists()


@pytest.mark.parametrize("name", ["order", "feature", "version", "night", "ticket"])
def test_each_of_the_five_ways_is_listed(name: str) -> None:
    assert re.search(rf"^### An? {name}\b", PAGE, re.MULTILINE)
