"""`signalbox features`: the commands of the feature store."""

from typing import ClassVar

import typer

from commands.lazy_group import LazyCommand, LazyGroup


class FeatureCommands(LazyGroup):
    """To look at values, and the processes that compute them: the latter load much more."""

    lazy_subcommands: ClassVar = {
        "get": LazyCommand(
            "commands.feature_values:get",
            "The values of one entity, as a model would get them; each says if it is missing or stale.",
        ),
        "history": LazyCommand(
            "commands.feature_values:history",
            "What each event added to an entity's features, the newest first, out of the offline tier.",
        ),
        "freshness": LazyCommand(
            "commands.feature_values:freshness",
            "How far both tiers are, and whether each view is within its budget; exit code 1 if one is not.",
        ),
        "skew": LazyCommand(
            "commands.skew:skew",
            "Work out the features of every prediction again, and count each mismatch.",
        ),
        "materialize": LazyCommand(
            "commands.feature_materialize:materialize",
            "Put online what was written into the tables of batch views since the last time.",
        ),
        "pipeline": LazyCommand(
            "commands.feature_pipeline:pipeline",
            "Compute the features from the stream, as one member of its group, until SIGTERM or Ctrl-C.",
        ),
        "backfill": LazyCommand(
            "commands.feature_backfill:backfill",
            "Count history into both tiers. What was counted before, by this or by the stream, counts once.",
        ),
        "list": LazyCommand(
            "commands.feature_values:list_features",
            "Every feature: whose it is, what it is made of, how long it holds, and who answers for it.",
        ),
    }


app = typer.Typer(cls=FeatureCommands, help="The feature store.", no_args_is_help=True)


@app.callback()
def store() -> None:
    """The feature store."""
