"""The passages that answer a question, whatever its text."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.support.policies import Policies, read_policies
from models.support.policy import Document, Part
from models.support.questions import ask_all, read_questions, recall
from models.support.search import LONGEST_PASSAGE, PolicyIndex, fused, open_policies
from models.support.words import MOST_WORDS

SHIPPED = Path("config/policies")
DAMAGE = Document("D", "support-policies", "Damage", "2026-01-01")
LATE = Document("L", "support-policies", "Late deliveries", "2026-01-01")
POINTS = Document("P", "loyalty", "Points", "2026-01-01")
PARTS = (
    Part(DAMAGE, "Reporting", "A broken article is reported within 14 days."),
    Part(DAMAGE, "What is given", "The price is refunded."),
    Part(LATE, "Vouchers", "After three days a voucher of 5.00 EUR for the late parcel."),
    Part(POINTS, "Earning", "A point for each euro. Points of a broken article are kept."),
)
SYNONYMS = (("broken", "smashed", "in pieces"), ("parcel", "package"))


def index(*parts: Part, meaning: "Ranked | None" = None) -> PolicyIndex:
    """Over these parts."""
    documents = tuple(dict.fromkeys(part.document for part in parts))
    return PolicyIndex(Policies(documents, parts, SYNONYMS, "digest"), meaning)


SEARCHED = index(*PARTS)


class Ranked:
    """Says what it was given, or that it cannot."""

    def __init__(self, places: Sequence[int] | None) -> None:
        self.places = places

    def search(self, query: str, places: Sequence[int], limit: int) -> list[int] | None:
        """These places, of those that were asked about."""
        return None if self.places is None else [place for place in self.places if place in places][:limit]


@pytest.mark.parametrize(
    ("query", "namespace", "documents"),
    [
        pytest.param("broken", "support-policies", ["D"], id="the word of a policy"),
        pytest.param("BROKEN!!", "support-policies", ["D"], id="louder"),
        pytest.param("vouchers", "support-policies", ["L"], id="another ending"),
        pytest.param("my cup was smashed", "support-policies", ["D"], id="a customer's word for it"),
        pytest.param("it is in pieces", "support-policies", ["D"], id="a customer's phrase for it"),
        pytest.param("two packages", "support-policies", ["L"], id="a customer's word with another ending"),
        pytest.param("broken", "loyalty", ["P"], id="only in the namespace that is asked"),
        pytest.param("broken", None, ["D", "P"], id="in all namespaces"),
        pytest.param("broken", "no such", [], id="in a namespace that is not there"),
        pytest.param("weather", "support-policies", [], id="nothing fits"),
        pytest.param("", "support-policies", [], id="no question"),
        pytest.param("?!… \x00 \ud800", "support-policies", [], id="no word in the question"),
    ],
)
def test_a_question_finds_its_policies(query: str, namespace: str | None, documents: list[str]) -> None:
    assert [passage.document for passage in index(*PARTS).search(query, namespace)] == documents


@pytest.mark.parametrize(
    "query",
    [
        pytest.param('broken" OR namespace:loyalty OR "', id="a quote that ends the string"),
        pytest.param("NOT broken", id="an operator"),
        pytest.param("broken AND NEAR(a b, 7", id="a function that never ends"),
        pytest.param("title:broken", id="a column"),
        pytest.param("brok* ^broken -broken +broken", id="prefix and signs"),
        pytest.param("broken'); DROP TABLE parts; --", id="another statement"),
        pytest.param("{broken} (broken", id="brackets"),
    ],
)
def test_nothing_in_a_question_is_an_operator(query: str) -> None:
    over = index(*PARTS)
    assert [passage.document for passage in over.search(query)][:1] == ["D"]
    assert [passage.document for passage in over.search("broken")] == ["D"]


@given(text=st.text(max_size=300), place=st.integers(0, 300))
def test_no_text_breaks_a_search_or_hides_a_word(text: str, place: int) -> None:
    found = SEARCHED.search(f"{text[:place]} broken {text[place:]}")
    if len(text) < MOST_WORDS:
        assert "D" in [passage.document for passage in found]


def test_a_ticket_pasted_into_a_question_counts_up_to_a_bound() -> None:
    words = [f"word{number}" for number in range(MOST_WORDS)]
    over = index(*PARTS)
    assert [each.document for each in over.search(" ".join([*words[1:], "broken"]))] == ["D"]
    assert over.search(" ".join([*words, "broken"])) == ()


def test_a_passage_shows_what_else_of_the_policy_fits_the_question() -> None:
    (passage,) = index(*PARTS).search("damage refunded")
    assert (passage.title, passage.section) == ("Damage", "What is given")
    assert passage.text == (
        "Reporting\nA broken article is reported within 14 days.\n\nWhat is given\nThe price is refunded."
    )


def test_a_passage_shows_no_more_than_a_prompt_carries() -> None:
    long = [Part(DAMAGE, f"Part {number}", f"refund {number} " * 45) for number in range(8)]
    (passage,) = index(*long).search("refund")
    assert len(passage.text) <= LONGEST_PASSAGE


def test_no_more_than_asked_for_each_of_another_policy() -> None:
    documents = [Document(f"N-{n}", "support-policies", "Refund", "2026-01-01") for n in range(8)]
    over = index(*(Part(document, "Refund", "A refund.") for document in documents for _ in range(3)))
    found = [passage.document for passage in over.search("refund", k=5)]
    assert len(found) == len(set(found)) == 5


@pytest.mark.parametrize(
    ("meaning", "documents"),
    [
        pytest.param(Ranked([2]), ["D", "L"], id="what only the meaning finds is found"),
        pytest.param(Ranked([2, 0]), ["D", "L"], id="what both find goes first"),
        pytest.param(Ranked([3]), ["D"], id="not outside of the namespace"),
        pytest.param(Ranked(None), ["D"], id="while there is no meaning, by words alone"),
    ],
)
def test_words_and_meaning_are_joined(meaning: Ranked, documents: list[str]) -> None:
    found = index(*PARTS, meaning=meaning).search("broken", "support-policies")
    assert sorted(passage.document for passage in found) == sorted(documents)
    assert found[0].document == "D"


def test_ranks_are_joined_by_their_reciprocals() -> None:
    assert fused([[7, 8], [8]]) == [(8, 1 / 62 + 1 / 61), (7, 1 / 61)]


def test_many_threads_ask_one_index_and_each_gets_its_own_answer() -> None:
    over = index(*PARTS)
    wanted = [("broken", "D"), ("late voucher", "L")] * 200
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda pair: over.search(pair[0])[0].document, wanted))
    assert found == [document for _, document in wanted]


def test_the_questions_of_customers_find_their_policies() -> None:
    policies = read_policies(SHIPPED)
    asked = read_questions(SHIPPED / "questions.yaml", policies).asked
    over = PolicyIndex(policies)
    assert len(asked) == 100
    assert recall(ask_all(over, asked)) >= 0.93
    assert recall(ask_all(over, asked, everywhere=True)) >= 0.7


def test_the_search_of_the_shipped_policies_says_on_what_it_rests() -> None:
    policies = read_policies(SHIPPED)
    over = PolicyIndex(policies)
    assert over.digest == policies.digest
    assert over.namespaces == policies.namespaces


def test_an_index_opens_while_nobody_embeds_its_texts(caplog: pytest.LogCaptureFixture) -> None:
    plain = open_policies(SHIPPED)
    without = open_policies(SHIPPED, "http://127.0.0.1:9/v1", None, "small", lambda: 0)
    assert "searched by words alone" in caplog.text
    assert without.search("broken vase") == plain.search("broken vase") != ()
