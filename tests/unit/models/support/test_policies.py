"""The policies of a folder, and the error for a file that is none."""

from pathlib import Path

import pytest

from events.errors import ConfigError
from models.support.policies import Policies, read_policies
from models.support.policy import LONGEST_PART

SHIPPED = Path("config/policies")
GOOD = '---\nid: A-1\ntitle: Returns\neffective: "2026-01-01"\n---\n\nFirst.\n\n## How long\n\n30 days.\n'


def written(folder: Path, **files: str) -> Path:
    """A folder with these policies in the namespace `returns`."""
    (folder / "returns").mkdir(parents=True)
    for name, text in files.items():
        (folder / "returns" / f"{name}.md").write_text(text)
    return folder


def problems(folder: Path) -> list[str]:
    """What is said of a folder, with the file's name for its path."""
    with pytest.raises(ConfigError) as caught:
        read_policies(folder)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_what_the_project_ships_is_forty_policies_over_five_namespaces() -> None:
    policies = read_policies(SHIPPED)
    assert len(policies.documents) == 40
    assert policies.namespaces == (
        "loyalty", "payments", "returns-and-refunds", "shipping", "support-policies",
    )  # fmt: skip
    assert {part.document for part in policies.parts} == set(policies.documents)


def test_a_policy_is_cut_at_its_headings(tmp_path: Path) -> None:
    policies = read_policies(written(tmp_path, returns=GOOD))
    assert [(part.section, part.text) for part in policies.parts] == [
        ("", "First."),
        ("How long", "30 days."),
    ]
    document = policies.parts[0].document
    assert (document.id, document.namespace, document.title) == ("A-1", "returns", "Returns")
    assert document.effective == "2026-01-01"


def test_a_long_section_is_cut_between_its_paragraphs_and_loses_nothing(tmp_path: Path) -> None:
    paragraphs = [str(number) * 400 for number in range(5)] + ["x" * (2 * LONGEST_PART + 10)]
    policies = read_policies(written(tmp_path, long=GOOD + "\n\n".join(["", *paragraphs])))
    texts = [part.text for part in policies.parts if part.section == "How long"]
    assert all(len(text) <= LONGEST_PART for text in texts)
    assert "".join(texts).replace("\n", "") == "30 days." + "".join(paragraphs)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "# Returns\n", ["1: must begin with front matter between two lines of ---"], id="no front matter"
        ),
        pytest.param(
            "---\nid: A-1\n", ["1: must begin with front matter between two lines of ---"], id="never ends"
        ),
        pytest.param("---\n\n---\nText.\n", ["1: is empty"], id="empty front matter"),
        pytest.param(
            GOOD.replace("title: Returns\n", ""), ["2: title is missing"], id="a field is missing"
        ),
        pytest.param(
            GOOD.replace("title", "titel"),
            ["2: title is missing", "3: unknown key titel; nearest: title"],
            id="a field is misspelt",
        ),
        pytest.param(
            GOOD.replace('"2026-01-01"', "soon"),
            ['4: effective must be a day in quotes ("2026-03-01"), is soon'],
            id="no day",
        ),
        pytest.param(
            GOOD.replace('"2026-01-01"', "2026-01-01"),
            ["4: effective must be text, is 2026-01-01"],
            id="a day that YAML reads as a date",
        ),
        pytest.param(GOOD[: GOOD.index("First")], ["7: says nothing below its front matter"], id="no text"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_policy_is_refused_by_its_line(tmp_path: Path, text: str, said: list[str]) -> None:
    found = problems(written(tmp_path, bad=text, good=GOOD.replace("A-1", "A-2")))
    assert [problem.removeprefix("returns/bad.md:").strip() for problem in found] == said


def test_front_matter_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    (said,) = problems(written(tmp_path, bad=GOOD.replace("id: A-1", "id: [")))
    assert said.startswith("returns/bad.md:4: is not YAML")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, good=GOOD)
    (folder / "returns" / "bad.md").write_bytes(b"\xff\xfe")
    (said,) = problems(folder)
    assert said.startswith("returns/bad.md:1: is not UTF-8 text:")


def test_two_policies_of_one_id_are_refused(tmp_path: Path) -> None:
    assert problems(written(tmp_path, one=GOOD, other=GOOD)) == [
        f"{tmp_path}: A-1: two policies have this id: in returns, returns"
    ]


def test_a_folder_without_policies_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path) == [f"{tmp_path}: holds no policy: none is named <namespace>/<name>.md"]


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        pytest.param("parcel, package", False, id="two words"),
        pytest.param("refund, money back  # as they say", False, id="a phrase and a remark"),
        pytest.param("# nothing", False, id="a remark"),
        pytest.param("", False, id="an empty line"),
        pytest.param("parcel", True, id="one word alone"),
        pytest.param("parcel,", True, id="a comma too many"),
        pytest.param('parcel, "', True, id="no word"),
    ],
)
def test_a_line_of_synonyms_names_two_words_or_more(tmp_path: Path, line: str, refused: bool) -> None:
    folder = written(tmp_path, good=GOOD)
    (folder / "synonyms.txt").write_text(f"late, delayed\n{line}\n")
    if refused:
        assert problems(folder) == ["synonyms.txt:2: must be two words or more with commas between"]
    else:
        assert ("late", "delayed") in read_policies(folder).synonyms


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("returns/one.md", GOOD.replace("30", "14"), id="another text"),
        pytest.param("returns/two.md", GOOD.replace("A-1", "A-2"), id="another policy"),
        pytest.param("synonyms.txt", "late, delayed", id="other synonyms"),
    ],
)
def test_what_a_search_rests_on_decides_the_digest(tmp_path: Path, path: str, text: str) -> None:
    def read() -> Policies:
        return read_policies(tmp_path)

    written(tmp_path, one=GOOD)
    before = read()
    assert read().digest == before.digest
    (tmp_path / path).write_text(text)
    assert read().digest != before.digest
