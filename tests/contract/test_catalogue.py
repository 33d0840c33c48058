"""That what the catalogue promises is in the code."""

from pathlib import Path

import pytest

from routing import WorkflowSpec, load

CATALOGUE = load("config/routing_table.yaml", "config/workflows.yaml").catalogue


@pytest.mark.parametrize("workflow", CATALOGUE.workflows.values(), ids=lambda workflow: workflow.name)
def test_a_workflow_is_served_where_its_task_module_exists(workflow: WorkflowSpec) -> None:
    module, _, _ = workflow.task.rpartition(".")
    assert workflow.served == Path(module.replace(".", "/") + ".py").is_file()
