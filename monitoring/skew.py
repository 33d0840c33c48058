"""Training-serving skew: served feature values against those that the offline store has for that moment."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec
import numpy as np

from events.errors import ConfigError
from features.contract import Contract
from features.offline.join import values_at
from features.offline.store import OfflineStore
from features.position import Offsets, Standing, parse_standing
from features.schema import Definitions
from features.views import StreamView
from monitoring.skew_report import Mismatch, Report, Served, decode_served

AT_ONCE = 50_000
"""Predictions whose entities are read from the store together."""


def report_of(
    store: OfflineStore, definitions: Definitions, contract: Contract, records: Iterable[bytes]
) -> Report:
    """The values of records of `ml.predictions`, made by models with this contract. Raises `Unavailable`."""
    replaced = {need.feature for need in contract.needs if need.on_stale == "default"}
    report = Report()
    remaining = iter(records)
    while chunk := list(islice(remaining, AT_ONCE)):
        compare(store, definitions, list(_readable(chunk, report)), report, replaced)
    return report


def _readable(records: Iterable[bytes], report: Report) -> Iterator[Served]:
    for record in records:
        try:
            yield decode_served(record)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            report.passed_over["that cannot be read"] += 1


def compare(
    store: OfflineStore,
    definitions: Definitions,
    served: Sequence[Served],
    report: Report,
    replaced: Collection[str],
) -> None:
    """Enter these predictions into the report. Raises `Unavailable`.

    Each value is worked out again from the increments that the pipeline had counted at the position which
    the prediction names, as of the event's own time, and must be the same to the last digit. One of the
    features `replaced` may be its default where it was stale.
    """
    by_view: dict[StreamView, list[tuple[Served, Standing]]] = {}
    for each in served:
        if (reason := _not_comparable(each, definitions)) is not None:
            report.passed_over[reason] += 1
            continue
        report.predictions += 1
        report.offline += each.feature_origin == "offline"
        report.stale += bool(each.stale)
        standing = parse_standing(each.feature_position)
        for view in _views(each.features, definitions):
            by_view.setdefault(view, []).append((each, standing))
    for view, asked in by_view.items():
        known = [standing.of(view.name) for _, standing in asked]
        for mismatch in _compare_view(store, view, [each for each, _ in asked], known, report, replaced):
            report.add(mismatch)


def _compare_view(
    store: OfflineStore,
    view: StreamView,
    served: Sequence[Served],
    known: Sequence[Offsets],
    report: Report,
    replaced: Collection[str],
) -> Iterator[Mismatch]:
    keys = [(each.tenant_id, each.feature_keys[view.entity]) for each in served]
    at = np.array([each.occurred_at for each in served], np.int64)
    values = values_at(store, view, keys, at, known)
    columns = [(name, place) for place, name in enumerate(view.names)]
    for each, stored, absent in zip(served, values.matrix.tolist(), values.absent.tolist(), strict=True):
        for name, place in columns:
            if name not in each.features:
                continue
            report.values += 1
            given, said_missing = each.features[name], name in each.missing
            may_be_default = name in replaced and name in each.stale
            by_default = may_be_default and given == view.features[place].default
            if said_missing != absent[place] or (given != stored[place] and not by_default):
                missing = said_missing or absent[place]
                yield Mismatch(each.prediction_id, name, given, stored[place], missing)


def _not_comparable(each: Served, definitions: Definitions) -> str | None:
    if each.fallback is not None:
        return "answered without the model"
    if not each.feature_position:
        return "without a position"
    if _hash(definitions, tuple(each.features)) != each.feature_hash:
        return "made by other definitions"
    if any(view.entity not in each.feature_keys for view in _views(each.features, definitions)):
        return "without the id of an entity"
    try:
        parse_standing(each.feature_position)
    except ValueError:
        return "with a position that cannot be read"
    return None


@lru_cache(maxsize=64)
def _hash(definitions: Definitions, names: tuple[str, ...]) -> str | None:
    try:
        return definitions.hash_of(names)
    except ConfigError:
        return None


def _views(features: Mapping[str, Any], definitions: Definitions) -> set[StreamView]:
    views = (definitions.locate(name)[0] for name in features)
    return {view for view in views if isinstance(view, StreamView)}
