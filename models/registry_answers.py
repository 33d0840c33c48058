"""MLflow's JSON answers: the fields that are read, and the error that each answer calls for."""

from typing import NamedTuple

import msgspec

DIGEST_TAG = "digest"
"""The tag of a registered version that holds the digest of its metadata."""
TRAINED_BY_TAG = "trained_by"


class Version(NamedTuple):
    """A version's number in the registry, as text, and the digest that it was registered with."""

    number: str
    digest: str


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A version as the registry has it. `tags` by their keys; `created_at` in epoch ms."""

    number: str
    created_at: int
    tags: dict[str, str]

    @property
    def version(self) -> Version:
        """Its number and its digest, which is empty if another tool registered it."""
        return Version(self.number, self.tags.get(DIGEST_TAG, ""))


class Tag(msgspec.Struct):
    """A tag of a version."""

    key: str
    value: str = ""


class ModelVersion(msgspec.Struct):
    """One version, in MLflow's words."""

    version: str
    creation_timestamp: int = 0
    tags: tuple[Tag, ...] = ()

    def plain(self) -> Registered:
        """The same in ours."""
        tags = {tag.key: tag.value for tag in self.tags}
        return Registered(number=self.version, created_at=self.creation_timestamp, tags=tags)


class AliasOf(msgspec.Struct):
    """Where an alias points."""

    alias: str
    version: str


class Model(msgspec.Struct):
    """A registered model."""

    name: str
    aliases: tuple[AliasOf, ...] = ()


class OneVersion(msgspec.Struct):
    """The answer that is about one version."""

    model_version: ModelVersion


class Page(msgspec.Struct):
    """One of several: the next has the token."""

    next_page_token: str = ""


class Versions(Page):
    """The answer to a search."""

    model_versions: tuple[ModelVersion, ...] = ()


class OneModel(msgspec.Struct):
    """The answer that is about one model."""

    registered_model: Model


class Models(Page):
    """The answer to a search."""

    registered_models: tuple[Model, ...] = ()


class Refusal(msgspec.Struct):
    """Why there is no answer."""

    error_code: str = ""
    message: str = ""
