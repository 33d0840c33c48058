"""How Kafka's TLS and SASL are configured: variables with the usual names, any other property by a file."""

import logging
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, Producer

from events.errors import ConfigError, Problem
from routing.reading import read_text
from routing.report import Report
from transport.cluster import Cluster

CONFIG_FILE = "KAFKA_CONFIG_FILE"
CALLBACK = "KAFKA_SASL_OAUTHBEARER_CALLBACK"
PROTOCOL = "security.protocol"

VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "KAFKA_SECURITY_PROTOCOL": PROTOCOL,
        "KAFKA_SASL_MECHANISM": "sasl.mechanism",
        "KAFKA_SASL_USERNAME": "sasl.username",
        "KAFKA_SASL_PASSWORD": "sasl.password",
        "KAFKA_SSL_CA_LOCATION": "ssl.ca.location",
        "KAFKA_SSL_CERTIFICATE_LOCATION": "ssl.certificate.location",
        "KAFKA_SSL_KEY_LOCATION": "ssl.key.location",
        "KAFKA_SSL_KEY_PASSWORD": "ssl.key.password",
        "KAFKA_SASL_OAUTHBEARER_METHOD": "sasl.oauthbearer.method",
        "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": "sasl.oauthbearer.token.endpoint.url",
        "KAFKA_SASL_OAUTHBEARER_CLIENT_ID": "sasl.oauthbearer.client.id",
        "KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET": "sasl.oauthbearer.client.secret",
        "KAFKA_SASL_OAUTHBEARER_SCOPE": "sasl.oauthbearer.scope",
        "KAFKA_SASL_OAUTHBEARER_EXTENSIONS": "sasl.oauthbearer.extensions",
    }
)
"""The librdkafka property that each variable sets. Any other property is set by `KAFKA_CONFIG_FILE`."""

_COMMITS = "offsets are committed once their work is done: a commit by the clock would lose events"
_IDEMPOTENCE = "records are written by idempotent producers that wait for all replicas in sync"
_GROUPS = "each part names its own group, and all its members must divide partitions the same way"
_BEGINNING = "each reader decides where it begins: at the earliest record, or where it left off"

REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "bootstrap.servers": "set KAFKA_BOOTSTRAP_SERVERS",
        "metadata.broker.list": "set KAFKA_BOOTSTRAP_SERVERS",
        "enable.auto.commit": _COMMITS,
        "auto.commit.enable": _COMMITS,
        "enable.auto.offset.store": _COMMITS,
        "auto.commit.interval.ms": _COMMITS,
        "acks": _IDEMPOTENCE,
        "request.required.acks": _IDEMPOTENCE,
        "enable.idempotence": _IDEMPOTENCE,
        "transactional.id": _IDEMPOTENCE,
        "enable.gapless.guarantee": _IDEMPOTENCE,
        "delivery.report.only.error": "a record counts as written once Kafka reports it",
        "partitioner": "events of one key must stay in the partition that other clients choose (murmur2)",
        "message.max.bytes": "the topics' limits and the dead letters are made for each other",
        "group.id": _GROUPS,
        "group.instance.id": _GROUPS,
        "group.protocol": _GROUPS,
        "group.remote.assignor": _GROUPS,
        "partition.assignment.strategy": _GROUPS,
        "auto.offset.reset": _BEGINNING,
        "enable.partition.eof": "each reader decides how it learns of a partition's end",
        "isolation.level": "records of aborted transactions must not be read",
        "allow.auto.create.topics": "topics are made with the limits and retention that are declared",
        "test.mock.num.brokers": "it replaces Kafka by a mock in memory",
        "logger": "it is no property of librdkafka",
        "default.topic.config": "topics' properties are set beside all others",
    }
)
"""The properties that would break what Signalbox promises, and why."""

ALIASES: Mapping[str, str] = MappingProxyType({"sasl.mechanisms": "sasl.mechanism"})
MECHANISMS = "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"

Token = Callable[[str], tuple[Any, ...]]
"""Handed `sasl.oauthbearer.config`; returns a token, its expiry in epoch seconds, and maybe a principal."""

_log = logging.getLogger(__name__)


class _Origin(NamedTuple):
    """Where a property was set: a variable, or a line of the file."""

    path: str
    line: int
    key: str

    def problem(self, message: str) -> Problem:
        return Problem(self.path, self.line, self.key, message)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.key


def secured_cluster(
    bootstrap: str,
    variables: Mapping[str, str],
    config_file: Path | None = None,
    callback: str | None = None,
) -> Cluster:
    """The cluster behind `bootstrap`, checked with librdkafka itself; nothing is connected.

    `variables` are those of `VARIABLES` that are set. Raises `ConfigError` naming each variable or line of
    the file that cannot be used; never with a value, which may be a secret.
    """
    setting = _Setting({}, {})
    problems: list[Problem] = []
    lines = _lines(config_file) if config_file else ()
    named = ((_Origin("environment", 0, name), VARIABLES[name], text) for name, text in variables.items())
    for origin, name, text in (*named, *lines):
        refusal = setting.add(origin, ALIASES.get(name, name), text)
        if refusal:
            problems.append(origin.problem(refusal))
    problems += [] if problems else setting.together()
    if problems:
        raise ConfigError(problems)
    extra = {"oauth_cb": _callback(callback)} if callback else {}
    return Cluster(bootstrap, {**setting.properties, **extra})


class _Setting(NamedTuple):
    """The properties so far, and where each was set."""

    properties: dict[str, str]
    origins: dict[str, _Origin]

    def add(self, origin: _Origin, name: str, text: str) -> str | None:
        """Take one more; returns why it cannot be set so."""
        if name in self.origins:
            return f"is set twice: by {self.origins[name]} too"
        if name in REFUSED:
            return f"cannot be set: {REFUSED[name]}"
        if name.endswith(".location") and text != "probe" and not Path(text).exists():
            return f"{text}: no such file"
        refusal = _invalid(_alone(name, text))
        if refusal is None:
            self.origins[name], self.properties[name] = origin, text
        return refusal

    def together(self) -> list[Problem]:
        """What is wrong with properties that are right one by one."""
        if unused := list(self._unused()):
            return unused
        protocol = self.properties.get(PROTOCOL, "")
        if protocol.lower().startswith("sasl") and "sasl.mechanism" not in self.properties:
            return [_Origin("environment", 0, "KAFKA_SASL_MECHANISM").problem(f"is not set: {MECHANISMS}")]
        reason = _invalid(self.properties) if self.properties else None
        return [self._to_blame(reason).problem(reason)] if reason else []

    def _unused(self) -> Iterator[Problem]:
        """Credentials that the protocol leaves unused: librdkafka ignores them, and connects without."""
        protocol = self.properties.get(PROTOCOL, "plaintext").lower()
        for prefix, fits, wanted in (
            ("sasl.", protocol.startswith("sasl"), "SASL_SSL or SASL_PLAINTEXT"),
            ("ssl.", protocol.endswith("ssl"), "SSL or SASL_SSL"),
        ):
            for name, origin in self.origins.items():
                if name.startswith(prefix) and not fits:
                    yield origin.problem(
                        f"is of no use over {protocol}: set KAFKA_SECURITY_PROTOCOL to {wanted}"
                    )

    def _to_blame(self, reason: str) -> _Origin:
        """Which setting librdkafka complains of: one that it names, or else the protocol that asks for it."""
        for variable, name in VARIABLES.items():
            if name in reason and name not in self.origins:
                return _Origin("environment", 0, variable)
        for name, origin in self.origins.items():
            if name != PROTOCOL and name in reason:
                return origin
        return self.origins.get(PROTOCOL, _Origin("environment", 0, "KAFKA_SECURITY_PROTOCOL"))


def _lines(path: Path) -> Iterator[tuple[_Origin, str, str]]:
    """The properties of a file: `key=value`, one a line; `#` or `!` begins a comment."""
    report = Report(str(path))
    text = read_text(report)
    if text is None:
        reason = "; ".join(problem.message for problem in report.problems)
        raise ConfigError([Problem("environment", 0, CONFIG_FILE, f"{path}: {reason}")])
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare[0] in "#!":
            continue
        key, equals, value = bare.partition("=")
        if not equals or not key.strip():
            raise ConfigError(
                [Problem(str(path), number, "", "must be key=value, or begin with # as a comment")]
            )
        yield _Origin(str(path), number, key.strip()), key.strip(), value.strip()


def _alone(name: str, text: str) -> dict[str, str]:
    """Properties that let librdkafka judge one: what it needs others for is judged with them."""
    if name == PROTOCOL:
        return {name: text, "sasl.mechanism": "PLAIN", "sasl.username": "unused", "sasl.password": "unused"}
    return {name: text, PROTOCOL: "plaintext"}


def _invalid(properties: Mapping[str, str]) -> str | None:
    """What librdkafka has against these properties. Connects to nothing."""
    try:
        Producer({"enable.idempotence": True, "bootstrap.servers": "", "log_level": 0, **properties})
    except (KafkaException, TypeError, ValueError) as error:
        return _text(error)
    return None


def _text(error: Exception) -> str:
    reason = error.args[0].str() if isinstance(error, KafkaException) else str(error)
    return str(reason).strip().removeprefix("Failed to create producer: ")


def _callback(name: str) -> Token:
    """The function that `module:function` names. Raises `ConfigError`."""
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, ValueError, AttributeError) as error:
        raise ConfigError([Problem("environment", 0, CALLBACK, f"{name}: {error}")]) from error
    if not callable(found):
        raise ConfigError([Problem("environment", 0, CALLBACK, f"{name} is not a function")])
    return Refreshing(name, found)


class Refreshing:
    """Asks for a token each time the last one is about to expire, and reports if none was returned."""

    def __init__(self, name: str, fetch: Token) -> None:
        self._name = name
        self._fetch = fetch

    def __call__(self, config: str) -> tuple[Any, ...]:
        """Called on a thread of librdkafka's: if it raises, the connection is refused and tried again."""
        try:
            return self._fetch(config)
        except Exception as error:
            # a token's server may quote what it was sent: the kind of error is enough
            _log.warning("%s=%s gave no token: %s", CALLBACK, self._name, type(error).__name__)
            raise
