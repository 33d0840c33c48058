"""A circuit breaker leaves a dependency alone after a failure, and tries it again."""

from core.circuit_breaker import CircuitBreaker


def test_it_is_open_for_a_pause_after_a_failure() -> None:
    breaker = CircuitBreaker(10)
    assert not breaker.is_open(0)
    assert breaker.on_failure(0) == 10
    assert breaker.open_until(9) == 10
    assert not breaker.is_open(10)


def test_failures_in_a_row_double_the_pause_up_to_the_longest() -> None:
    breaker = CircuitBreaker(10, 35)
    assert [breaker.on_failure(100) - 100 for _ in range(4)] == [10, 20, 35, 35]


def test_a_success_closes_it_and_forgets_the_failures() -> None:
    breaker = CircuitBreaker(10, 40)
    breaker.on_failure(0)
    breaker.on_failure(0)
    breaker.on_success()
    assert not breaker.is_open(0)
    assert breaker.on_failure(0) == 10
