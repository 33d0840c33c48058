"""`signalbox agent`: register a version of the support agent, show and replay its runs.

Imports inside functions are those of an extra that the other commands of the group do without: `train` for
`register`, `agent` for `replay`.
"""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import msgspec
import typer

from commands.agent_report import account, verdict
from events.errors import ConfigError
from models.artifact import Metadata, load
from models.support.journal import Journal, RunRow, StepRow
from models.support.plan import load_plan
from models.support.policies import read_policies
from models.support.questions import QUESTIONS, read_questions
from routing.reading import read_text
from routing.report import Report
from settings import Settings, load_settings
from transport.database import open_database

app = typer.Typer(help="The support agent: its versions and its runs.", no_args_is_help=True)


@app.callback()
def agent() -> None:
    """The support agent: its versions and its runs."""


@app.command()
def register(
    model_dir: Annotated[Path | None, typer.Option(help="Save there, and not in the registry.")] = None,
) -> None:
    """Make a version of prompt, plan, tools and LLM's name, measure its search, register it as challenger.

    It serves once `signalbox models promote ai-support-agent <version>` says so.
    """
    from commands.training_parts import name_challenger, registry_of

    settings = load_settings()
    if model_dir is not None:
        settings = settings.model_copy(update={"registry": None, "model_dir": model_dir})
    with TemporaryDirectory(prefix="signalbox-agent-") as folder:
        path, metadata = _make(settings, Path(folder))
        made = registry_of(settings).register(load(path), {})
    if settings.registry is not None:
        with closing(open_database(settings.database_url)) as database:
            name_challenger(settings, database, made, "it was registered")
    figures = ", ".join(f"{name} {value:.3f}" for name, value in metadata.recipe.metrics.items())
    llm = metadata.recipe.parameters["llm.model"]
    state = "registered" if made.fresh else "unchanged"
    typer.echo(f"{state}: {made.model} v{made.version} asks {llm}, {figures}, digest {made.digest[:12]}")


def _make(settings: Settings, folder: Path) -> tuple[Path, Metadata]:
    from training.agent import make

    plan = load_plan(settings.agent_plan)
    if settings.llm_model is not None:
        llm = msgspec.structs.replace(plan.llm, model=settings.llm_model)
        plan = msgspec.structs.replace(plan, llm=llm)
    policies = read_policies(settings.policies)
    questions = read_questions(settings.policies / QUESTIONS, policies)
    return make(plan, read_prompt(settings.agent_prompt), policies, questions, folder)


def read_prompt(path: Path) -> str:
    """The agent's instructions. Raises `ConfigError` if the file cannot be read."""
    report = Report(str(path))
    text = read_text(report)
    if text is None:
        raise ConfigError(report.problems)
    return text


EventId = Annotated[str, typer.Argument(help="Of the escalated ticket, as a prediction has it.")]


@app.command()
def show(event_id: EventId) -> None:
    """The run of a ticket, step by step. Exit code 1 if there is none."""
    for row, steps in _runs(event_id):
        for line in account(row, steps):
            typer.echo(line)


@app.command()
def replay(event_id: EventId) -> None:
    """Read a run's journal again, as a worker that takes it up does. Nobody is asked, and nothing is done.

    It goes by the budgets of the plan that is configured now. Exit code 1 if there is no run, or if
    this code comes to another conclusion.
    """
    from models.support.replaying import replay as read_again

    plan, same = load_plan(load_settings().agent_plan), True
    for row, steps in _runs(event_id):
        replayed = read_again(row, [each.step for each in steps], plan)
        typer.echo(f"{row.run_id}: {verdict(replayed)}")
        same = same and replayed.same
    if not same:
        raise typer.Exit(1)


def _runs(event_id: str) -> list[tuple[RunRow, list[StepRow]]]:
    with closing(open_database(load_settings().database_url)) as database:
        journal = Journal(database)
        found = [(row, journal.steps(row.run_id)) for row in journal.of_event(event_id)]
    if not found:
        typer.echo(f"no run of {event_id} stands in the journal")
        raise typer.Exit(1)
    return found
