"""A worker with a key acts on what was signed with that key, and on nothing else."""

import pytest

from events.errors import ConfigError, DeadLetter
from events.seal import Seal

OLD, NEW = "o" * 32, "n" * 32


def test_what_was_signed_is_opened_by_the_same_key() -> None:
    seal = Seal.of(OLD)
    assert seal.open(seal.sign("abc=")) == "abc="


def test_without_a_key_nothing_is_signed_and_everything_is_opened() -> None:
    seal = Seal.of(None)
    assert seal.sign("abc=") == "abc="
    assert seal.open("abc=") == "abc="
    assert seal.open({"no": "text"}) == {"no": "text"}


def test_a_worker_whose_key_was_taken_away_still_reads_what_was_signed() -> None:
    assert Seal.of("").open(Seal.of(OLD).sign("abc=")) == "abc="


def test_a_new_key_is_brought_in_before_the_old_one_goes() -> None:
    both = Seal.of(f"{NEW}, {OLD}")
    assert both.open(Seal.of(OLD).sign("abc=")) == "abc="
    assert Seal.of(NEW).open(both.sign("abc=")) == "abc="


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        pytest.param("abc=", "not signed", id="a forged message"),
        pytest.param(None, "not signed", id="no argument"),
        pytest.param({"records": []}, "not signed", id="an object"),
        pytest.param("abc=." + "0" * 64, "signed with another key", id="a guessed signature"),
        pytest.param(Seal.of(NEW).sign("abc="), "signed with another key", id="another installation"),
        pytest.param(Seal.of(OLD).sign("abc=").replace("abc", "abd"), "another key", id="changed on its way"),
        pytest.param("abc=.\ud800", "another key", id="a signature that is no text"),
        pytest.param("", "not signed", id="nothing"),
    ],
)
def test_what_nobody_with_the_key_signed_is_refused(argument: object, said: str) -> None:
    with pytest.raises(DeadLetter, match=said) as refused:
        Seal.of(OLD).open(argument)
    assert refused.value.cause == "undecodable"


def test_a_key_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ConfigError, match="SIGNALBOX_MESSAGE_KEY: a key has 32 characters"):
        Seal.of(f"{OLD},short")
