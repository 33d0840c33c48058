"""Redis by URL: TLS, ACL users, Unix sockets and Sentinel. One parse for its own clients and for Celery's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from transport.urls import TLS_PARAMETERS, Refuse, Url, refuse_unknown, refusing, split_url, tls_options

SECURE = ("rediss", "valkeys")
SCHEMES = ("redis", "valkey", *SECURE)
SOCKETS = ("redis+socket", "valkey+socket", "unix")
SENTINEL = "sentinel"
PORT, SENTINEL_PORT = 6_379, 26_379
DATABASE = ("virtual_host", "db")
SENTINEL_PARAMETERS = ("master_name", "sentinel_username", "sentinel_password")
FORMS = "redis://, rediss://, valkey://, valkeys://, redis+socket://, sentinel://"


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where one Redis is, or by which Sentinels its master is found. `repr` has no password in it."""

    nodes: tuple[tuple[str, int], ...]
    """Host and port of the Redis, or of each Sentinel."""
    db: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    path: str | None = None
    """Of a Unix socket."""
    tls: Mapping[str, Any] | None = None
    """redis-py's `ssl_…` options; None without TLS."""
    master: str | None = None
    """The name that the Sentinels have for it."""
    sentinel_login: Mapping[str, str] = field(default_factory=dict, repr=False)

    def sentinel_options(self, **timeouts: Any) -> dict[str, Any]:
        """redis-py's options of a connection to a Sentinel, which has a login of its own."""
        return {**timeouts, **self.sentinel_login, **self._secure()}

    def _secure(self) -> dict[str, Any]:
        return {} if self.tls is None else {"ssl": True, **self.tls}

    def connect(self, **options: Any) -> Redis:
        """A client that connects at its first command. `options` are redis-py's, times in seconds."""
        shared = {"db": self.db, "username": self.user, "password": self.password, **options}
        if self.path is not None:
            shared.pop("socket_keepalive", None)
            return Redis(unix_socket_path=self.path, **shared)
        if self.master is not None:
            timeouts = {name: value for name, value in options.items() if name.startswith("socket_")}
            options_of_each = self.sentinel_options(**timeouts)
            sentinel = Sentinel(self.nodes, sentinel_kwargs=options_of_each)  # type: ignore[no-untyped-call]  # theirs
            master: Redis = sentinel.master_for(self.master, **shared, **self._secure())  # type: ignore[no-untyped-call]
            return master
        host, port = self.nodes[0]
        return Redis(host, port, **shared, **self._secure())


def connect_redis(url: str, variable: str = "REDIS_URL", **options: Any) -> Redis:
    """A client for a URL, which `variable` holds. `options` are redis-py's. Raises `ConfigError`.

    A connection that went stale is replaced once. redis-py's own three retries with pauses, at each of two
    levels, make half a minute of a time limit of two seconds: waiting longer is the caller's policy.
    """
    return parse_redis(url, variable).connect(**{"retry": Retry(NoBackoff(), 1), **options})


def parse_redis(url: str, variable: str = "REDIS_URL") -> RedisAddress:
    """What a URL says. Raises `ConfigError` naming the variable, and never the URL."""
    refuse = refusing(variable)
    urls = [split_url(text, refuse) for text in url.split(";") if text]
    if not urls:
        raise refuse("is empty")
    scheme = urls[0].scheme
    if any(each.scheme != scheme for each in urls):
        raise refuse("lists addresses of several kinds")
    if scheme == SENTINEL:
        return _by_sentinels(urls, refuse)
    if len(urls) > 1:
        # a feeder and its workers would fail over one by one, each to another Redis, and never meet
        raise refuse("lists several Redis, which do not share their data: use sentinel:// for a fail-over")
    if scheme in SOCKETS:
        return _by_socket(urls[0], refuse)
    if scheme in SCHEMES:
        return _by_host(urls[0], refuse)
    raise refuse(f"begins with {scheme}://, which is no Redis; supported: {FORMS}")


def _by_host(url: Url, refuse: Refuse) -> RedisAddress:
    secure = url.scheme in SECURE
    if not secure and (asked := [name for name in url.query if name in TLS_PARAMETERS]):
        raise refuse(f"asks for {asked[0]} without TLS: begin it with rediss://")
    refuse_unknown(url.query, (*DATABASE, *TLS_PARAMETERS) if secure else DATABASE, refuse)
    return RedisAddress(
        ((_host(url, refuse), url.port or PORT),),
        _database(url, refuse, url.path),
        url.user or None,
        url.password or None,
        tls=tls_options(url.query, refuse) if secure else None,
    )


def _by_socket(url: Url, refuse: Refuse) -> RedisAddress:
    refuse_unknown(url.query, DATABASE, refuse)
    if url.host or len(url.path) < 2:  # a slash and a name
        raise refuse(f"names no socket: write it as {url.scheme}:///path/of.sock?virtual_host=0")
    return RedisAddress((), _database(url, refuse), url.user or None, url.password or None, path=url.path)


def _by_sentinels(urls: list[Url], refuse: Refuse) -> RedisAddress:
    """Logins, database and parameters may stand on any of the list, and mean all of it."""
    query: dict[str, str] = {}
    for url in urls:
        query |= url.query
    known = (*SENTINEL_PARAMETERS, *DATABASE, *TLS_PARAMETERS)
    refuse_unknown(query, known, refuse)
    if not query.get("master_name"):
        raise refuse("does not say which master the Sentinels watch: add ?master_name=… to it")
    paths = {url.path for url in urls} - {"", "/"}
    if len(paths) > 1:
        raise refuse("names several databases")
    path = paths.pop() if paths else ""
    secure = any(name in query for name in TLS_PARAMETERS)
    return RedisAddress(
        tuple((_host(url, refuse), url.port or SENTINEL_PORT) for url in urls),
        _database(Url("", None, None, "", None, path, query), refuse, path),
        next((url.user for url in urls if url.user), None),
        next((url.password for url in urls if url.password), None),
        tls=tls_options(query, refuse) if secure else None,
        master=query["master_name"],
        sentinel_login={
            name.removeprefix("sentinel_"): query[name] for name in SENTINEL_PARAMETERS[1:] if name in query
        },
    )


def _host(url: Url, refuse: Refuse) -> str:
    if not url.host:
        raise refuse("names no host")
    return url.host


def _database(url: Url, refuse: Refuse, path: str = "") -> int:
    named = [text for text in (path.strip("/"), *(url.query.get(name, "") for name in DATABASE)) if text]
    named = [text.strip("/") for text in named]
    if len(set(named)) > 1:
        raise refuse("names two databases")
    if named and not (named[0].isascii() and named[0].isdecimal()):
        raise refuse("names a database that is no number: it is the path of the URL, as in redis://host/1")
    return int(named[0]) if named else 0
