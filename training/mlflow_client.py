"""The MLflow client of training, and its error if MLflow does not answer."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from events.errors import ConfigError, Problem, Unavailable
from transport.http import HttpPlace

if TYPE_CHECKING:
    from mlflow import MlflowClient

DEPENDENCY = "model registry"
_ENVIRONMENT = {
    # seven retries of two minutes each are MLflow's own: a training that cannot register says so sooner
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    # what a training says is for logs, too
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}


def connect(place: str | HttpPlace) -> "MlflowClient":
    """A client of this server, tracking and registry in one; asks nothing of it yet."""
    if isinstance(place, str):
        place = HttpPlace(place)
    for name, value in {**_ENVIRONMENT, **_credentials(place)}.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        # those of MLflow's own imports are nothing that an operator could put right
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient
    return MlflowClient(place.url, place.url)


def _credentials(place: HttpPlace) -> dict[str, str]:
    """What MLflow's client reads from the environment, if it came from a file instead."""
    known = {
        "MLFLOW_TRACKING_TOKEN": place.token,
        "MLFLOW_TRACKING_USERNAME": place.user,
        "MLFLOW_TRACKING_PASSWORD": place.password,
        "MLFLOW_TRACKING_SERVER_CERT_PATH": str(place.ca) if place.ca else None,
    }
    return {name: value for name, value in known.items() if value}


@contextmanager
def unavailable() -> Iterator[None]:
    """An MLflow that cannot be reached raises `Unavailable`; one that refuses raises `ConfigError`."""
    from mlflow.exceptions import MlflowException, RestException

    try:
        yield
    except RestException as error:
        if error.error_code in ("TEMPORARILY_UNAVAILABLE", "INTERNAL_ERROR"):
            raise Unavailable(DEPENDENCY, error.message) from error
        raise ConfigError([Problem(DEPENDENCY, 0, "", f"refuses: {error.message}")]) from error
    except (MlflowException, OSError) as error:
        raise Unavailable(DEPENDENCY, error) from error
