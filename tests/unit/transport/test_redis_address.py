"""What a URL of Redis says, and which URLs are refused in one line without a secret."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from redis.connection import SSLConnection, UnixDomainSocketConnection
from redis.exceptions import TimeoutError as RedisTimeout

from events.errors import ConfigError
from transport.redis_address import RedisAddress, connect_redis, parse_redis

VERIFIED = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
UNVERIFIED = {"ssl_cert_reqs": "none", "ssl_check_hostname": False}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("redis://h", RedisAddress((("h", 6379),), 0), id="host alone"),
        pytest.param("redis://h:1/2", RedisAddress((("h", 1),), 2), id="port and database"),
        pytest.param("redis://h?virtual_host=2", RedisAddress((("h", 6379),), 2), id="virtual_host"),
        pytest.param("redis://h?db=2", RedisAddress((("h", 6379),), 2), id="redis-py's db"),
        pytest.param("redis://h//", RedisAddress((("h", 6379),), 0), id="slashes are no database"),
        pytest.param("redis://:p@h", RedisAddress((("h", 6379),), 0, None, "p"), id="password alone"),
        pytest.param("redis://u:p@h", RedisAddress((("h", 6379),), 0, "u", "p"), id="ACL user"),
        pytest.param(
            "redis://u%40x:p%2Fw%23%3B@h", RedisAddress((("h", 6379),), 0, "u@x", "p/w#;"), id="encoded"
        ),
        pytest.param("redis://[::1]:1/2", RedisAddress((("::1", 1),), 2), id="IPv6"),
        pytest.param("REDIS://h/2", RedisAddress((("h", 6379),), 2), id="upper case"),
        pytest.param("valkey://h/2", RedisAddress((("h", 6379),), 2), id="Valkey"),
        pytest.param("valkeys://h", RedisAddress((("h", 6379),), 0, tls=VERIFIED), id="Valkey, TLS"),
        pytest.param("rediss://h", RedisAddress((("h", 6379),), 0, tls=VERIFIED), id="TLS is verified"),
        *(
            pytest.param(
                f"rediss://h?ssl_cert_reqs={spelling}",
                RedisAddress((("h", 6379),), 0, tls=expected),
                id=spelling,
            )
            for spelling, expected in {
                "required": VERIFIED,
                "CERT_REQUIRED": VERIFIED,
                "none": UNVERIFIED,
                "CERT_NONE": UNVERIFIED,
            }.items()
        ),
        pytest.param(
            "redis+socket:///run/redis.sock?virtual_host=2",
            RedisAddress((), 2, path="/run/redis.sock"),
            id="Celery's socket",
        ),
        pytest.param("unix:///run/r.sock?db=2", RedisAddress((), 2, path="/run/r.sock"), id="redis-py's"),
        pytest.param(
            "redis+socket://u:p@/run/r.sock", RedisAddress((), 0, "u", "p", path="/run/r.sock"), id="login"
        ),
        pytest.param(
            "sentinel://u:p@a:1/2?master_name=m;sentinel://b;",
            RedisAddress((("a", 1), ("b", 26379)), 2, "u", "p", master="m"),
            id="Sentinels",
        ),
        pytest.param(
            "sentinel://a;sentinel://:p@b/2?master_name=m&ssl_cert_reqs=required&sentinel_password=q",
            RedisAddress(
                (("a", 26379), ("b", 26379)),
                2,
                None,
                "p",
                tls=VERIFIED,
                master="m",
                sentinel_login={"password": "q"},
            ),
            id="Sentinels, TLS, two logins",
        ),
    ],
)
def test_a_url_says_where_redis_is(url: str, expected: RedisAddress) -> None:
    assert parse_redis(url) == expected


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "is empty|is no URL"),
        ("localhost:6379", "is no URL: it must begin with a scheme"),
        ("redis:/h", "is no URL: it must begin with a scheme"),
        ("redis://", "names no host"),
        ("redis://:s3cret@", "names no host"),
        ("redis://:s3cret#@h", "percent-encode it as %23|names no host|is no URL: percent-encode"),
        ("redis://:a/s3cret@h", "is no URL: percent-encode"),
        ("redis://h:s3cret", "is no URL: percent-encode"),
        ("redis://h:99999", "is no URL: percent-encode"),
        ("redis://[::1/0", "is no URL: percent-encode"),
        ("redis://h/one", "names a database that is no number"),
        ("redis://h/1?db=2", "names two databases"),
        ("redis://h?db=1&db=2", "has one parameter twice"),
        ("redis://h?socket_timeout=1", "has the parameter socket_timeout; known: virtual_host, db"),
        ("redis://h?ssl_cert_reqs=required", "asks for ssl_cert_reqs without TLS: begin it with rediss://"),
        ("rediss://h?ssl_cert_reqs=yes", "ssl_cert_reqs must be required, optional or none"),
        ("rediss://h?ssl_check_hostname=no", "ssl_check_hostname must be true or false"),
        ("rediss://h?ssl_ca_certs=/no/ca", "ssl_ca_certs: /no/ca: no such file"),
        ("redis://:s3cret@a;redis://:s3cret@b", "lists several Redis, .*: use sentinel://"),
        ("redis://a;sentinel://b", "lists addresses of several kinds"),
        ("redis+socket://host/run/r.sock", "names no socket: write it as redis\\+socket:///path"),
        ("redis+socket:///", "names no socket"),
        ("sentinel://a;sentinel://b", "does not say which master .*: add \\?master_name="),
        ("sentinel://a/1?master_name=m;sentinel://b/2", "names several databases"),
        ("amqp://u:s3cret@h//", "begins with amqp://, which is no Redis; supported: redis://"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_secrets(url: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=f"^environment: REDIS_URL: ({complaint})") as raised:
        parse_redis(url)
    assert "s3cret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_certificates_are_files_that_exist(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("")
    address = parse_redis(f"rediss://h?ssl_ca_certs={ca}&ssl_certfile={ca}&ssl_keyfile={ca}")
    assert address.tls is not None
    assert {str(address.tls[name]) for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")} == {str(ca)}


def test_a_client_is_made_as_the_url_says() -> None:
    kwargs = connect_redis("rediss://u:p@h:1/2", socket_timeout=3).connection_pool.connection_kwargs
    assert {name: kwargs[name] for name in ("host", "port", "db", "username", "password")} == {
        "host": "h",
        "port": 1,
        "db": 2,
        "username": "u",
        "password": "p",
    }
    assert (kwargs["ssl_cert_reqs"], kwargs["ssl_check_hostname"]) == ("required", True)
    assert kwargs["socket_timeout"] == 3


def test_a_redis_that_hangs_is_asked_once_more_and_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        client = connect_redis(
            f"redis://127.0.0.1:{silent.getsockname()[1]}", socket_timeout=0.02, socket_connect_timeout=1
        )
        with pytest.raises(RedisTimeout):
            client.ping()
        silent.setblocking(False)
        assert len(list(_waiting(silent))) == 2


def _waiting(server: socket.socket) -> Iterator[None]:
    """The connections that came to it."""
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            yield None


def test_each_kind_of_url_has_its_kind_of_connection() -> None:
    secure = connect_redis("rediss://h").connection_pool
    assert secure.connection_class is SSLConnection
    socket = connect_redis("redis+socket:///run/r.sock?virtual_host=3", socket_keepalive=True).connection_pool
    assert socket.connection_class is UnixDomainSocketConnection
    assert (socket.connection_kwargs["path"], socket.connection_kwargs["db"]) == ("/run/r.sock", 3)


@pytest.mark.parametrize(
    "url",
    ["redis://u:s3cret@h", "sentinel://:s3cret@h?master_name=m&sentinel_password=s3cret"],
)
def test_an_address_is_printed_without_its_passwords(url: str) -> None:
    assert "s3cret" not in repr(parse_redis(url))
