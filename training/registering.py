"""Registration of a trained version through the MLflow client, which serving does not load."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from models.artifact import Artifact, load
from models.registry_answers import DIGEST_TAG
from training.complete import refuse_incomplete
from training.mlflow_client import connect, unavailable
from transport.http import HttpPlace

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

FILES = "version"
"""The folder of a run's artifacts that is the version."""


class Registered(NamedTuple):
    """A version in the registry. `fresh` is false if one of the same digest was there before."""

    model: str
    version: str
    digest: str
    fresh: bool


class TrainingRegistry:
    """An MLflow server, as training uses it. Every method raises `Unavailable` if it does not answer."""

    def __init__(self, place: str | HttpPlace) -> None:
        self._client = connect(place)

    def register(self, artifact: Artifact, tags: Mapping[str, str]) -> Registered:
        """A new version with these files, and `tags` beside its own; the same digest twice is one version.

        Raises `ConfigError` with everything that the version does not say of itself, and `BrokenModelError`
        where one of its files is not the one that it names.
        """
        refuse_incomplete(artifact)
        metadata = artifact.metadata
        model = metadata.recipe.model
        with unavailable():
            if there := self._of_digest(model, metadata.digest):
                return Registered(model, there, metadata.digest, fresh=False)
            self._create(model)
            version = self._upload(artifact, {**_tags(artifact), **tags})
        return Registered(model, version, metadata.digest, fresh=True)

    def fetch(self, model: str, alias: str, folder: Path) -> Artifact | None:
        """The version that an alias names, copied into `folder`; None if it names none.

        Raises `BrokenModelError` if it cannot be used.
        """
        from mlflow.artifacts import download_artifacts

        with unavailable():
            version = self._named(model, alias)
            if version is None:
                return None
            source = self._client.get_model_version_download_uri(model, version.version)
            path = download_artifacts(
                artifact_uri=source, dst_path=str(folder), tracking_uri=self._client.tracking_uri
            )
        return load(Path(path), str(version.version))

    def _named(self, model: str, alias: str) -> "ModelVersion | None":
        from mlflow.exceptions import RestException

        try:
            return self._client.get_model_version_by_alias(model, alias)
        except RestException as error:
            # the one where the model has no such alias, the other where nobody knows the model
            if error.error_code in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"):
                return None
            raise

    def _of_digest(self, model: str, digest: str) -> str | None:
        found = self._client.search_model_versions(f"name = '{model}' and tags.{DIGEST_TAG} = '{digest}'")
        return str(max(int(each.version) for each in found)) if found else None

    def _create(self, model: str) -> None:
        from mlflow.exceptions import RestException

        try:
            self._client.create_registered_model(model)
        except RestException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _upload(self, artifact: Artifact, tags: Mapping[str, str]) -> str:
        recipe = artifact.metadata.recipe
        experiment = self._client.get_experiment_by_name(recipe.model)
        number = experiment.experiment_id if experiment else self._client.create_experiment(recipe.model)
        run = self._client.create_run(number, run_name=artifact.metadata.digest[:12], tags=dict(tags))
        ended = "FAILED"
        try:
            for name, value in recipe.parameters.items():
                self._client.log_param(run.info.run_id, name, value)
            for name, figure in recipe.metrics.items():
                self._client.log_metric(run.info.run_id, name, figure)
            self._client.log_artifacts(run.info.run_id, str(artifact.path), FILES)
            # last: a version that is there is whole
            made = self._client.create_model_version(
                recipe.model, f"{run.info.artifact_uri}/{FILES}", run.info.run_id, tags=dict(tags)
            )
            ended = "FINISHED"
        finally:
            self._client.set_terminated(run.info.run_id, ended)
        return str(made.version)


def _tags(artifact: Artifact) -> dict[str, str]:
    metadata = artifact.metadata
    made, recipe = metadata.provenance, metadata.recipe
    return {
        DIGEST_TAG: metadata.digest,
        "trained_at": made.trained_at,
        "trained_by": made.trained_by,
        "git_commit": made.git_commit,
        "snapshot": made.snapshot,
        "feature_hash": recipe.feature_hash,
        "data": f"{recipe.data.first} to {recipe.data.last}",
        "data_sha256": recipe.data.sha256,
    }
