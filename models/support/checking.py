"""Does a draft say what was found and done, and nothing else? Pure."""

from collections.abc import Collection, Sequence

from models.support.actions import Action
from models.support.draft import Draft


def check(draft: Draft, retrieved: Collection[str], intended: Sequence[Action]) -> tuple[str, ...]:
    """What is wrong with it, told so that the language model can put it right; nothing where it holds.

    `retrieved` are the ids of the documents that this run's searches gave, `intended` its actions.
    """
    raise NotImplementedError
