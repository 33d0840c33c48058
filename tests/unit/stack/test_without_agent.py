"""Registering, playing and counting run without the agent's packages."""

import subprocess
import sys

import pytest

WITHOUT = "import sys; sys.modules.update(httpx2=None, openai=None, pydantic_ai=None); "
INDEX = """
from pathlib import Path
from models.support.search import open_policies
assert open_policies(Path("config/policies")).search("a broken mug")
"""


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import training.agent", id="a version is registered"),
        pytest.param("import stack.up, stack.champions", id="the stack is started"),
        pytest.param("import stack.demo", id="the demonstration is played"),
        pytest.param(INDEX, id="the policies are searched by words"),
    ],
)
def test_who_answers_no_ticket_needs_nothing_to_answer_with(code: str) -> None:
    ran = subprocess.run([sys.executable, "-c", WITHOUT + code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
