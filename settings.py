"""Where the services are and what this installation is set to: read once, by entry points only."""

import fcntl
import os
from datetime import time
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from events.errors import ConfigError, Problem
from events.seal import Seal
from events.timeliness import DECLARED, OLDEST_DAYS, Spans
from transport import kafka_access
from transport.broker_url import VARIABLE, parse_broker
from transport.cluster import Cluster
from transport.http import HttpPlace
from transport.redis_address import parse_redis

LOCAL_ENV = Path("var/local.env")
"""Written by `signalbox up` while it runs, so that a command typed in another terminal finds its parts."""

LARGEST_VALUE_BYTES = 100_000
"""A longer value cannot be handed in by the environment either."""

WAY_OUT = "set it, or start a local stack in another terminal with `signalbox up`"


def _kafka(variable: str) -> Any:
    """A property of Kafka's clients; see `transport.kafka_access.VARIABLES`."""
    return Field(default=None, validation_alias=variable)


class Settings(BaseSettings):
    """Frozen. The environment goes before the local stack's file; paths count from the working directory.

    An address that is set nowhere raises `ConfigError` when it is asked for: nothing silently means
    localhost. What has no conventional name is set as `SIGNALBOX_…`: `SIGNALBOX_PARTITIONS=8`.
    """

    model_config = SettingsConfigDict(
        env_prefix="SIGNALBOX_", env_ignore_empty=True, extra="ignore", frozen=True
    )

    kafka: str | None = Field(default=None, validation_alias="KAFKA_BOOTSTRAP_SERVERS")
    kafka_config_file: Path | None = Field(default=None, validation_alias=kafka_access.CONFIG_FILE)
    kafka_security_protocol: str | None = _kafka("KAFKA_SECURITY_PROTOCOL")
    kafka_sasl_mechanism: str | None = _kafka("KAFKA_SASL_MECHANISM")
    kafka_sasl_username: str | None = _kafka("KAFKA_SASL_USERNAME")
    kafka_sasl_password: SecretStr | None = _kafka("KAFKA_SASL_PASSWORD")
    kafka_ssl_ca: str | None = _kafka("KAFKA_SSL_CA_LOCATION")
    kafka_ssl_certificate: str | None = _kafka("KAFKA_SSL_CERTIFICATE_LOCATION")
    kafka_ssl_key: str | None = _kafka("KAFKA_SSL_KEY_LOCATION")
    kafka_ssl_key_password: SecretStr | None = _kafka("KAFKA_SSL_KEY_PASSWORD")
    kafka_oauth_method: str | None = _kafka("KAFKA_SASL_OAUTHBEARER_METHOD")
    kafka_oauth_url: str | None = _kafka("KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL")
    kafka_oauth_client: str | None = _kafka("KAFKA_SASL_OAUTHBEARER_CLIENT_ID")
    kafka_oauth_secret: SecretStr | None = _kafka("KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET")
    kafka_oauth_scope: str | None = _kafka("KAFKA_SASL_OAUTHBEARER_SCOPE")
    kafka_oauth_extensions: str | None = _kafka("KAFKA_SASL_OAUTHBEARER_EXTENSIONS")
    kafka_oauth_callback: str | None = Field(
        default=None,
        validation_alias=kafka_access.CALLBACK,
        description="`module:function` that returns a token",
    )
    broker: str | None = Field(default=None, validation_alias="CELERY_BROKER_URL", repr=False)
    redis: str | None = Field(default=None, validation_alias="REDIS_URL", repr=False)
    database: str | None = Field(default=None, validation_alias="DATABASE_URL", repr=False)
    schema_registry_url: str | None = Field(
        default=None,
        validation_alias="SCHEMA_REGISTRY_URL",
        repr=False,
        description="without one, only the shipped schema of Avro is known",
    )

    schema_registry_token: SecretStr | None = Field(
        default=None, validation_alias="SCHEMA_REGISTRY_BEARER_TOKEN"
    )
    schema_registry_ca: Path | None = Field(default=None, validation_alias="SCHEMA_REGISTRY_CA_LOCATION")
    registry: str | None = Field(
        default=None,
        validation_alias="MLFLOW_TRACKING_URI",
        repr=False,
        description="without one, models are served from a folder",
    )

    registry_token: SecretStr | None = Field(default=None, validation_alias="MLFLOW_TRACKING_TOKEN")
    registry_user: str | None = Field(default=None, validation_alias="MLFLOW_TRACKING_USERNAME")
    registry_password: SecretStr | None = Field(default=None, validation_alias="MLFLOW_TRACKING_PASSWORD")
    registry_ca: Path | None = Field(default=None, validation_alias="MLFLOW_TRACKING_SERVER_CERT_PATH")
    llm: str | None = Field(
        default=None,
        validation_alias="LLM_BASE_URL",
        repr=False,
        description="any endpoint that speaks OpenAI's protocol; without one, people answer the tickets",
    )
    llm_key: SecretStr | None = Field(default=None, validation_alias="LLM_API_KEY")
    llm_model: str | None = Field(
        default=None,
        validation_alias="LLM_MODEL",
        description="by which name a version of the agent asks for it; read when one is registered",
    )
    embedding_model: str | None = Field(
        default=None,
        validation_alias="EMBEDDING_MODEL",
        description="of the same endpoint; without one, policies are found by their words alone",
    )
    support_platform: str | None = Field(default=None, validation_alias="SUPPORT_PLATFORM_URL", repr=False)
    support_platform_token: SecretStr | None = Field(default=None, validation_alias="SUPPORT_PLATFORM_TOKEN")
    support_platform_idempotent: bool = Field(
        default=False,
        validation_alias="SUPPORT_PLATFORM_IDEMPOTENT",
        description="whether it knows idempotency keys; if not, no action is sent to it twice",
    )
    support_platform_key_life_s: int = Field(
        default=86_400,
        ge=1,
        le=366 * 86_400,
        validation_alias="SUPPORT_PLATFORM_KEY_LIFE_S",
        description="for how long it keeps an idempotency key; what was sent before that is a person's",
    )

    message_key: SecretStr | None = Field(
        default=None,
        description="signs Celery messages; without one, who reaches the broker can have events decided",
    )
    routing_table: Path = Path("config/routing_table.yaml")
    workflows: Path = Path("config/workflows.yaml")
    fraud_config: Path = Path("config/fraud.yaml")
    training_plan: Path = Path("config/training.yaml")
    churn_config: Path = Path("config/churn.yaml")
    agent_plan: Path = Path("config/agent.yaml")
    agent_prompt: Path = Path("config/agent.md")
    policies: Path = Path("config/policies")
    model_dir: Path = Field(default=Path("var/models"), description="versions, where there is no registry")
    model_cache: Path = Field(default=Path("var/model-cache"), description="what came from the registry")
    training_reports: Path = Field(default=Path("var/training"), description="what the gate found")
    topics: Path = Path("config/topics.yaml")
    partitions: int = Field(default=4, ge=1, le=1_000)
    replicas: int | None = Field(
        default=None, ge=1, le=100, description="at least so many of a topic; else what the topics' file says"
    )
    tenant: str = Field(default="retailpulse", min_length=1, description="whose nights beat begins")
    time_zone: ZoneInfo = Field(default=ZoneInfo("UTC"), description="the shop's, as in the IANA's database")
    nightly_at: time | Literal["off"] = Field(
        default=time(2), description="when the nightly forecast begins, by the shop's clocks"
    )
    event_age_days: int | None = Field(
        default=None,
        ge=1,
        le=OLDEST_DAYS,
        description="how old an event may be when it comes to Kafka, whatever its type declares",
    )
    inactive_after_days: int = Field(
        default=30, ge=1, le=3_650, description="who orders nothing for so long is inactive"
    )
    lost_after_days: int = Field(
        default=90, ge=2, le=3_650, description="who orders nothing for so long is told of no more"
    )
    metrics_port: int = Field(default=0, ge=0, le=65_535, description="0 exports nothing")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic-settings names it
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, the files that it names, then the local stack's addresses."""
        return init_settings, env_settings, NamedFiles(settings_cls), dotenv_settings

    @property
    def kafka_cluster(self) -> Cluster:
        """The Kafka that every client of this process connects to. Raises `ConfigError`."""
        given = {
            str(field.validation_alias): _plain(getattr(self, name))
            for name, field in type(self).model_fields.items()
            if field.validation_alias in kafka_access.VARIABLES
        }
        return kafka_access.secured_cluster(
            _required("KAFKA_BOOTSTRAP_SERVERS", self.kafka),
            {variable: value for variable, value in given.items() if value is not None},
            self.kafka_config_file,
            self.kafka_oauth_callback,
        )

    @property
    def event_spans(self) -> Spans:
        """How far from its entry into Kafka an event may have happened."""
        return DECLARED.with_age(self.event_age_days)

    @property
    def celery_broker_url(self) -> str:
        """`redis://…` or `amqp://…`: where the Celery queues are. Raises `ConfigError`."""
        for name in ("CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"):
            if os.environ.get(name):
                raise ConfigError([Problem("environment", 0, name, f"is Celery's alone: set {VARIABLE}")])
        url = _required(VARIABLE, self.broker)
        parse_broker(url)
        return url

    @property
    def redis_url(self) -> str:
        """`redis://…`: the online feature store. Raises `ConfigError` if it is not the URL of one Redis."""
        url = _required("REDIS_URL", self.redis)
        parse_redis(url)
        return url

    @property
    def database_url(self) -> str:
        """An SQLAlchemy URL: the offline store."""
        return _required("DATABASE_URL", self.database)

    @property
    def registry_url(self) -> HttpPlace:
        """The MLflow server whose registry says which model is served. Raises `ConfigError`."""
        return HttpPlace(
            _required("MLFLOW_TRACKING_URI", self.registry),
            _plain(self.registry_token),
            self.registry_user,
            _plain(self.registry_password),
            self.registry_ca,
        )

    @property
    def model_registry(self) -> HttpPlace | None:
        """The same; None if none is set."""
        return None if self.registry is None else self.registry_url

    @property
    def schema_registry(self) -> HttpPlace | None:
        """A schema registry with Confluent's API, if one is set."""
        if self.schema_registry_url is None:
            return None
        token, ca = _plain(self.schema_registry_token), self.schema_registry_ca
        return HttpPlace(self.schema_registry_url, token, ca=ca)

    @property
    def support_platform_key_life(self) -> int:
        """For how many ms the support platform keeps an idempotency key; 0 if it knows none."""
        return self.support_platform_key_life_s * 1_000 if self.support_platform_idempotent else 0

    @property
    def seal(self) -> Seal:
        """What Celery messages are signed with. Raises `ConfigError` for a key that can be guessed."""
        return Seal.of(self.message_key.get_secret_value() if self.message_key else None)

    @property
    def support_platform_url(self) -> str:
        """`http://…`: where tickets are answered and handed to people."""
        return _required("SUPPORT_PLATFORM_URL", self.support_platform)


class NamedFiles(PydanticBaseSettingsSource):
    """`X_FILE` names a file that holds the value of `X`, for every setting, as orchestrators hand in secrets.

    Raises `ConfigError` if both are set, or the file is empty or cannot be read.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value, the name under which pydantic takes it, and that it is not JSON."""
        name = str(field.validation_alias or field_name)
        variable = variable_of(name)
        path = os.environ.get(f"{variable}_FILE")
        if not path:
            return None, name, False
        if os.environ.get(variable):
            raise ConfigError(
                [Problem("environment", 0, variable, f"is set, and so is {variable}_FILE: unset one")]
            )
        try:
            with Path(path).open("rb") as file:
                content = file.read(LARGEST_VALUE_BYTES + 1)
            value = content.decode("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
            raise ConfigError([Problem("environment", 0, f"{variable}_FILE", f"{path}: {reason}")]) from None
        if not value or len(content) > LARGEST_VALUE_BYTES:
            reason = f"is larger than {LARGEST_VALUE_BYTES:,} bytes" if value else "is empty"
            raise ConfigError([Problem("environment", 0, f"{variable}_FILE", f"{path}: {reason}")])
        return value, name, False

    def __call__(self) -> dict[str, Any]:
        """The values of all settings whose file is named."""
        found = (self.get_field_value(field, name) for name, field in self.settings_cls.model_fields.items())
        return {name: value for value, name, _ in found if value is not None}


def _plain(value: str | SecretStr | None) -> str | None:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _required(variable: str, value: str | None) -> str:
    if value is None:
        raise ConfigError([Problem("environment", 0, variable, f"is not set: {WAY_OUT}")])
    return value


def local_stack_runs(path: Path = LOCAL_ENV) -> bool:
    """Whether the `signalbox up` that wrote this file still runs: until it ends it holds the file's lock."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@cache
def load_settings() -> Settings:
    """The settings of this process. Raises `ConfigError` naming each variable whose value cannot be used."""
    env_file = LOCAL_ENV if local_stack_runs() else None
    try:
        return Settings(_env_file=env_file)
    except ValidationError as error:
        raise ConfigError(
            Problem("environment", 0, variable_of(str(item["loc"][0])), _shown(item["msg"], item["input"]))
            for item in error.errors()
        ) from None


def _shown(message: str, value: object) -> str:
    """An error with the value that caused it, unless that may hold a password."""
    return message if "://" in str(value) or isinstance(value, SecretStr) else f"{message}, is {value!r}"


def variable_of(field: str) -> str:
    """The environment variable of a field, or of its alias: `SIGNALBOX_TENANT` for `tenant`."""
    return field if field.isupper() else f"SIGNALBOX_{field.upper()}"
