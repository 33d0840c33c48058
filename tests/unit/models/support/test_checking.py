"""Drafts that are sent back to the language model, and the reason that it is given."""

import pytest

from models.support.actions import Action, Escalation, Money, Refund, Voucher
from models.support.amounts import amounts_in, shown
from models.support.checking import check
from models.support.draft import Amount, Draft

REFUND = Refund(order_id="o-1", amount_minor=1_250, currency="GBP", reason="it came broken")
VOUCHER = Voucher(amount_minor=500, currency="GBP", reason="it came late")
ESCALATION = Escalation(reason="a lawyer is mentioned")
FOUND = ("returns-damaged", "vouchers-late")


def draft(reply: str, *promised: int, cites: tuple[str, ...] = FOUND[:1], currency: str = "GBP") -> Draft:
    amounts = [Amount(amount_minor=amount, currency=currency) for amount in promised]
    return Draft(reply=reply, summary="A mug came broken.", cites=list(cites), promised=amounts)


@pytest.mark.parametrize(
    ("said", "intended"),
    [
        pytest.param(
            draft("We are sorry. We refund £12.50.", 1_250), (REFUND,), id="a refund, told as it is"
        ),
        pytest.param(draft("We refund GBP 12.50 today.", 1_250), (REFUND,), id="by the code before"),
        pytest.param(
            draft("We refund 12,50 GBP today.", 1_250), (REFUND,), id="with the comma of the continent"
        ),
        pytest.param(draft("We refund 12.50 pounds.", 1_250), (REFUND,), id="by its everyday name"),
        pytest.param(
            draft("You get £12.50 back, and a voucher of £5.", 1_250, 500), (REFUND, VOUCHER), id="both tools"
        ),
        pytest.param(draft("Your parcel is on its way."), (), id="nothing is given, and nothing told"),
        pytest.param(draft("We cannot refund this order."), (), id="a refund that is denied is no promise"),
        pytest.param(
            draft("A colleague decides about your refund.", cites=()),
            (ESCALATION,),
            id="a person need not cite",
        ),
        pytest.param(draft("Order 4711 left on 3.12.2025 at 12.50."), (), id="a number without a currency"),
    ],
)
def test_a_draft_that_says_what_was_done_holds(said: Draft, intended: tuple[Action, ...]) -> None:
    assert check(said, FOUND, intended) == ()


@pytest.mark.parametrize(
    ("said", "intended", "problem"),
    [
        pytest.param(
            draft("All is well.", cites=("gdpr-1",)), (), "cites names 'gdpr-1'", id="cited, and never found"
        ),
        pytest.param(draft("All is well.", cites=()), (), "cites is empty", id="an answer out of nowhere"),
        pytest.param(
            draft("All is well.", 1_250), (), "promised names 12.50 GBP", id="promised, and not called"
        ),
        pytest.param(
            draft("We refund £12.50.", 1_250, 1_250),
            (REFUND,),
            "promised names 12.50 GBP",
            id="promised twice",
        ),
        pytest.param(
            draft("We refund £12.50.", 1_250, currency="EUR"),
            (REFUND,),
            "promised names 12.50 EUR",
            id="in another currency",
        ),
        pytest.param(
            draft("We refund £12.50."), (REFUND,), "promised lacks 12.50 GBP", id="given, not promised"
        ),
        pytest.param(
            draft("We refund you.", 1_250), (REFUND,), "does not name 12.50 GBP", id="given, and not told"
        ),
        pytest.param(
            draft("We refund £12.50, and £20 more.", 1_250),
            (REFUND,),
            "the reply names '£20'",
            id="more is told",
        ),
        pytest.param(draft("You get £10,000."), (), "the reply names '£10,000'", id="ten thousand"),
        pytest.param(
            draft("You get 10k EUR."), (), "the reply names '10k EUR'", id="ten thousand, shortened"
        ),
        pytest.param(
            draft("You get ten thousand pounds."), (), "names 'thousand pounds'", id="ten thousand, spelt out"
        ),
        pytest.param(draft("You get 20 % off."), (), "the reply names '20 %'", id="a share"),
        pytest.param(
            draft("We will refund you in full."),
            (),
            "what issue_refund was not called for",
            id="a refund in words",
        ),
        pytest.param(
            draft("We refund £12.50. A voucher is on its way.", 1_250),
            (REFUND,),
            "what send_voucher was not called for",
            id="a voucher in words",
        ),
    ],
)
def test_a_draft_that_says_anything_else_is_sent_back(
    said: Draft, intended: tuple[Action, ...], problem: str
) -> None:
    problems = check(said, FOUND, intended)
    assert any(problem in told for told in problems), problems


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("£1,234.56", Money(123_456, "GBP")),
        ("1.234,56 €", Money(123_456, "EUR")),
        ("1 234,56 EUR", Money(123_456, "EUR")),
        ("EUR 1.234", Money(123_400, "EUR")),
        ("$5", Money(500, "USD")),
        ("5 AUD", Money(500, "AUD")),
        ("¥1,250", Money(1_250, "JPY")),
        ("50p", Money(50, "GBP")),
        ("99 cents", Money(99, "EUR")),
        ("2 thousand euros", Money(200_000, "EUR")),
        ("12-pound", Money(1_200, "GBP")),
        ("10,- €", Money(1_000, "EUR")),
    ],
)
def test_an_amount_is_read_as_people_write_it(text: str, money: Money) -> None:
    found = list(amounts_in(f"You get {text}, as we said."))
    assert any(money in amount.meanings for amount in found), [amount.text for amount in found]


@pytest.mark.parametrize(
    "text", ["order 12 of 2025", "o-1250", "in 14 days", "at 5 p.m.", "2 parcels", "12 pointless tries"]
)
def test_what_is_no_amount_is_not_taken_for_one(text: str) -> None:
    assert list(amounts_in(text)) == []


def test_an_amount_is_shown_in_its_major_unit() -> None:
    assert (shown(Money(1_250, "EUR")), shown(Money(1_250, "JPY"))) == ("12.50 EUR", "1250 JPY")
