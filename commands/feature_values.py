"""`signalbox features list`, `get`, `history`, `freshness`: features, their values, origin and age."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from commands.feature_tiers import looked_at_tiers
from events.errors import ConfigError, Problem
from features.contract import Contract
from features.keys import EntityKey
from features.listing import listing
from features.reading import Asked
from features.retail import DEFINITIONS
from features.telling import freshness_told, history_told, values_told, versions_told
from features.tiered import TieredReader
from features.views import BatchView, RequestView, StreamView
from routing import nearest
from transport.clock import system_clock

ENTITY = Annotated[str, typer.Argument(help="customer, terminal, sku, ticket")]
ID = Annotated[str, typer.Argument(help="As the events name it: c-17")]
TENANT = Annotated[str, typer.Option(help="Whose it is.")]
RETAILPULSE = "retailpulse"


def list_features() -> None:
    """Every feature: whose it is, what it is made of, how long it holds, and who answers for it."""
    for line in listing(DEFINITIONS):
        typer.echo(line)


def get(
    entity: ENTITY,
    entity_id: ID,
    feature: Annotated[list[str] | None, typer.Option(help="One of them; all by default.")] = None,
    at: Annotated[
        datetime | None, typer.Option(help="As of when, UTC; now by default.", formats=["%Y-%m-%dT%H:%M:%S"])
    ] = None,
    tenant: TENANT = RETAILPULSE,
) -> None:
    """The values of one entity, as a model would get them; each says if it is missing or stale."""
    own = [name for view in _views_of(entity) for name in view.names]
    contract = Contract.of(DEFINITIONS, feature or own)
    _check_owner(contract.stored, entity)
    now = system_clock()
    when = now if at is None else int(at.replace(tzinfo=UTC).timestamp() * 1_000)
    asked = Asked({entity: EntityKey(tenant, entity, entity_id)}, when, now)
    with looked_at_tiers() as (online, offline):
        (vector,) = TieredReader(DEFINITIONS, online, offline).read(contract, [asked])
    for line in values_told(contract.stored, vector):
        typer.echo(line)


def history(
    entity: ENTITY,
    entity_id: ID,
    limit: Annotated[int, typer.Option(help="Lines for each view.", min=1)] = 20,
    tenant: TENANT = RETAILPULSE,
) -> None:
    """What each event added to an entity's features, the newest first, out of the offline tier."""
    views = _views_of(entity)
    key = (tenant, entity_id)
    with looked_at_tiers() as (_, offline):
        for view in views:
            lines = (
                history_told(view, offline.told(view, key, limit))
                if isinstance(view, StreamView)
                else versions_told(view, offline.batch.versions(view, [key])[: -limit - 1 : -1])
            )
            for line in lines:
                typer.echo(line)


def freshness() -> None:
    """How far both tiers are, and whether each view is within its budget; exit code 1 if one is not."""
    with looked_at_tiers() as (online, offline):
        watermarks = {view.name: offline.batch.watermark(view) for view in DEFINITIONS.batch_views}
        materialized = {name: reached and (reached.as_of or None) for name, reached in watermarks.items()}
        counted, beats = offline.heartbeats(), online.heartbeats()
    told = list(freshness_told(DEFINITIONS, counted, beats, materialized, system_clock()))
    for line, _ in told:
        typer.echo(line)
    raise typer.Exit(int(any(late for _, late in told)))


def _check_owner(names: Sequence[str], entity: str) -> None:
    owners = ((name, DEFINITIONS.locate(name)[0]) for name in names)
    if problems := [
        Problem("features", 0, name, f"is a feature of a {view.entity}, not of a {entity}")
        for name, view in owners
        if not isinstance(view, RequestView) and view.entity != entity
    ]:
        raise ConfigError(problems)


def _views_of(entity: str) -> list[StreamView | BatchView]:
    views = [
        view for view in DEFINITIONS.views if not isinstance(view, RequestView) and view.entity == entity
    ]
    if not views:
        known = DEFINITIONS.entities
        raise ConfigError([Problem("features", 0, entity, f"no such entity{nearest(entity, known)}")])
    return views
