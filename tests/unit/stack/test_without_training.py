"""Playing, counting and watching run without the training packages."""

import subprocess
import sys

import pytest

WITHOUT = "import sys; sys.modules.update(pandas=None, pyarrow=None, sklearn=None); "
PAST = """
from stack.history import past_events
from stack.retail import FIRST_DAY, Retail
assert list(past_events(Retail(customers=5, terminals=50), FIRST_DAY, days=2))
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", WITHOUT + code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import stack.traffic", id="the traffic is played"),
        pytest.param("import stack.up", id="the stack is started"),
        pytest.param("import stack.demo", id="the demonstration is played"),
        pytest.param(PAST, id="the generated past is made"),
    ],
)
def test_who_does_not_train_needs_nothing_to_train_with(code: str) -> None:
    ran = python(code)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["train", "fraud"], id="a model is trained"),
        pytest.param(["features", "backfill", "cards.parquet"], id="a file of card transactions is counted"),
    ],
)
def test_who_trains_is_told_what_to_install(arguments: list[str]) -> None:
    ran = python(f"import cli; sys.argv[1:] = {arguments}; cli.main()")
    assert ran.returncode == 2, ran.stderr
    assert "pip install 'signalbox[train]'" in ran.stderr
    assert "Traceback" not in ran.stderr
