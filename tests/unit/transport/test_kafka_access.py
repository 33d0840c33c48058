"""The Kafka properties that an operator can set, and the errors about those that cannot be used."""

import logging
import os
import time
from pathlib import Path

import pytest

from events.errors import ConfigError
from transport.kafka_access import VARIABLES, secured_cluster

BROKERS = "broker:9093"
SCRAM = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "KAFKA_SASL_USERNAME": "dispatcher",
    "KAFKA_SASL_PASSWORD": "s3cret",
}
OAUTH = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "OAUTHBEARER"}


def written(folder: Path, text: str) -> Path:
    path = folder / "client.properties"
    path.write_text(text)
    return path


def token(config: str) -> tuple[str, float]:
    return f"token of {config}", time.time() + 60


def no_token(_config: str) -> tuple[str, float]:
    raise RuntimeError("the endpoint was sent s3cret")


def test_without_any_setting_the_address_is_all() -> None:
    assert secured_cluster(BROKERS, {}).properties == {}


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({**SCRAM, "KAFKA_SASL_MECHANISM": mechanism}, id=mechanism)
        for mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
    ]
    + [
        pytest.param({"KAFKA_SECURITY_PROTOCOL": "SSL"}, id="TLS alone"),
        pytest.param({**SCRAM, "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, id="SASL without TLS"),
        pytest.param({**SCRAM, "KAFKA_SECURITY_PROTOCOL": "sasl_ssl"}, id="in lower case"),
        pytest.param(
            {
                **OAUTH,
                "KAFKA_SASL_OAUTHBEARER_METHOD": "oidc",
                "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": "https://tokens.invalid/token",
                "KAFKA_SASL_OAUTHBEARER_CLIENT_ID": "signalbox",
                "KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET": "s3cret",
            },
            id="librdkafka's own OIDC",
        ),
    ],
)
def test_each_way_in_becomes_properties_that_librdkafka_takes(variables: dict[str, str]) -> None:
    expected = {VARIABLES[name]: value for name, value in variables.items()}
    assert secured_cluster(BROKERS, variables).properties == expected


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        pytest.param(
            {"KAFKA_SECURITY_PROTOCOL": "TLS"},
            'KAFKA_SECURITY_PROTOCOL: Invalid value "TLS"',
            id="a protocol that there is not",
        ),
        pytest.param(
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"},
            "KAFKA_SASL_MECHANISM: is not set: PLAIN, SCRAM",
            id="SASL without a mechanism",
        ),
        pytest.param(
            {name: value for name, value in SCRAM.items() if name != "KAFKA_SASL_PASSWORD"},
            "KAFKA_SASL_PASSWORD: sasl.username and sasl.password must be set",
            id="a user without a password",
        ),
        pytest.param(
            {name: value for name, value in SCRAM.items() if name != "KAFKA_SECURITY_PROTOCOL"},
            "KAFKA_SASL_PASSWORD: is of no use over plaintext: set KAFKA_SECURITY_PROTOCOL to SASL_SSL",
            id="credentials that a plain connection would leave unused",
        ),
        pytest.param(
            {**SCRAM, "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SSL_CA_LOCATION": "/"},
            "KAFKA_SSL_CA_LOCATION: is of no use over sasl_plaintext",
            id="a CA that a plain connection would leave unused",
        ),
        pytest.param(
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA_LOCATION": "/no/ca.pem"},
            "KAFKA_SSL_CA_LOCATION: /no/ca.pem: no such file",
            id="a CA file that is not there",
        ),
        pytest.param(
            {**SCRAM, "KAFKA_SASL_MECHANISM": "SCRAM"},
            "KAFKA_SASL_MECHANISM: Unsupported SASL mechanism: SCRAM|KAFKA_SECURITY_PROTOCOL: Unsupported",
            id="a mechanism that there is not",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_no_secret_is(
    variables: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint) as raised:
        secured_cluster(BROKERS, variables)
    assert "s3cret" not in str(raised.value)


def test_any_property_may_stand_in_a_file(tmp_path: Path) -> None:
    login = "sasl.mechanisms=PLAIN\nsasl.username=a\nsasl.password=p=w\n"
    text = f"# ours\n\n! theirs\nsession.timeout.ms = 45000\n{login}"
    cluster = secured_cluster(BROKERS, {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, written(tmp_path, text))
    assert cluster.properties["session.timeout.ms"] == "45000"
    assert cluster.properties["sasl.mechanism"] == "PLAIN"
    assert cluster.properties["sasl.password"] == "p=w"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("lingr.ms=5", 'client.properties:2: lingr.ms: No such configuration property: "lingr.ms"'),
        ("linger.ms=soon", "client.properties:2: linger.ms: Invalid value"),
        ("linger.ms 5", "client.properties:2: must be key=value"),
        ("=5", "client.properties:2: must be key=value"),
        ("client.id=b", "client.properties:2: client.id: is set twice: by .*client.properties:1 too"),
        ("enable.auto.commit=true", "client.properties:2: enable.auto.commit: cannot be set: offsets are"),
        ("acks=1", "client.properties:2: acks: cannot be set: records are written by idempotent"),
        ("group.id=mine", "client.properties:2: group.id: cannot be set: each part names its own"),
        ("bootstrap.servers=h:1", "client.properties:2: bootstrap.servers: .*set KAFKA_BOOTSTRAP_SERVERS"),
        ("max.in.flight=10", "client.properties:2: max.in.flight: .*must be set <= 5"),
        ("ssl.ca.location=/no/ca", "client.properties:2: ssl.ca.location: /no/ca: no such file"),
        ("sasl.password=s3cret", "client.properties:2: sasl.password: is of no use over plaintext"),
        ("logger=x", "client.properties:2: logger: cannot be set"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_by_file_and_number(
    line: str, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=complaint) as raised:
        secured_cluster(BROKERS, {}, written(tmp_path, f"client.id=a\n{line}\n"))
    assert "s3cret" not in str(raised.value)


def test_what_a_variable_sets_a_file_cannot_set_again(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is set twice: by KAFKA_SECURITY_PROTOCOL too"):
        secured_cluster(
            BROKERS, {"KAFKA_SECURITY_PROTOCOL": "SSL"}, written(tmp_path, "security.protocol=SASL_SSL")
        )


def test_a_file_that_is_not_there_is_named_with_its_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"KAFKA_CONFIG_FILE: .*absent: cannot be read: No such file"):
        secured_cluster(BROKERS, {}, tmp_path / "absent")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match=r"KAFKA_CONFIG_FILE: .*pipe: is a pipe: give a file"):
        secured_cluster(BROKERS, {}, tmp_path / "pipe")


def test_a_callback_returns_the_tokens_of_oauthbearer() -> None:
    cluster = secured_cluster(BROKERS, OAUTH, callback=f"{__name__}:token")
    assert cluster.properties["oauth_cb"]("scope")[0] == "token of scope"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("token", "KAFKA_SASL_OAUTHBEARER_CALLBACK: token: "),
        ("no_such_module:token", "KAFKA_SASL_OAUTHBEARER_CALLBACK: .*No module named 'no_such_module'"),
        (f"{__name__}:absent", "KAFKA_SASL_OAUTHBEARER_CALLBACK: .*has no attribute 'absent'"),
        (f"{__name__}:BROKERS", "KAFKA_SASL_OAUTHBEARER_CALLBACK: .*is not a function"),
    ],
)
def test_a_callback_that_cannot_be_called_is_refused_at_start(name: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        secured_cluster(BROKERS, OAUTH, callback=name)


def test_a_callback_that_fails_is_reported_without_what_it_was_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cluster = secured_cluster(BROKERS, OAUTH, callback=f"{__name__}:no_token")
    with caplog.at_level(logging.WARNING), pytest.raises(RuntimeError):
        cluster.properties["oauth_cb"]("")
    assert "no_token gave no token: RuntimeError" in caplog.text
    assert "s3cret" not in caplog.text
