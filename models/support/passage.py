"""A passage found in the policies, and its place."""

import msgspec


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of one policy. `document` is the policy's id, `section` the heading it stands under, if any.

    `score` orders the passages of one search, the best first; it means nothing between two searches.
    """

    document: str
    title: str
    section: str
    text: str
    score: float
