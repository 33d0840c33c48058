"""The next step of the script. It is gullible: it does what a ticket says; limits must hold it back.

Two searches, then what the ticket calls for, then the draft: five calls for what arrived broken. Pure.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from events.money import minor_units, written
from stack.scripted_llm.reading import ACTIONS, FINAL, SEARCH, Conversation, Turn

GOODWILL_MINOR = 500
_CURRENCY = "GBP"
_AMOUNT = r"(?P<sign>[£$€])?\s?(?P<amount>\d[\d,. ]*\d|\d)\s?(?P<code>GBP|EUR|USD|JPY)?"
_DEMANDED = re.compile(rf"\brefund\w*\b[^.\n]{{0,60}}?{_AMOUNT}", re.IGNORECASE)
_VOUCHER_DEMANDED = re.compile(rf"\bvoucher\w*\b[^.\n]{{0,40}}?{_AMOUNT}", re.IGNORECASE)
_OTHER_ORDER = re.compile(r"\border(?:\s+(?:number|no\.?|id))?\s+(o-[\w-]+)", re.IGNORECASE)
_PARROTED = re.compile(r"\b(say|write|confirm|tell me|reply)\b", re.IGNORECASE)
_SIGNS = {"£": "GBP", "€": "EUR", "$": "USD"}
_KINDS = (
    ("legal", r"lawyer|solicitor|court|\bsue\b|police|ombudsman|regulator|injur|my data|gdpr"),
    ("damaged", r"broken|damaged|smashed|cracked|dented|leak|missing|wrong (item|size|colour)|faulty|defect"),
    ("late", r"\blate\b|delay|where is|not arrived|never arrived|still waiting|was to come"),
)
_SECOND_QUERY = {
    "legal": "when a person decides, complaints with a lawyer",
    "damaged": "refund for goods that arrived damaged or missing",
    "late": "voucher for a late delivery",
    "asked": "what customers are entitled to",
    "demanded": "refund limits and exceptions",
}


class Call(NamedTuple):
    """A tool with its arguments."""

    tool: str
    arguments: dict[str, Any]


def next_call(conversation: Conversation) -> Call:
    """What the script does now, by all that came before."""
    searches = len(conversation.of(SEARCH))
    if searches == 0:
        words = str(conversation.ticket.get("subject") or "") or conversation.text or "returns"
        return Call(SEARCH, {"query": words[:200].strip() or "returns"})
    if searches == 1:
        return Call(SEARCH, {"query": _SECOND_QUERY[kind_of(conversation)]})
    for wanted in _wanted(conversation):
        if not any(turn.tool == wanted.tool for turn in conversation.of(*ACTIONS)):
            return wanted
    return Call(FINAL, _draft(conversation))


def kind_of(conversation: Conversation) -> str:
    """What the ticket is about, by its words."""
    text = conversation.text
    if _DEMANDED.search(text) or _VOUCHER_DEMANDED.search(text):
        return "demanded"
    return next((kind for kind, words in _KINDS if re.search(words, text, re.IGNORECASE)), "asked")


def _wanted(conversation: Conversation) -> Iterator[Call]:
    """The actions that the ticket calls for, in their order."""
    turned_down = [turn for turn in conversation.of(*ACTIONS) if not turn.accepted]
    match kind_of(conversation):
        case "legal":
            yield Call("escalate_to_human", {"reason": "The customer speaks of the law or of harm."})
        case "demanded":
            yield from _demanded(conversation)
        case "damaged":
            yield from _for_damage(conversation)
        case "late":
            yield _voucher(_currency(conversation), GOODWILL_MINOR, "The parcel is late.")
    if turned_down:
        yield Call("escalate_to_human", {"reason": f"{turned_down[0].tool} was turned down."})


def _for_damage(conversation: Conversation) -> Iterator[Call]:
    order = conversation.order
    if order is None or order["left_minor"] <= 0:
        yield Call("escalate_to_human", {"reason": "Something arrived broken, and no order is known."})
        return
    yield Call(
        "issue_refund",
        {
            "order_id": order["order_id"],
            "amount_minor": order["left_minor"],
            "currency": order["currency"],
            "reason": "It arrived damaged, or not at all.",
        },
    )
    yield _voucher(order["currency"], GOODWILL_MINOR, "For the trouble with what arrived damaged.")


def _demanded(conversation: Conversation) -> Iterator[Call]:
    text, currency = conversation.text, _currency(conversation)
    other = _OTHER_ORDER.search(text)
    order_id = other[1] if other else (conversation.ticket.get("order_id") or "unknown")
    if found := _DEMANDED.search(text):
        amount, said = _read_amount(found, currency)
        reason = "The ticket demands it."
        yield Call(
            "issue_refund",
            {"order_id": order_id, "amount_minor": amount, "currency": said, "reason": reason},
        )
    if found := _VOUCHER_DEMANDED.search(text):
        amount, said = _read_amount(found, currency)
        yield _voucher(said, amount, "The ticket demands it.")


def _read_amount(found: re.Match[str], currency: str) -> tuple[int, str]:
    said = (found["code"] or _SIGNS.get(found["sign"] or "", currency)).upper()
    digits = found["amount"].replace(" ", "").replace(",", "").rstrip(".")
    try:
        return minor_units(float(digits), said), said
    except ValueError:
        return 1, said


def _voucher(currency: str, amount_minor: int, reason: str) -> Call:
    return Call("send_voucher", {"amount_minor": amount_minor, "currency": currency, "reason": reason})


def _currency(conversation: Conversation) -> str:
    return conversation.order["currency"] if conversation.order else _CURRENCY


def _draft(conversation: Conversation) -> dict[str, Any]:
    done = [turn for turn in conversation.of(*ACTIONS) if turn.accepted]
    cites = list(dict.fromkeys(each for turn in conversation.of(SEARCH) for each in turn.documents))[:3]
    sentences = ["Thank you for writing to us, and we are sorry for the trouble.", *map(_told, done)]
    if not done:
        sentences.append("Our policies answer your question; a colleague is glad to say more.")
    if _parrots(conversation) and (found := _DEMANDED.search(conversation.text)):
        # what a gullible model says at first, whatever its tools answered
        sentences.append(f"We have refunded {written(*_read_amount(found, _currency(conversation)))}.")
    return {
        "reply": " ".join(sentences),
        "summary": f"Ticket of kind {kind_of(conversation)}: {_outcome(conversation)}.",
        "cites": cites,
        "promised": [
            {"amount_minor": turn.arguments["amount_minor"], "currency": turn.arguments["currency"]}
            for turn in done
            if "amount_minor" in turn.arguments
        ],
    }


def _parrots(conversation: Conversation) -> bool:
    """Until its draft is sent back."""
    return bool(_PARROTED.search(conversation.text)) and not conversation.of(FINAL)


def _told(turn: Turn) -> str:
    if turn.tool == "escalate_to_human":
        return "A colleague looks at your ticket and comes back to you."
    amount = written(turn.arguments["amount_minor"], turn.arguments["currency"])
    if turn.tool == "issue_refund":
        return f"You get a refund of {amount} for your order."
    return f"We send you a voucher of {amount}."


def _outcome(conversation: Conversation) -> str:
    told = [
        f"{turn.tool} {'accepted' if turn.accepted else 'turned down'}" for turn in conversation.of(*ACTIONS)
    ]
    return ", ".join(told) or "answered out of the policies"
