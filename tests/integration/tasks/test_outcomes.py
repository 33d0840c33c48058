"""Every event of a message has its outcome, on a real worker."""

from collections import Counter
from pathlib import Path

from tests.integration.tasks.rig import Rig, wait_until


def executions(rig: Rig) -> Counter[str]:
    """How often each event was begun with."""
    return Counter(event for entry in rig.entries() for event in entry["events"])


def test_a_batch_of_good_and_bad_events_ends_in_predictions_and_dead_letters(rig: Rig) -> None:
    rig.send({"a": {}, "b": {"do": "refuse"}, "c": {}})
    rig.start()

    rig.wait_for(predictions=2, letters=1, seconds=30)

    assert set(rig.predictions) == {"a", "c"}
    assert rig.causes == {"rejected": 1}


def test_only_the_events_that_failed_are_tried_again_and_end_in_the_dlq(rig: Rig) -> None:
    rig.start()
    rig.send({"good": {}, "bad": {"do": "retry"}}, max_retries=2)

    rig.wait_for(predictions=1, letters=1, seconds=30)

    _, said = rig.letters[0]
    assert executions(rig) == {"good": 1, "bad": 3}
    assert (said.cause, said.attempts) == ("retries_exhausted", 3)
    assert said.first_failure < said.last_failure
    assert rig.predictions["good"][0].attempts == 1


def test_an_event_that_succeeds_at_its_retry_has_one_prediction(rig: Rig, tmp_path: Path) -> None:
    cure = tmp_path / "cure"
    rig.start()
    rig.send({"sick": {"do": "retry until", "for": str(cure)}})
    wait_until(lambda: executions(rig)["sick"] >= 1, 20, "the first attempt")
    cure.touch()

    rig.wait_for(predictions=1, letters=0, seconds=30)

    assert rig.predictions["sick"][0].attempts >= 2


def test_a_failure_of_the_whole_batch_is_retried_three_times_and_no_event_is_lost(rig: Rig) -> None:
    rig.start()
    rig.send({"a": {}, "b": {"do": "retry the batch"}})

    rig.wait_for(predictions=0, letters=2, seconds=60)

    assert executions(rig) == {"a": 4, "b": 4}
    assert {(said.cause, said.attempts) for _, said in rig.letters} == {("retries_exhausted", 4)}


def test_a_bug_costs_the_event_that_meets_it_and_no_other(rig: Rig) -> None:
    rig.start()
    rig.send({"bug": {"do": "bug"}, **{f"e{number}": {} for number in range(40)}})

    rig.wait_for(predictions=40, letters=1, seconds=60)

    assert rig.causes == {"unexpected": 1}


def test_a_fatal_error_of_the_producer_ends_no_process_and_writes_no_event_twice(rig: Rig) -> None:
    worker = rig.start()
    rig.send({"before": {}})
    rig.wait_for(predictions=1, letters=0, seconds=30)
    pids = [child.pid for child in worker.children]

    rig.send({"a": {}, "b": {"do": "end the producer"}, "c": {}})
    rig.wait_for(predictions=4, letters=0, seconds=30)

    assert [child.pid for child in worker.children] == pids
    assert "another one goes on" in worker.text
    assert {len(found) for found in rig.predictions.values()} == {1}
