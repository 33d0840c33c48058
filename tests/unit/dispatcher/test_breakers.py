"""The circuit breaker of a topic that refuses records."""

import pytest

from dispatcher.breakers import BUDGET, PATIENCE_S, PROBE_EVERY_S, Breakers


@pytest.fixture
def breakers() -> Breakers:
    return Breakers()


def test_a_topic_that_nothing_is_known_of_takes_every_record(breakers: Breakers) -> None:
    assert breakers.admits("lane", 0.0)
    assert breakers.reason("lane") is None


def test_a_refused_topic_gets_one_record_at_a_time_to_try_it(breakers: Breakers) -> None:
    assert breakers.on_refused("lane", "no ACL", 0.0)
    assert not breakers.on_refused("lane", "no ACL", 0.1), "it began only once"
    assert not breakers.admits("lane", PROBE_EVERY_S - 0.1)
    assert breakers.admits("lane", PROBE_EVERY_S)
    assert not breakers.admits("lane", PROBE_EVERY_S)
    assert breakers.admits("lane", 2 * PROBE_EVERY_S)
    assert breakers.reason("lane") == "no ACL"


def test_one_refused_topic_says_nothing_of_another(breakers: Breakers) -> None:
    breakers.on_refused("lane", "no ACL", 0.0)
    assert breakers.admits("other", 0.0)


def test_the_first_acknowledgement_ends_a_refusal(breakers: Breakers) -> None:
    breakers.on_refused("lane", "no ACL", 0.0)
    breakers.on_written("lane", PROBE_EVERY_S)
    assert breakers.on_acknowledged("lane", PROBE_EVERY_S)
    assert breakers.admits("lane", PROBE_EVERY_S)
    breakers.on_written("lane", 3.0)
    assert not breakers.on_acknowledged("lane", 3.0), "it ends only once"


def test_a_topic_with_its_budget_in_flight_is_stuck_once_it_makes_no_progress(breakers: Breakers) -> None:
    for _ in range(BUDGET):
        breakers.on_written("lane", 0.0)
    assert not breakers.stuck("lane", PATIENCE_S - 0.1), "it may be slow"
    assert breakers.stuck("lane", PATIENCE_S)
    assert not breakers.stuck("other", PATIENCE_S)


def test_an_acknowledgement_is_progress(breakers: Breakers) -> None:
    for _ in range(BUDGET + 1):
        breakers.on_written("lane", 0.0)
    breakers.on_acknowledged("lane", 10.0)
    assert not breakers.stuck("lane", 10.0 + PATIENCE_S / 2)


def test_what_failed_is_not_in_flight_any_more(breakers: Breakers) -> None:
    for _ in range(BUDGET):
        breakers.on_written("lane", 0.0)
    breakers.on_failed("lane")
    assert not breakers.stuck("lane", PATIENCE_S)
