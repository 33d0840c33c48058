"""Checks of a draft: it states what was found and done, and nothing else. Pure.

The limits keep the money; this keeps the words to it. What it cannot read, such as an amount that is spelt
out, is sent back as well: a reply that only a person could check is a person's to write.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from models.support.actions import Action, Escalation, Money, Tool, money_of, tool_of
from models.support.amounts import amounts_in, shares_in, shown
from models.support.draft import Draft

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_SPOKEN_OF: dict[Tool, re.Pattern[str]] = {
    "issue_refund": re.compile(
        r"\brefund(s|ed|ing)?\b|\breimburs\w+|\bmoney back\b|\berstatt\w+", re.IGNORECASE
    ),
    "send_voucher": re.compile(
        r"\bvouchers?\b|\bgift cards?\b|\bstore credit\b|\bgutschein\w*", re.IGNORECASE
    ),
}
# no promise: it is denied, depends on something, or somebody else decides
_HEDGED = re.compile(
    r"\b(not|no|cannot|unable|without|never|if|whether|unless|once|until|could|may|might|would|unfortunately"
    r"|colleagues?|specialists?|person|human|review\w*|eligib\w*|polic(y|ies)|nicht|kein\w*|wenn|falls|leider)\b"
    r"|n[’']t\b",  # noqa: RUF001 - as many keyboards write it
    re.IGNORECASE,
)


def check(draft: Draft, retrieved: Collection[str], intended: Sequence[Action]) -> tuple[str, ...]:
    """What is wrong with it, told so that the language model can put it right; nothing if it holds.

    `retrieved` are the ids of the documents that this run's searches gave, `intended` its actions.
    """
    found = (_cited(draft, retrieved, intended), _amounts(draft, intended), _promises(draft, intended))
    return tuple(problem for problems in found for problem in problems)


def _cited(draft: Draft, retrieved: Collection[str], intended: Sequence[Action]) -> Iterator[str]:
    for document in dict.fromkeys(draft.cites):
        if document not in retrieved:
            yield f"cites names {document!r}, which no search of this ticket found"
    if not draft.cites and not any(isinstance(action, Escalation) for action in intended):
        yield "cites is empty: search the policies for what the reply rests on, or call escalate_to_human"


def _amounts(draft: Draft, intended: Sequence[Action]) -> Iterator[str]:
    given = [money for action in intended if (money := money_of(action)) is not None]
    promised = [amount.money() for amount in draft.promised]
    for money in dict.fromkeys(promised):
        if promised.count(money) > given.count(money):
            yield f"promised names {shown(money)}, which no call gives: {_listed(given)}"
    for money in dict.fromkeys(given):
        if given.count(money) > promised.count(money):
            yield f"promised lacks {shown(money)}, which a call gives"
    written = list(amounts_in(draft.reply))
    for amount in written:
        if amount.meanings.isdisjoint(given):
            yield f"the reply names {amount.text!r}: it may name no amount but those given: {_listed(given)}"
    told = frozenset(money for amount in written for money in amount.meanings)
    for money in dict.fromkeys(given):
        if money not in told:
            yield f"the reply does not name {shown(money)}, which a call gives"
    for share in shares_in(draft.reply):
        yield f"the reply names {share!r}: it may say what is given, and not a share"


def _promises(draft: Draft, intended: Sequence[Action]) -> Iterator[str]:
    called = {tool_of(action) for action in intended}
    for tool, pattern in _SPOKEN_OF.items():
        if tool in called:
            continue
        for sentence in _SENTENCE.split(draft.reply):
            if pattern.search(sentence) and not _HEDGED.search(sentence):
                yield f"the reply promises what {tool} was not called for: {sentence.strip()[:200]!r}"


def _listed(given: Sequence[Money]) -> str:
    return ", ".join(map(shown, given)) or "none is"
