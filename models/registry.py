"""Model registry client: versions and aliases over MLflow's REST API.

Without MLflow's own client, which every serving process would have to import: docs/decisions/0018.
"""

from collections.abc import Iterator
from typing import Literal, TypeVar, get_args

import msgspec

from events.errors import ConfigError, Problem, Unavailable
from models.artifact import BrokenModelError
from models.registry_answers import (
    Models,
    OneModel,
    OneVersion,
    Page,
    Refusal,
    Registered,
    Version,
    Versions,
)
from transport.http import HttpPlace, RefusedError, Server, parse_address

NAME = "model registry"
VARIABLE = "MLFLOW_TRACKING_URI"
TIMEOUT_S = 3.0
PAGE = "200"

Alias = Literal[
    "champion",  # the version that workers serve
    "challenger",  # the version that passed its gate last
    "shadow",  # a version that answers beside the champion, and is not heard
]
ALIASES: tuple[Alias, ...] = get_args(Alias)
CHAMPION: Alias = "champion"

Answered = TypeVar("Answered")
Paged = TypeVar("Paged", bound=Page)

_API = "/api/2.0/mlflow"
_ABSENT = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"})


class Registry:
    """An MLflow server. Use it from any thread. Every method raises `Unavailable`.

    `place` may carry a user and a password. Raises `ConfigError` if it is none of HTTP.
    """

    def __init__(self, place: str | HttpPlace, timeout_s: float = TIMEOUT_S) -> None:
        self._server = Server(parse_address(place, VARIABLE), NAME, timeout_s)

    def pointed(self, model: str, alias: str) -> Version | None:
        """The version that an alias points to; None if the model or the alias is not there."""
        found = self._find(f"{_API}/registered-models/alias", OneVersion, name=model, alias=alias)
        return found.model_version.plain().version if found else None

    def aliases(self, model: str) -> dict[str, str]:
        """Where the aliases of a model point: numbers by name; none if there is no such model."""
        found = self._find(f"{_API}/registered-models/get", OneModel, name=model)
        return {each.alias: each.version for each in found.registered_model.aliases} if found else {}

    def version(self, model: str, number: str) -> Registered | None:
        """One version of a model; None if it is not there."""
        found = self._find(f"{_API}/model-versions/get", OneVersion, name=model, version=number)
        return found.model_version.plain() if found else None

    def versions(self, model: str) -> list[Registered]:
        """All versions of a model, the newest first."""
        pages = self._pages(f"{_API}/model-versions/search", Versions, filter=f"name='{model}'")
        found = [each.plain() for page in pages for each in page.model_versions]
        return sorted(found, key=lambda each: int(each.number), reverse=True)

    def models(self) -> list[str]:
        """The names of all models."""
        pages = self._pages(f"{_API}/registered-models/search", Models)
        return sorted(each.name for page in pages for each in page.registered_models)

    def read(self, model: str, number: str, name: str) -> bytes:
        """One file of a version. Raises `BrokenModelError` if the registry does not have it."""
        try:
            return self._server.get("/model-versions/get-artifact", name=model, version=number, path=name)
        except RefusedError as error:
            if error.status in _OF_THE_CALLER:
                raise Unavailable(NAME, error) from error
            raise BrokenModelError(place(model, number), f"the registry gives no {name}: {error}") from error

    def point(self, model: str, alias: str, number: str) -> None:
        """Move an alias. Raises `ConfigError` if there is no such version."""
        body = msgspec.json.encode({"name": model, "alias": alias, "version": number})
        try:
            self._server.post(f"{_API}/registered-models/alias", body)
        except RefusedError as error:
            raise ConfigError([Problem(NAME, 0, f"{model} v{number}", _refusal(error).message)]) from error

    def _find(self, path: str, kind: type[Answered], **query: str) -> Answered | None:
        try:
            return _decode(self._server.get(path, **query), kind)
        except RefusedError as error:
            if _refusal(error).error_code in _ABSENT:
                return None
            raise Unavailable(NAME, error) from error

    def _pages(self, path: str, kind: type[Paged], **query: str) -> Iterator[Paged]:
        token: dict[str, str] = {}
        while True:
            try:
                page = _decode(self._server.get(path, max_results=PAGE, **query, **token), kind)
            except RefusedError as error:
                raise Unavailable(NAME, error) from error
            yield page
            if not page.next_page_token:
                return
            token = {"page_token": page.next_page_token}


_OF_THE_CALLER = frozenset({401, 403, 407, 408, 425, 429})
"""Answers that say nothing of the version: who may not read now, or asks too often, may ask again later."""


def _decode(answer: bytes, kind: type[Answered]) -> Answered:
    try:
        return msgspec.json.decode(answer, type=kind)
    except msgspec.MsgspecError as error:
        # a proxy's page, or another server under that address
        raise Unavailable(NAME, f"no answer of MLflow's: {error}") from error


def _refusal(error: RefusedError) -> Refusal:
    try:
        return msgspec.json.decode(error.body, type=Refusal)
    except msgspec.MsgspecError:
        return Refusal(message=str(error))


def place(model: str, number: str) -> str:
    """How a version of the registry is called in what people read."""
    return f"{model} v{number}"
