"""Misspelt task names are found without importing their modules."""

from pathlib import Path

import pytest

from routing import load
from routing.task_names import task_problems

TABLE, WORKFLOWS = "config/routing_table.yaml", "config/workflows.yaml"
MODULE = """
from celery import Task, shared_task

class Score(Task):
    name = "jobs.fraud.score"

@shared_task
def refund(): ...

@shared_task(name="jobs.fraud.other")
def named(): ...

def helper(): ...
"""


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """A package of tasks that cannot be imported here."""
    package = tmp_path / "jobs"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('not here')")
    (package / "fraud.py").write_text(MODULE)
    (package / "broken.py").write_text("def broken(")
    return tmp_path


def faults(jobs: Path, task: str, *, broken_modules: bool = False) -> list[str]:
    """What is wrong with a catalogue whose fraud classifier is this task."""
    workflows = jobs / "workflows.yaml"
    workflows.write_text(Path(WORKFLOWS).read_text().replace("tasks.fraud.score", task))
    catalogue = load(TABLE, workflows).catalogue
    problems = task_problems(catalogue, str(workflows), broken_modules=broken_modules, roots=[str(jobs)])
    return [f"{problem.key}: {problem.message}" for problem in problems]


@pytest.mark.parametrize("task", ["jobs.fraud.score", "jobs.fraud.refund", "jobs.fraud.other"])
def test_a_task_that_its_module_defines_is_known(jobs: Path, task: str) -> None:
    assert faults(jobs, task) == []


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        pytest.param("jobs.fraud.scroe", "nearest: jobs.fraud.score", id="the function"),
        pytest.param("jobs.frad.score", "nearest: jobs.fraud.score", id="the module"),
        pytest.param("jobs.fraud.helper", "no module has a task jobs.fraud.helper", id="no task"),
    ],
)
def test_a_misspelt_task_is_named_with_its_nearest(jobs: Path, task: str, expected: str) -> None:
    (fault,) = faults(jobs, task)
    assert fault.startswith("fraud-classifier: ")
    assert expected in fault


def test_where_the_package_is_not_installed_nothing_is_refused(jobs: Path) -> None:
    assert faults(jobs, "elsewhere.fraud.score") == []


def test_a_module_that_is_no_python_is_named_by_the_check_and_stops_no_dispatcher(jobs: Path) -> None:
    assert faults(jobs, "jobs.broken.score") == []
    (fault,) = faults(jobs, "jobs.broken.score", broken_modules=True)
    assert "broken.py:1: " in fault


def test_every_task_of_the_shipped_catalogue_is_found() -> None:
    assert task_problems(load(TABLE, WORKFLOWS).catalogue, WORKFLOWS, broken_modules=True) == ()
