"""kombu's Redis transport, without the two ways in which it ends a worker.

An item of a list that kombu cannot read as a message would end it and be lost: it is wrapped as a message
that names no task. A channel whose connection was lost can still give back and acknowledge what it holds.
"""

import base64
import binascii
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType, SimpleNamespace
from typing import Annotated, Any, Literal
from uuid import uuid4

import msgspec
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis
from kombu.utils.json import loads
from msgspec import Meta
from redis import Redis

Text = Annotated[str, Meta(min_length=1)]

UNREADABLE = (
    msgspec.MsgspecError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""What JSON, base64, and the constructors of the types that kombu's JSON knows may raise."""


class _DeliveryInfo(msgspec.Struct):
    exchange: str
    routing_key: Text


class _Properties(msgspec.Struct):
    delivery_tag: Text
    delivery_info: _DeliveryInfo
    body_encoding: Literal["base64", "utf-8"] | None = None


class _Envelope(msgspec.Struct):
    """What kombu's Redis transport wraps around a body, as far as it acts on it."""

    properties: _Properties
    body: Any = None
    headers: dict[str, Any] | None = None


def is_envelope(item: bytes) -> bool:
    """Whether kombu can read this item of a list."""
    try:
        # kombu's own decoder: what it reads tells more than any other's judgement of the bytes
        envelope = msgspec.convert(loads(item), _Envelope)
        body = envelope.body
        if body and envelope.properties.body_encoding == "base64":
            binascii.a2b_base64(body)
    except UNREADABLE:
        return False
    return body is None or isinstance(body, str | bytes)


def wrapped(item: bytes, queue: str) -> bytes:
    """An envelope that kombu can read, around bytes that are none. It names no task."""
    return msgspec.json.encode(
        {
            "body": base64.b64encode(item).decode("ascii"),
            "content-type": "application/octet-stream",
            "content-encoding": "binary",
            "headers": {},
            "properties": {
                "delivery_tag": str(uuid4()),
                "delivery_info": {"exchange": "", "routing_key": queue},
                "body_encoding": "base64",
            },
        }
    )


class _Client(Redis):
    """Hands kombu's consumer only what it can read."""

    def __init__(self, *args: Any, separator: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._separator = separator.encode()

    def parse_response(self, connection: Any, command_name: str, **options: Any) -> Any:
        """Called by kombu for each answer of Redis."""
        answer = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name == "BRPOP" and answer and not is_envelope(answer[1]):
            queue = answer[0].partition(self._separator)[0].decode("utf-8", "replace")
            return answer[0], wrapped(answer[1], queue)
        return answer


class Channel(kombu_redis.Channel):
    """kombu's, reading through `_Client`."""

    _shared: Redis | None = None
    _reached: Mapping[bool, Mapping[str, Any]] = MappingProxyType({})

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        """Where Redis is: of a channel whose connection was dropped, where it was.

        Celery drops a lost connection before it closes the channels that are on it, and these give back what
        they hold, or acknowledge it later. kombu asks the connection for its host by then, and the
        `AttributeError` ends the worker.
        """
        if self.connection is not None and self.connection.client is not None:
            here = super()._connparams  # type: ignore[misc]  # its stubs leave it out
            self._reached = MappingProxyType({flag: here(flag) for flag in (False, True)})
        return dict(self._reached[asynchronous])

    def _get_client(self) -> Any:
        # kombu's checks the version of redis-py
        super()._get_client()  # type: ignore[misc]  # its stubs leave it out
        return partial(_Client, separator=self.sep)

    def _create_client(self, asynchronous: bool = False) -> Any:
        """Called for each command: kombu makes a client for each, which costs more than most commands do."""
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]  # its stubs leave it out
        if self._shared is None or self._shared.connection_pool is not self.pool:
            self._shared = super()._create_client()  # type: ignore[misc]
        return self._shared


class SentinelChannel(Channel, kombu_redis.SentinelChannel):
    """kombu's by Sentinels, reading through `_Client`."""

    _client_seen: Any = None

    def _sentinel_managed_pool(self, asynchronous: bool = False) -> Any:
        """The master's connections; of a channel whose connection was dropped, by the Sentinels it had."""
        connection = self.connection
        if connection is not None and connection.client is not None:
            self._client_seen = connection.client
        stand_in: Any = SimpleNamespace(client=self._client_seen, default_port=SentinelTransport.default_port)
        self.connection = stand_in  # kombu asks it for the list of Sentinels
        try:
            return super()._sentinel_managed_pool(asynchronous)  # type: ignore[misc]  # its stubs leave it out
        finally:
            self.connection = connection


class Transport(kombu_redis.Transport):
    """kombu's, with channels that read through `_Client`."""

    Channel = Channel


class SentinelTransport(kombu_redis.SentinelTransport):
    """kombu's by Sentinels, with channels that read through `_Client`."""

    Channel = SentinelChannel


def install() -> None:
    """Let the schemes of Redis mean these transports, from the next connection of the process on."""
    # the setting `broker_transport` would do it too, and show the class in the place of the URL's scheme
    TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), f"{__name__}:{Transport.__name__}"))
    TRANSPORT_ALIASES["sentinel"] = f"{__name__}:{SentinelTransport.__name__}"
