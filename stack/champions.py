"""The models that must serve before events are played, and the first version of each."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import NamedTuple

from events.errors import ConfigError, Problem
from models.changes import Changes
from models.churn import MODEL as CHURN
from models.demand_workflow import MODEL as FORECAST
from models.fraud import MODEL as FRAUD
from models.promoting import Promoting
from models.registry import CHAMPION, Registry
from models.support.version import MODEL as AGENT
from models.who import who
from models.written import Change
from routing import Rules
from transport.database import open_database

CHALLENGER = "challenger"


class Past(NamedTuple):
    """What trainings are given of the past: where it ends, and what only `train fraud` is given.

    One whose orders name no `products` teaches nothing of their demand.
    """

    until: tuple[str, ...] = ()
    fraud: tuple[str, ...] = ()
    products: bool = True


class Training(NamedTuple):
    """The arguments by which `signalbox` makes a model's first version."""

    model: str
    arguments: tuple[str, ...]


CHURN_ARGUMENTS = ("--horizon-days", "7", "--calibration-weeks", "1", "--test-weeks", "1")
"""The generated past has eight weeks, and its customers order every other day."""

FORECAST_ARGUMENTS = ("--skus", "20", "--blend-weeks", "2", "--test-weeks", "1")
"""Half a year of sales, and a minute for it on a busy machine."""


def trainings(rules: Rules, past: Past) -> Iterator[Training]:
    """Of every model that is served from the registry, and that a route of the table asks for."""
    asked = {route.workflow for route in rules.table.all_routes}
    forecast = Training(FORECAST, ("train", "forecast", *past.until, *FORECAST_ARGUMENTS))
    known = (
        Training(FRAUD, ("train", "fraud", *past.until, *past.fraud)),
        Training(CHURN, ("train", "churn", *past.until, *CHURN_ARGUMENTS)),
        *([forecast] if past.products else ()),
        # nothing is learned for it: its prompt, plan and tools are what it is
        Training(AGENT, ("agent", "register")),
    )
    for training in known:
        spec = rules.catalogue.workflows.get(training.model)
        if spec is not None and spec.served and training.model in asked:
            yield training


def needs_agent(rules: Rules) -> bool:
    """Whether a route of the table asks for the support agent."""
    return any(route.workflow == AGENT for route in rules.table.all_routes)


def ensure_champion(env: Mapping[str, str], model: str, train: Callable[[], None]) -> Change | None:
    """Train a model and let it serve, if none of its versions does. None if one did.

    A version that passed its gate before is not trained once more. Raises `Unavailable`, and `ConfigError`
    where training left no version.
    """
    registry = Registry(env["MLFLOW_TRACKING_URI"])
    if registry.pointed(model, CHAMPION) is not None:
        return None
    if registry.pointed(model, CHALLENGER) is None:
        train()
    challenger = registry.pointed(model, CHALLENGER)
    if challenger is None:
        problem = "its training left no version: what made it says why"
        raise ConfigError([Problem("registry", 0, model, problem)])
    with closing(open_database(env["DATABASE_URL"])) as database:
        changes = Changes(database)
        changes.create()
        why = "the first version of a stack that had none"
        return Promoting(registry, changes).move(model, CHAMPION, challenger.number, who(), why)
