"""Feature views: the entity, the measure, the window and the time to live that can be declared."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from features.tiling import BY_AGE, Edges, Level, levels_of, width_at

DAY_S = 86_400
Kind = Literal["count", "sum", "mean", "ratio", "recency"]


@dataclass(frozen=True, slots=True)
class Entity:
    """The entity that features are about. `key` is the payload field that names it."""

    name: str
    key: str
    description: str


@dataclass(frozen=True, slots=True)
class Measure:
    """What is counted of an entity: each event of `event_type` (one or several), or each item of a list.

    `key` is the payload field with the entity's id, the entity's own where it is None. `of` is a number that
    is summed besides, exact to `decimals` places. With `each`, a list in the payload, `key` and `of` are
    fields of its items.
    """

    name: str
    event_type: str | tuple[str, ...]
    key: str | None = None
    of: str | None = None
    decimals: int = 0
    each: str | None = None

    @property
    def event_types(self) -> tuple[str, ...]:
        """All of them, in the order in which they were declared."""
        return (self.event_type,) if isinstance(self.event_type, str) else self.event_type


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A number made of measures, for the time `t` at which it is asked.

    `count` and `sum` of `over`; `mean`, its sum by its count; `ratio`, the count of `over` by that of `per`,
    1 at most; `recency`, how long before `t` the newest of `over` was, in `unit` ("" for seconds, or
    "days"). The window of `over` is `[t - delay_days - days, t - delay_days)`, without a beginning where
    `days` is None; that of `per` is the same with `per_delay_days`. If there is nothing to divide by, or
    nothing to be recent, the value is `default`.
    """

    name: str
    kind: Kind
    over: str
    per: str | None = None
    days: int | None = None
    delay_days: int = 0
    per_delay_days: int = 0
    default: float = 0.0
    unit: str = ""
    description: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class StreamView:
    """Features that are made of events. Compared by identity, so that what is worked out of it is kept.

    Times are told apart by `resolution_s`, and the edges of windows lie as `edges` has it: see
    `features.tiling`. What is older than `ttl_days` before `t` counts as missing.
    `freshness_s` is how far the pipeline may lie behind the asking event. A value is exact up to `slack_days`
    before the entity's newest event from the online tier alone.
    """

    name: str
    entity: str
    measures: tuple[Measure, ...]
    features: tuple[Aggregate, ...]
    ttl_days: int
    freshness_s: int
    owner: str
    description: str
    resolution_s: int = 1
    slack_days: int = 7
    edges: Edges = BY_AGE

    @property
    def names(self) -> tuple[str, ...]:
        """Its features, in the order of their columns."""
        return tuple(feature.name for feature in self.features)

    @property
    def tile_ms(self) -> int:
        """How long a tile is."""
        return self.resolution_s * 1_000

    @property
    def tiles_per_day(self) -> int:
        """How many tiles a day has."""
        return DAY_S // self.resolution_s

    @cached_property
    def horizon_tiles(self) -> int:
        """How far back the longest window begins: what is older is in no window with a beginning."""
        days = max(
            max(feature.delay_days, feature.per_delay_days) + (feature.days or 0) for feature in self.features
        )
        return days * self.tiles_per_day

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The tiles by which edges further back lie."""
        return levels_of(self.resolution_s, self.edges)

    @cached_property
    def horizon_width(self) -> int:
        """How wide the tiles are by which the longest window begins."""
        return width_at(self.levels, self.horizon_tiles)

    @cached_property
    def slack_tiles(self) -> int:
        """`slack_days` in tiles."""
        return self.slack_days * self.tiles_per_day

    @cached_property
    def ttl_tiles(self) -> int:
        """`ttl_days` in tiles."""
        return self.ttl_days * self.tiles_per_day


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a table, or one value of a request."""

    name: str
    type: Literal["number", "text"]
    default: float | str
    description: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Which events say what a batch view's table holds: the pipeline writes its rows from them.

    `fields` are the payload's fields with the values, in the order of the view's own; all are texts. With
    `each`, a list in the payload, the entity's id and the values are fields of its items.
    """

    event_type: str
    fields: tuple[str, ...]
    each: str | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class BatchView:
    """Features in a table of the offline tier, and are put online every hour.

    Without an `origin` the table is filled from outside.
    """

    name: str
    entity: str
    table: str
    fields: tuple[Field, ...]
    ttl_days: int
    freshness_s: int
    owner: str
    description: str
    origin: Origin | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Its features, in the order of their columns."""
        return tuple(field.name for field in self.fields)


@dataclass(frozen=True, eq=False, kw_only=True)
class RequestView:
    """Features that the asking event itself carries. They are stored nowhere."""

    name: str
    fields: tuple[Field, ...]
    owner: str
    description: str

    @property
    def names(self) -> tuple[str, ...]:
        """Its features, in their order."""
        return tuple(field.name for field in self.fields)


View = StreamView | BatchView | RequestView
