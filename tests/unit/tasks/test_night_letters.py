"""The SKUs of a night that were given up, from the dead letters."""

from dataclasses import dataclass
from datetime import date

import msgspec

from events.deadletter import Headers, dead_letter
from events.decision import Position
from events.envelope import Envelope
from events.errors import DeadLetter
from events.nightly import requested, trigger
from models.night_report import Failure
from tasks.night_letters import failures

NIGHT = date(2026, 3, 2)


@dataclass
class Record:
    """As much of a Kafka message as is looked at."""

    content: bytes | None
    said: Headers

    def value(self) -> bytes | None:
        return self.content

    def headers(self) -> Headers:
        return self.said


def letter(event: Envelope, message: str = "over 120 s") -> Record:
    written = dead_letter(
        source=Position("retail.events", 0, 7),
        timestamp=1,
        value=msgspec.json.encode(event),
        key=None,
        headers=None,
        error=DeadLetter("timeout", message),
        cause="timeout",
        attempts=3,
        first_failure=1,
        last_failure=2,
    )
    return Record(written.value, written.headers)


def told(*letters: Record) -> dict[tuple[str, str], dict[str, Failure]]:
    return failures(letters)  # type: ignore[arg-type]  # a message has the two methods that are used


def test_a_sku_that_was_given_up_is_named_under_its_tenant_and_night() -> None:
    assert told(letter(requested("acme", NIGHT, "a", 1)), letter(requested("other", NIGHT, "a", 1))) == {
        ("acme", "2026-03-02"): {"a": Failure("a", "timeout", "over 120 s", 2)},
        ("other", "2026-03-02"): {"a": Failure("a", "timeout", "over 120 s", 2)},
    }


def test_of_two_letters_of_a_sku_the_later_counts() -> None:
    event = requested("acme", NIGHT, "a", 1)
    said = told(letter(event, "first"), letter(event, "second"))
    assert said["acme", "2026-03-02"]["a"].message == "second"


def test_what_is_no_skus_letter_is_passed_over() -> None:
    sound = letter(requested("acme", NIGHT, "a", 1))
    assert told(letter(trigger("acme", NIGHT, 1)), Record(b"{}", ()), Record(b"no event", sound.said)) == {}
