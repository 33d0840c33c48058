"""Amounts of money that a reply names: heuristics for a text of a few sentences; pure.

An amount is a number beside a currency: a sign, an ISO 4217 code, or the everyday name in English or German.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from events.money import minor_digits
from models.support.actions import Money

_ISO = ("EUR", "GBP", "USD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "JPY", "CAD", "AUD")
_SIGNS = {"€": ("EUR",), "£": ("GBP",), "$": ("USD", "CAD", "AUD"), "¥": ("JPY",)}
_NAMES = {
    "euro": ("EUR",), "euros": ("EUR",), "pound": ("GBP",), "pounds": ("GBP",), "quid": ("GBP",),
    "dollar": ("USD", "CAD", "AUD"), "dollars": ("USD", "CAD", "AUD"), "yen": ("JPY",),
    "franken": ("CHF",), "francs": ("CHF",),
}  # fmt: skip
_CURRENCIES = {**_SIGNS, **_NAMES, **{code.lower(): (code,) for code in _ISO}}
_SMALL = {
    "cent": ("EUR", "USD"),
    "cents": ("EUR", "USD"),
    "pence": ("GBP",),
    "penny": ("GBP",),
    "p": ("GBP",),
}
_TIMES = {"k": 1_000, "hundred": 100, "thousand": 1_000, "tausend": 1_000, "million": 1_000_000}

_SIGN = "[€£$¥]"
_WORDS = "|".join(sorted((*_NAMES, *map(str.lower, _ISO)), key=len, reverse=True))
_FIGURE = r"\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)*"  # noqa: RUF001 - a separator
_TIMED = rf"(?P<figure>{_FIGURE})(?:,-)?(?:\s?(?P<times>{'|'.join(_TIMES)})\b)?"
_BEFORE = re.compile(rf"(?P<unit>{_SIGN}|\b(?:{_WORDS}))[ \u00a0\u202f]?{_TIMED}", re.IGNORECASE)
_AFTER = re.compile(
    rf"(?<![\w.,-]){_TIMED}[ \u00a0\u202f-]?(?P<unit>{_SIGN}|(?:{_WORDS}|{'|'.join(_SMALL)})\b(?!\.\s?m\b))",
    re.IGNORECASE,
)
_SPELT = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|fifteen|twenty|thirty|forty|fifty|sixty|seventy|eighty"
    rf"|ninety|hundred|thousand|million)\s(?:{_WORDS}|cents|pence)\b",
    re.IGNORECASE,
)
_SHARE = re.compile(r"\d+(?:[.,]\d+)?\s?(?:%|per\s?cent\b|percent\b|prozent\b)", re.IGNORECASE)


class Written:
    """`text` as it stands there, and which amounts it may mean; none if it is spelt out."""

    def __init__(self, text: str, meanings: frozenset[Money]) -> None:
        self.text = text
        self.meanings = meanings


def amounts_in(text: str) -> Iterator[Written]:
    """Every amount, in no order; one between two signs twice."""
    for pattern in (_BEFORE, _AFTER):
        for match in pattern.finditer(text):
            yield Written(match[0].strip(), frozenset(_meanings(match)))
    yield from (Written(match[0], frozenset()) for match in _SPELT.finditer(text))


def shares_in(text: str) -> list[str]:
    """Every percentage: of what, cannot be checked."""
    return [match[0] for match in _SHARE.finditer(text)]


def shown(money: Money) -> str:
    """`12.50 EUR`, for people."""
    digits = minor_digits(money.currency)
    return f"{Decimal(money.amount_minor).scaleb(-digits):.{digits}f} {money.currency}"


def _meanings(match: re.Match[str]) -> Iterator[Money]:
    unit, times = match["unit"].lower(), match["times"]
    number = _number(match["figure"]) * (_TIMES[times.lower()] if times else 1)
    for currency in _SMALL.get(unit, ()):
        yield from _exactly(number, currency)
    for currency in _CURRENCIES.get(unit, ()):
        yield from _exactly(number.scaleb(minor_digits(currency)), currency)


def _exactly(minor: Decimal, currency: str) -> Iterator[Money]:
    if minor == minor.to_integral_value():
        yield Money(int(minor), currency)


def _number(figure: str) -> Decimal:
    """As English or German write it: the last mark is the decimal one, if not three digits follow."""
    plain = re.sub(r"[ \u00a0\u202f'’]", "", figure)  # noqa: RUF001 - a separator
    whole, mark, rest = max((plain.rpartition(mark) for mark in ".,"), key=lambda parts: len(parts[0]))
    if not mark or len(rest) == 3 or mark in whole:
        return Decimal(re.sub("[.,]", "", plain))
    return Decimal(f"{re.sub('[.,]', '', whole)}.{rest}")
