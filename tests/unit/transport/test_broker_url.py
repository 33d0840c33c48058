"""Every form of a broker's URL that Celery documents: taken by both halves alike, or refused in one line."""

import ssl
from pathlib import Path

import pytest
from celery import Celery
from kombu import Connection

from events.errors import ConfigError
from tasks.configuration import settings
from tests.unit.tasks.test_policy import spec
from transport.broker_url import parse_broker

SECURE = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}


@pytest.mark.parametrize(
    ("url", "expected", "tls"),
    [
        pytest.param("redis://h/1", "redis://h:6379/1", None, id="Redis"),
        pytest.param("REDIS://h", "redis://h:6379/0", None, id="upper case"),
        pytest.param("redis://:p%23@h", "redis://:p%23@h:6379/0", None, id="encoded password"),
        pytest.param(
            "redis://u:p@h?virtual_host=3", "redis://u:p@h:6379/3", None, id="ACL user, virtual_host"
        ),
        pytest.param("redis://[::1]:1/2", "redis://[::1]:1/2", None, id="IPv6"),
        pytest.param("valkey://h/1", "redis://h:6379/1", None, id="Valkey"),
        pytest.param("rediss://h/1", "rediss://h:6379/1", SECURE, id="Redis over TLS"),
        pytest.param(
            "rediss://h/1?ssl_cert_reqs=CERT_REQUIRED", "rediss://h:6379/1", SECURE, id="Celery's spelling"
        ),
        pytest.param("rediss://h/1?ssl_cert_reqs=required", "rediss://h:6379/1", SECURE, id="redis-py's"),
        pytest.param("valkeys://h/1", "rediss://h:6379/1", SECURE, id="Valkey over TLS"),
        pytest.param(
            "redis+socket:///run/r.sock?virtual_host=2",
            "redis+socket:///run/r.sock?virtual_host=2",
            None,
            id="socket",
        ),
        pytest.param("unix:///run/r.sock", "redis+socket:///run/r.sock?virtual_host=0", None, id="unix"),
        pytest.param(
            "sentinel://:p@a/2?master_name=m;sentinel://b:1",
            "sentinel://:p@a:26379/2;sentinel://:p@b:1/2",
            None,
            id="Sentinels: each entry is whole",
        ),
        pytest.param("amqp://h", "pyamqp://h:5672/%2F", None, id="RabbitMQ"),
        pytest.param("amqp://u:p@h//", "pyamqp://u:p@h:5672/%2F", None, id="default virtual host"),
        pytest.param("pyamqp://h/shop", "pyamqp://h:5672/shop", None, id="virtual host"),
        pytest.param("AMQP://h/a%2Fb", "pyamqp://h:5672/a%2Fb", None, id="virtual host with a slash"),
        pytest.param("amqp://[::1]:1//", "pyamqp://[::1]:1/%2F", None, id="RabbitMQ by IPv6"),
        pytest.param(
            "amqp://u:p@a//;amqp://u:p@b//",
            "pyamqp://u:p@a:5672/%2F;pyamqp://u:p@b:5672/%2F",
            None,
            id="nodes of a cluster",
        ),
        pytest.param(
            "amqps://h//", "amqps://h:5671/%2F", {"cert_reqs": ssl.CERT_REQUIRED}, id="RabbitMQ over TLS"
        ),
        pytest.param(
            "amqps://h?ssl_cert_reqs=none",
            "amqps://h:5671/%2F",
            {"cert_reqs": ssl.CERT_NONE, "check_hostname": False},
            id="unverified if asked for",
        ),
        pytest.param(
            "amqps://h?login_method=EXTERNAL",
            "amqps://h:5671/%2F?login_method=EXTERNAL",
            {"cert_reqs": ssl.CERT_REQUIRED},
            id="login by certificate",
        ),
    ],
)
def test_a_url_becomes_kombus(url: str, expected: str, tls: dict[str, object] | None) -> None:
    address = parse_broker(url)
    assert (address.url, address.tls) == (expected, tls)
    # kombu can read it
    Connection(address.url, ssl=address.tls or False)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("memory://", "is memory://, which ends at its process"),
        (
            "sqs://key:s3cret@",
            "begins with sqs://, which has no priorities .*; supported: redis://.*amqps://",
        ),
        ("kafka://h:1", "begins with kafka://"),
        ("filesystem://", "begins with filesystem://"),
        ("sqla+postgresql://u:s3cret@h/d", "begins with sqla\\+postgresql://"),
        ("librabbitmq://h", "begins with librabbitmq://"),
        ("amqp://", "names no host"),
        ("h:5672", "is no URL"),
        ("amqp://u:s3/cret@h", "is no URL: percent-encode"),
        ("amqp://h;amqps://h", "lists addresses of several kinds"),
        ("amqp://h;redis://h", "lists addresses of several kinds"),
        ("redis://a;redis://b", "lists several Redis"),
        ("amqp://h?heartbeat=10", "has the parameter heartbeat; known: login_method"),
        ("amqp://h?ssl_ca_certs=/ca", "asks for ssl_ca_certs without TLS: begin it with amqps://"),
        ("amqps://h?ssl_ca_certs=/no/ca", "ssl_ca_certs: /no/ca: no such file"),
        ("amqp://h?login_method=PLANE", "login_method must be one of PLAIN"),
        ("sentinel://h", "does not say which master"),
    ],
)
def test_a_url_that_a_half_could_not_use_is_refused_in_one_line(url: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=f"^environment: CELERY_BROKER_URL: {complaint}") as raised:
        parse_broker(url)
    assert "s3" not in str(raised.value).replace("sqs", "")
    assert "\n" not in str(raised.value)


def test_a_client_certificate_is_named_as_py_amqp_names_it(tmp_path: Path) -> None:
    pem = tmp_path / "it.pem"
    pem.write_text("")
    url = f"amqps://h?ssl_ca_certs={pem}&ssl_certfile={pem}&ssl_keyfile={pem}"
    assert parse_broker(url).tls == {
        "ca_certs": str(pem),
        "certfile": str(pem),
        "keyfile": str(pem),
        "cert_reqs": ssl.CERT_REQUIRED,
    }


def test_a_worker_goes_by_the_same_parse_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = "REDISS://u:p@h/1?ssl_cert_reqs=CERT_REQUIRED"
    monkeypatch.setenv("CELERY_BROKER_URL", url)
    app = Celery(set_as_current=False)
    app.conf.update(settings(url, [spec()], {}))
    with app.connection_for_read() as reading, app.connection_for_write() as writing:
        for connection in (reading, writing):
            assert connection.as_uri(include_password=True) == "rediss://u:p@h:6379/1"
            assert connection.ssl == SECURE


def test_an_address_is_printed_without_its_password() -> None:
    for url in ("redis://u:s3cret@h", "amqp://u:s3cret@h", "sentinel://:s3cret@h?master_name=m"):
        assert "s3cret" not in repr(parse_broker(url))
