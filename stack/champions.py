"""Which models must serve before anything is played, and how does the first version of each come to serve?"""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import NamedTuple

from features.offline.database import open_database
from models.changes import Change, Changes
from models.fraud import MODEL as FRAUD
from models.promoting import Promoting
from models.registry import CHAMPION, Registry
from models.who import who

CHALLENGER = "challenger"


class Training(NamedTuple):
    """How `signalbox train` is told to make a model's first version."""

    model: str
    arguments: tuple[str, ...]


def trainings(*fraud: str) -> tuple[Training, ...]:
    """Of every model that the stack serves from the registry; the arguments are those of `train fraud`."""
    return (Training(FRAUD, ("fraud", *fraud)),)


def ensure_champion(env: Mapping[str, str], model: str, train: Callable[[], None]) -> Change | None:
    """Train a model and let it serve, where none of its versions does. None where one did.

    A version that passed its gate before is not trained once more. Raises `Unavailable`, and `ConfigError`
    where training left no version.
    """
    registry = Registry(env["MLFLOW_TRACKING_URI"])
    if registry.pointed(model, CHAMPION) is not None:
        return None
    if registry.pointed(model, CHALLENGER) is None:
        train()
    challenger = registry.pointed(model, CHALLENGER)
    number = challenger.number if challenger else "of a training"
    with closing(open_database(env["DATABASE_URL"])) as database:
        changes = Changes(database)
        changes.create()
        why = "the first version of a stack that had none"
        return Promoting(registry, changes).move(model, CHAMPION, number, who(), why)
