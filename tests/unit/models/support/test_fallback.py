"""The answer to a customer if no model answered, or none may."""

import pytest

from models.support.fallback import (
    REASONS,
    TOLD,
    Reason,
    hand_over_summary,
    plain_draft,
    quoted_documents,
)
from models.support.passage import Passage
from models.support.platform import ToldAction


def passage(document: str, text: str, section: str = "Damaged goods") -> Passage:
    return Passage(document=document, title=document.title(), section=section, text=text, score=1.0)


def test_a_draft_without_a_model_holds_the_policies_own_words_and_nothing_else() -> None:
    draft = plain_draft([passage("returns", "Thirty days."), passage("refunds", "To the same card.", "")])
    assert draft.split("\n\n")[1:-1] == [
        "Returns, Damaged goods:\nThirty days.",
        "Refunds:\nTo the same card.",
    ]


def test_where_nothing_was_found_nothing_is_made_up() -> None:
    assert plain_draft([]) == "A colleague reads your ticket and comes back to you."


def test_the_best_three_are_quoted_and_named_once_each() -> None:
    found = [passage(name, f"of {name}") for name in ("a", "b", "a", "c")]
    assert quoted_documents(found) == ("a", "b")
    assert "of c" not in plain_draft(found)


def test_a_long_passage_ends_at_a_word() -> None:
    quote = plain_draft([passage("returns", "forty words " * 100)]).split("\n\n")[1]
    assert quote.endswith((" words …", " forty …"))
    assert len(quote) < 700


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_told_in_words(reason: Reason) -> None:
    assert hand_over_summary(reason, "").startswith(f"Handed over: {TOLD[reason]}")


def test_a_person_reads_what_is_known() -> None:
    done = ToldAction(
        tool="issue_refund", amount_minor=1_250, currency="GBP", state="unknown", reference="no answer"
    )
    summary = hand_over_summary("action_unknown", "A broken lamp.", [done], ["returns", "refunds", "returns"])
    assert summary.splitlines()[1:] == [
        "A broken lamp.",
        "issue_refund 12.50 GBP is unknown: no answer.",
        "Policies read: returns, refunds.",
    ]
