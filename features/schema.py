"""The feature schema: the definitions, and the hash that names them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from events.contract import Contract
from events.errors import ConfigError, Problem
from events.retail import CONTRACT
from features.checking import problems_of
from features.tiling import BY_AGE
from features.views import (
    Aggregate,
    BatchView,
    Entity,
    Field,
    Kind,
    Measure,
    Origin,
    RequestView,
    StreamView,
    View,
)
from routing import nearest

__all__ = [
    "Aggregate",
    "BatchView",
    "Definitions",
    "Entity",
    "Field",
    "Kind",
    "Measure",
    "Origin",
    "RequestView",
    "StreamView",
    "View",
]

_HASH_DIGITS = 12
# who cares for it, and how fresh it should be, changes no value
_SAYS_NO_VALUE = frozenset({"description", "owner", "freshness_s", "slack_days"})


@dataclass(frozen=True, slots=True, eq=False)
class Definitions:
    """Entities and views that hold together; made by `of`. `hash` (12 hex digits) changes with any value."""

    entities: Mapping[str, Entity]
    views: tuple[View, ...]
    hash: str
    _views: Mapping[str, View]
    _places: Mapping[str, tuple[View, int]]

    @classmethod
    def of(
        cls, entities: Iterable[Entity], views: Iterable[View], contract: Contract = CONTRACT
    ) -> "Definitions":
        """Raises `ConfigError` with every problem. `contract` says what the payloads of events hold."""
        entities, views = tuple(entities), tuple(views)
        problems = tuple(problems_of(entities, views, contract))
        if problems:
            raise ConfigError(problems)
        return cls(
            entities={entity.name: entity for entity in entities},
            views=views,
            hash=_digest([[_said(entity) for entity in entities], [_said(view) for view in views]]),
            _views={view.name: view for view in views},
            _places={name: (view, place) for view in views for place, name in enumerate(view.names)},
        )

    def view(self, name: str) -> View:
        """Raises `ConfigError` naming the nearest where there is none of that name."""
        try:
            return self._views[name]
        except KeyError:
            raise _unknown("view", name, self._views) from None

    def locate(self, feature: str) -> tuple[View, int]:
        """The view of a feature, and its column there. Raises `ConfigError` as `view` does."""
        try:
            return self._places[feature]
        except KeyError:
            raise _unknown("feature", feature, self._places) from None

    @property
    def stream_views(self) -> tuple[StreamView, ...]:
        """Those that the pipeline keeps."""
        return tuple(view for view in self.views if isinstance(view, StreamView))

    @property
    def batch_views(self) -> tuple[BatchView, ...]:
        """Those that are materialised."""
        return tuple(view for view in self.views if isinstance(view, BatchView))

    def hash_of(self, features: Sequence[str]) -> str:
        """Changes with the definition of one of these or with their order, and with nothing else.

        Raises `ConfigError` as `locate` does.
        """
        return _digest([self._meaning(*self.locate(name)) for name in features])

    def _meaning(self, view: View, place: int) -> list[Any]:
        if isinstance(view, RequestView):
            return [_said(view.fields[place])]
        entity = _said(self.entities[view.entity])
        if isinstance(view, BatchView):
            return [entity, view.table, view.ttl_days, _said(view.fields[place])]
        feature = view.features[place]
        measures = [_said(each) for each in view.measures if each.name in (feature.over, feature.per)]
        meaning = [entity, view.resolution_s, view.ttl_days, measures, _said(feature)]
        windowed = feature.days is not None or feature.delay_days or feature.per_delay_days
        return [*meaning, _said(view.levels)] if windowed and view.levels else meaning


def layout(view: StreamView | BatchView) -> str:
    """12 hex digits that change where what was stored before could not be read as this view's."""
    if isinstance(view, BatchView):
        return _digest([view.table, [_said(field) for field in view.fields]])
    laid_out = [view.resolution_s, [_said(measure) for measure in view.measures]]
    # the offline tier groups by these widths
    return _digest(laid_out if view.edges == BY_AGE else [*laid_out, _said(view.edges)])


def _said(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _said(value) for name, value in part.items() if name not in _SAYS_NO_VALUE}
    if isinstance(part, list | tuple):
        return [_said(each) for each in part]
    return part if isinstance(part, str | int | float | None) else _said(asdict(part))


def _digest(said: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:_HASH_DIGITS]


def _unknown(what: str, name: str, known: Iterable[str]) -> ConfigError:
    return ConfigError([Problem("features/retail.py", 0, name, f"no such {what}{nearest(name, known)}")])
