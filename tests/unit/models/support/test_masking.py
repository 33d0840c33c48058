"""Personal data of a customer does not reach a log."""

import io
import logging
import time

import pytest

from models.support.masking import mask, mask_loggers, masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("write to ann.o'neil@mail.example.co.uk", "write to ann.o'[e-mail]", id="an address"),
        pytest.param("mail x+y@example.org, please", "mail [e-mail], please", id="before a comma"),
        pytest.param("call +44 20 7946 0958 now", "call [phone] now", id="abroad"),
        pytest.param("call (020) 7946-0958.", "call [phone].", id="in brackets"),
        pytest.param("ruf 0171/1234567 an", "ruf [phone] an", id="with a stroke"),
        pytest.param("my card 4111 1111 1111 1111", "my card [card]", id="a card in groups"),
        pytest.param("my card 4111111111111111", "my card [card]", id="a card in one"),
        pytest.param("to GB82 WEST 1234 5698 7654 32", "to [iban]", id="an IBAN in groups"),
        pytest.param("to DE89370400440532013000!", "to [iban]!", id="an IBAN in one"),
        pytest.param(
            "I live at 12 Acacia Avenue, SW1A 1AA", "I live at [address], [postcode]", id="in London"
        ),
        pytest.param("Hauptstraße 12a, 10115 Berlin", "[address], [postcode] Berlin", id="in Berlin"),
    ],
)
def test_what_reaches_somebody_is_masked(text: str, shown: str) -> None:
    assert mask(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Ann O'Neil is a name, and no pattern knows one",
        "order o-1250 of customer c-17, ticket t-301",
        "pred_6f95946d-23b4-54b8-bc6b-0124df7ec5b8",
        "refund of 12.50 GBP, 1250 minor, of 57.16",
        "on 2026-11-21 and 21.11.2026",
        "2026-11-21 23:52:28",
        "v3 of gpt-4.1-mini, 60000 tokens",
    ],
)
def test_names_and_what_an_operator_looks_for_stay(text: str) -> None:
    assert mask(text) == text


def test_every_text_of_a_value_is_masked_and_no_key() -> None:
    said = {"a@b.example": ["x@y.example", {"n": 1, "z": ("u@v.example",)}], "none": None}
    assert masked(said) == {"a@b.example": ["[e-mail]", {"n": 1, "z": ["[e-mail]"]}], "none": None}


def test_a_handler_writes_neither_message_nor_traceback_as_it_was() -> None:
    stream = io.StringIO()
    logger, handler = logging.getLogger("tests.masking"), logging.StreamHandler(stream)
    logger.addHandler(handler)
    mask_loggers(logger.name)
    mask_loggers(logger.name)
    try:
        int("no mailbox ann@example.org")
    except ValueError:
        logger.exception("could not write to %s", "ann@example.org")
    finally:
        logger.removeHandler(handler)
    written = stream.getvalue()
    assert "could not write to [e-mail]" in written
    assert "no mailbox [e-mail]" in written
    assert "ann@" not in written
    assert len(handler.filters) == 1


@pytest.mark.parametrize(
    "text",
    [
        "a." * 50_000,
        "1" * 100_000 + "x",
        "A-" * 50_000,
        "GB82 " * 20_000,
        "12 Aa " * 16_000,
        "1 " * 50_000 + "x",
    ],
    ids=["dots", "digits", "letters and dashes", "beginnings of an IBAN", "beginnings of a street", "pairs"],
)
def test_a_strangers_text_cannot_make_it_slow(text: str) -> None:
    began = time.process_time()
    mask(text)
    assert time.process_time() - began < 5
