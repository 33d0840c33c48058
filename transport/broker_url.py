"""The Celery broker's URL, parsed in one way for the workers and for the dispatcher that feeds them."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from events.errors import ConfigError
from transport import redis_address
from transport.redis_address import RedisAddress, parse_redis
from transport.urls import (
    TLS_PARAMETERS,
    Refuse,
    Url,
    host_of,
    login,
    refuse_unknown,
    refusing,
    split_url,
    tls_options,
)

VARIABLE = "CELERY_BROKER_URL"
RABBITMQ = ("amqp", "pyamqp", "amqps")
REDIS = (*redis_address.SCHEMES, *redis_address.SOCKETS, redis_address.SENTINEL)
LOGIN_METHODS = ("PLAIN", "AMQPLAIN", "EXTERNAL")
PORTS: Mapping[str, int] = {"pyamqp": 5_672, "amqps": 5_671}
_REQUIREMENTS: Mapping[str, ssl.VerifyMode] = {
    "required": ssl.CERT_REQUIRED,
    "optional": ssl.CERT_OPTIONAL,
    "none": ssl.CERT_NONE,
}


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A broker as kombu takes it. `repr` has no password in it."""

    is_redis: bool
    url: str = field(repr=False)
    """In kombu's spelling; several RabbitMQ nodes or Sentinels are separated by `;`."""
    tls: dict[str, Any] | None = None
    """kombu's `ssl`, Celery's `broker_use_ssl`; None without TLS."""
    redis: RedisAddress | None = None

    def transport_options(self, **timeouts: Any) -> dict[str, Any]:
        """kombu's `transport_options` that follow from the URL."""
        if self.redis is None or self.redis.master is None:
            return {}
        sentinels = self.redis.sentinel_options(**timeouts)
        return {"master_name": self.redis.master, "sentinel_kwargs": sentinels}


@lru_cache(maxsize=32)
def parse_broker(url: str) -> BrokerAddress:
    """What a URL says. Raises `ConfigError` naming the variable, and never the URL."""
    refuse = refusing(VARIABLE)
    scheme = split_url(url.split(";")[0], refuse).scheme
    if scheme in REDIS:
        return _redis(parse_redis(url, VARIABLE))
    if scheme in RABBITMQ:
        return _rabbitmq([split_url(text, refuse) for text in url.split(";") if text], refuse)
    raise _unsupported(scheme, refuse)


def _unsupported(scheme: str, refuse: Refuse) -> ConfigError:
    if scheme == "memory":
        return refuse("is memory://, which ends at its process: a worker would never see what is sent")
    return refuse(
        f"begins with {scheme}://, which has no priorities and depths that a feeder can go by; "
        f"supported: {redis_address.FORMS}, amqp://, amqps://"
    )


def _redis(address: RedisAddress) -> BrokerAddress:
    before = login(address.user, address.password)
    if address.path is not None:
        url = f"redis+socket://{before}{quote(address.path)}?virtual_host={address.db}"
    else:
        scheme = "redis" if address.tls is None else "rediss"
        if address.master is not None:
            scheme = redis_address.SENTINEL
        # each of several carries all: kombu goes by the one that it is at
        url = ";".join(
            f"{scheme}://{before}{host_of(host)}:{port}/{address.db}" for host, port in address.nodes
        )
    return BrokerAddress(True, url, None if address.tls is None else dict(address.tls), address)


def _rabbitmq(urls: list[Url], refuse: Refuse) -> BrokerAddress:
    """Nodes of one cluster. Parameters may stand on any of the list, and mean all of it."""
    secure = urls[0].scheme == "amqps"
    if any(url.scheme not in RABBITMQ or (url.scheme == "amqps") != secure for url in urls):
        raise refuse("lists addresses of several kinds")
    query: dict[str, str] = {}
    for url in urls:
        query |= url.query
    if not secure and (asked := [name for name in query if name in TLS_PARAMETERS]):
        raise refuse(f"asks for {asked[0]} without TLS: begin it with amqps://")
    refuse_unknown(query, ("login_method", *(TLS_PARAMETERS if secure else ())), refuse)
    method = query.get("login_method")
    if method is not None and method not in LOGIN_METHODS:
        raise refuse(f"login_method must be one of {', '.join(LOGIN_METHODS)}")
    ending = f"?{urlencode({'login_method': method})}" if method else ""
    nodes = ";".join(f"{_node(url, 'amqps' if secure else 'pyamqp', refuse)}{ending}" for url in urls)
    return BrokerAddress(False, nodes, _amqp_tls(tls_options(query, refuse)) if secure else None)


def _node(url: Url, scheme: str, refuse: Refuse) -> str:
    if not url.host:
        raise refuse("names no host")
    # one slash is no virtual host's name, so the broker's default: `/`
    vhost = quote(url.path[1:], safe="") if len(url.path) > 1 else quote("/", safe="")
    port = url.port or PORTS[scheme]
    return f"{scheme}://{login(url.user, url.password)}{host_of(url.host)}:{port}/{vhost}"


def _amqp_tls(options: Mapping[str, Any]) -> dict[str, Any]:
    """py-amqp's names. Its hostname check is made by `transport.amqp_tls`, node by node."""
    named: dict[str, Any] = {
        name.removeprefix("ssl_"): value
        for name, value in options.items()
        if name not in ("ssl_cert_reqs", "ssl_check_hostname")
    }
    named["cert_reqs"] = _REQUIREMENTS[options["ssl_cert_reqs"]]
    if not options["ssl_check_hostname"]:
        named["check_hostname"] = False
    return named
