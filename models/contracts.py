"""Check that a version's features exist now with the definitions that it was trained on."""

from collections.abc import Sequence

from events.errors import ConfigError
from features.contract import Contract
from features.schema import Definitions, RequestView
from models.artifact import Artifact, BrokenModelError


def contract_of(
    artifact: Artifact, definitions: Definitions, payload: Sequence[str], entities: Sequence[str]
) -> Contract:
    """What the version needs. Raises `BrokenModelError` if this code cannot give it that.

    `payload` are the features that the workflow makes of an event itself, `entities` those that its events
    name. Any feature of the store that belongs to one of them will do.
    """
    recipe = artifact.metadata.recipe
    try:
        contract = recipe.contract(definitions)
    except ConfigError as error:
        said = "; ".join(f"{problem.key} {problem.message}" for problem in error.problems)
        raise BrokenModelError(artifact.path, f"its features are not those of this code: {said}") from error
    if contract.hash != recipe.feature_hash:
        raise BrokenModelError(
            artifact.path,
            f"it was trained on the features {recipe.feature_hash}, this code serves {contract.hash}",
        )
    if unknown := [name for name in contract.payload if name not in payload]:
        raise BrokenModelError(artifact.path, f"this code makes no {', '.join(unknown)} of an event")
    for name in contract.stored:
        view, _ = definitions.locate(name)
        if not isinstance(view, RequestView) and view.entity not in entities:
            raise BrokenModelError(
                artifact.path, f"its feature {name} is of a {view.entity}, whom its events do not name"
            )
    return contract
