"""Look at the feature store: values as a model would get them, what made them, how fresh they are."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from commands.feature_tiers import looked_at_tiers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.views import BatchView, StreamView

ENTITY = Annotated[str, typer.Argument(help="customer, terminal, sku, ticket")]
ID = Annotated[str, typer.Argument(help="As the events name it: c-17")]
TENANT = Annotated[str, typer.Option(help="Whose it is.")]
RETAILPULSE = "retailpulse"


def get(
    entity: ENTITY,
    entity_id: ID,
    feature: Annotated[list[str] | None, typer.Option(help="One of them; all by default.")] = None,
    at: Annotated[
        datetime | None, typer.Option(help="As of when, UTC; now by default.", formats=["%Y-%m-%dT%H:%M:%S"])
    ] = None,
    tenant: TENANT = RETAILPULSE,
) -> None:
    """The values of one entity, as a model would get them; each says where it is missing or stale."""
    from features.contract import Contract
    from features.keys import EntityKey
    from features.reading import Asked
    from features.retail import DEFINITIONS
    from features.telling import values_told
    from features.tiered import TieredReader
    from transport.clock import system_clock

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
    from features.telling import history_told, versions_told
    from features.views import StreamView

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
    """How far both tiers are, and whether each view is within its budget; exit code 1 where one is not."""
    from features.retail import DEFINITIONS
    from features.telling import freshness_told
    from transport.clock import system_clock

    with looked_at_tiers() as (online, offline):
        watermarks = {view.name: offline.batch.watermark(view) for view in DEFINITIONS.batch_views}
        materialized = {name: reached and (reached.as_of or None) for name, reached in watermarks.items()}
        counted, beats = offline.heartbeats(), online.heartbeats()
    told = list(freshness_told(DEFINITIONS, counted, beats, materialized, system_clock()))
    for line, _ in told:
        typer.echo(line)
    raise typer.Exit(int(any(late for _, late in told)))


def _check_owner(names: "Sequence[str]", entity: str) -> None:
    from events.errors import ConfigError, Problem
    from features.retail import DEFINITIONS
    from features.views import RequestView

    owners = ((name, DEFINITIONS.locate(name)[0]) for name in names)
    if problems := [
        Problem("features", 0, name, f"is a feature of a {view.entity}, not of a {entity}")
        for name, view in owners
        if not isinstance(view, RequestView) and view.entity != entity
    ]:
        raise ConfigError(problems)


def _views_of(entity: str) -> "list[StreamView | BatchView]":
    from events.errors import ConfigError, Problem
    from features.retail import DEFINITIONS
    from features.views import RequestView
    from routing import nearest

    views = [
        view for view in DEFINITIONS.views if not isinstance(view, RequestView) and view.entity == entity
    ]
    if not views:
        known = DEFINITIONS.entities
        raise ConfigError([Problem("features", 0, entity, f"no such entity{nearest(entity, known)}")])
    return views
