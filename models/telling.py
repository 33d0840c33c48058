"""Reports of versions, their aliases, and the processes that serve them."""

from collections.abc import Iterator, Mapping, Sequence

from rich.table import Table

from core.timestamps import iso_seconds
from models.artifact import Metadata
from models.registry_answers import TRAINED_BY_TAG, Registered
from models.reports import Report
from models.written import Change

DIGITS = 12

Listed = tuple[str, Sequence[Registered], Mapping[str, str]]
"""A model, its versions, and the number that each alias names."""


def versions_table(models: Sequence[Listed]) -> Table:
    """A row for each version."""
    table = Table("model", "version", "named", "digest", "registered", "by", box=None, pad_edge=False)
    for model, versions, aliases in models:
        for each in versions:
            named = ", ".join(sorted(alias for alias, number in aliases.items() if number == each.number))
            digest, by = each.version.digest[:DIGITS], each.tags.get(TRAINED_BY_TAG, "")
            table.add_row(model, each.number, named, digest, iso_seconds(each.created_at), by)
    return table


def version_told(model: str, number: str, metadata: Metadata) -> Iterator[str]:
    """A paragraph for each part of what a version says of itself."""
    recipe, made = metadata.recipe, metadata.provenance
    data = recipe.data
    yield f"{model} v{number}, digest {metadata.digest}"
    yield f"  trained {made.trained_at} by {made.trained_by}, commit {made.git_commit}"
    yield f"  on {data.first} to {data.last}: {_counted(data.rows)} rows, {_counted(data.labels)}"
    yield f"  rows' SHA-256 {data.sha256[:DIGITS]}, offline store at {made.snapshot}"
    yield f"  metrics: {', '.join(f'{name} {value:g}' for name, value in recipe.metrics.items())}"
    yield f"  parameters: {', '.join(f'{name} {value}' for name, value in recipe.parameters.items())}"
    yield f"  libraries: {', '.join(f'{name} {version}' for name, version in made.libraries.items())}"
    yield f"  files: {', '.join(f'{name} {sha[:DIGITS]}' for name, sha in metadata.files.items())}"
    of_event = ", ".join(recipe.payload) or "none"
    yield f"  features {recipe.feature_hash}, of the event: {of_event}; of the store:"
    for need in recipe.needs:
        yield f"    {need.feature}  missing: {need.on_missing}, stale: {need.on_stale}"
    outputs = ", ".join(f"{column.name}: {column.type}" for column in recipe.signature.outputs)
    yield f"  gives {outputs}"


def reports_told(reports: Sequence[Report]) -> Iterator[str]:
    """A line for each process that serves the model."""
    yield f"served by {len(reports)} processes" if reports else "served by no process at the moment"
    for each in reports:
        trouble = f"; {each.trouble}" if each.trouble else ""
        since = iso_seconds(each.since)
        yield f"  {each.worker}  v{each.version}  {each.digest[:DIGITS]}  since {since}{trouble}"


def change_told(change: Change) -> str:
    """One line: when, what, from what, by whom and why."""
    named = f"v{change.version} ({change.digest[:DIGITS]})" if change.version else "no version"
    before = f" instead of v{change.previous}" if change.previous else ""
    state = "" if change.state == "done" else f" ({change.state})"
    return (
        f"{iso_seconds(change.at)}  {change.model} {change.alias} is {named}"
        f"{before}, by {change.who}: {change.why}{state}"
    )


def _counted(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in numbers.items())
