"""The policy search as a tool of the language model: its arguments and its result."""

from collections.abc import Sequence
from typing import Annotated, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field

from models.support.passage import Passage

SEARCH: Final = "search_policies"
"""The tool's name."""


class SearchPolicies(BaseModel):
    """Search our policies. Use the words in which a policy would say it."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, str_strip_whitespace=True)

    query: Annotated[str, Field(min_length=1, max_length=400, description="A few words.")]
    namespace: Annotated[
        str | None, Field(max_length=64, description="Which policies; without one, those of support.")
    ] = None


class PolicySearch(Protocol):
    """What can be searched. Thread-safe."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all documents."""

    @property
    def namespaces(self) -> Sequence[str]:
        """Those that there are."""

    def search(self, query: str, namespace: str, k: int = 5) -> Sequence[Passage]:
        """The best `k` passages, whatever characters the query has.

        Raises `LookupError` if there is no such namespace.
        """
