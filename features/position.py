"""The text of a feature position: up to which events a prediction's features were made, and back.

`0@1234 1@1500`: of partition 0 everything before offset 1,234. Where the views of one prediction stood apart,
each with its own: `customer_orders 0@1234; terminal_orders 0@1300`. Partition -1 is what was backfilled.
"""

from collections.abc import Mapping
from typing import NamedTuple

Offsets = Mapping[int, int]
"""By partition the offset before which everything is counted."""


class Standing(NamedTuple):
    """Where the features of one prediction stood: those of `views` apart, all others at `common`."""

    common: Offsets
    views: Mapping[str, Offsets]

    def of(self, view: str) -> Offsets:
        """Where the features of one view stood."""
        return self.views.get(view, self.common)


def offsets_text(offsets: Offsets) -> str:
    """`0@1234 1@1500`, by partition; empty if nothing was counted."""
    return " ".join(f"{partition}@{offsets[partition]}" for partition in sorted(offsets))


def standing_text(by_view: Mapping[str, str]) -> str:
    """One text for the views of a prediction, from the `offsets_text` of each."""
    texts = set(by_view.values())
    if len(texts) <= 1:
        return next(iter(texts), "")
    return "; ".join(f"{view} {text}".rstrip() for view, text in sorted(by_view.items()))


def parse_standing(text: str) -> Standing:
    """What `standing_text` wrote. Raises `ValueError` if the text is none."""
    if not text or _is_offset(text.split(maxsplit=1)[0]):
        return Standing(_offsets(text), {})
    views = {}
    for part in text.split("; "):
        view, _, offsets = part.partition(" ")
        views[view] = _offsets(offsets)
    return Standing({}, views)


def _offsets(text: str) -> Offsets:
    offsets = {}
    for part in text.split():
        partition, at, offset = part.partition("@")
        if not at:
            raise ValueError(f"no position of a partition: {part!r}")
        offsets[int(partition)] = int(offset)
    return offsets


def _is_offset(word: str) -> bool:
    return "@" in word
