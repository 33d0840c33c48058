"""Messages for this pool, for another pool, and for none."""

import pytest

from beat_schedule import BEAT_SCHEDULE
from routing import load
from tasks.belonging import MOST_MOVES, Belonging, Hold, RunHere, SendHome

QUEUES = tuple(load("config/routing_table.yaml", "config/workflows.yaml").catalogue.queues.values())
FRAUD = "ml.fraud.input"


def pool(*served: str) -> Belonging:
    """A pool of these queues, among all that are shipped."""
    return Belonging.of(QUEUES, BEAT_SCHEDULE, [spec for spec in QUEUES if spec.name in served])


@pytest.mark.parametrize(
    ("task", "workflow", "moves", "expected"),
    [
        pytest.param("tasks.fraud.score", "fraud-classifier", 0, RunHere("tasks.fraud.score"), id="its own"),
        pytest.param("tasks.features.materialize", None, 0, SendHome("ml.features"), id="typed by hand"),
        pytest.param("tasks.features.find_inactive", None, 0, SendHome("ml.features"), id="known to beat"),
        pytest.param("tasks.churn.predict", "churn-predictor", 0, SendHome("ml.churn.input"), id="events"),
        pytest.param("tasks.fraud.scroe", "fraud-classifier", 0, RunHere("tasks.fraud.score"), id="misspelt"),
        pytest.param("tasks.unheard.of", None, 0, None, id="nobody's, without events"),
        pytest.param("tasks.unheard.of", "unheard-of", 0, Hold, id="nobody's, with events: they wait"),
        pytest.param("tasks.churn.predict", "churn-predictor", MOST_MOVES, Hold, id="two pools disagree"),
    ],
)
def test_each_message_has_one_place(task: str, workflow: str | None, moves: int, expected: object) -> None:
    place = pool(FRAUD).place(task, FRAUD, workflow, moves)
    assert isinstance(place, Hold) if expected is Hold else place == expected


def test_what_comes_from_a_queue_that_was_added_to_a_pool_stays_there() -> None:
    place = pool(FRAUD).place("tasks.churn.predict", "ml.churn.input", "churn-predictor")
    assert isinstance(place, Hold)
    assert "cancel_consumer ml.churn.input" in place.reason


def test_each_task_that_beat_asks_for_has_the_queue_that_beat_names() -> None:
    homes = pool().homes
    for entry in BEAT_SCHEDULE.values():
        assert homes[entry["task"]] == entry["options"]["queue"]


@pytest.mark.parametrize(
    ("served", "modules"),
    [
        pytest.param((FRAUD,), ("tasks.fraud",), id="one"),
        pytest.param(("ml.forecast.input", "ml.forecast.batch"), ("tasks.forecast",), id="two of a workflow"),
        pytest.param(("ml.training",), ("tasks.training",), id="with a task of the clock's"),
        pytest.param((), (), id="beat and Flower"),
    ],
)
def test_a_pool_imports_the_modules_of_its_own_tasks_only(
    served: tuple[str, ...], modules: tuple[str, ...]
) -> None:
    assert pool(*served).modules == modules
