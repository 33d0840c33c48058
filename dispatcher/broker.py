"""How a batch gets onto a Celery queue, and how much waits there already. Knows no task but its name."""

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Protocol

import msgspec
from amqp.exceptions import AMQPError
from celery import Celery
from kombu import Connection
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from dispatcher.depth import Attribution
from dispatcher.feeding import Depth
from dispatcher.lengths import RedisLengths
from events.decision import lane_topic
from events.errors import Unavailable
from events.lane import Batch, encode_batch
from events.priority import Priority
from events.seal import Seal
from transport import amqp_tls
from transport.broker_url import parse_broker
from transport.priorities import number
from transport.queues import DEFAULT_EXCHANGE, celery_queue, transport_options
from transport.retrying import RetryTally

PERSISTENT = 2
# a broker that owes a confirmation for longer is asked anew over another connection
CONFIRM_WITHIN_S = 300.0
# retries pause for a second and more: their number is not worth a round trip at every look
RETRYING_FOR_S = 0.05

_encode = msgspec.json.Encoder().encode


class Broker(Protocol):
    """What a feeder and the reconciler ask of a Celery broker. Every call ends within a bounded time."""

    @property
    def look_again_ms(self) -> int:
        """How soon it is worth asking for the depth again."""

    def depth(self, queue: str) -> Depth:
        """What stands on a queue. Raises `Unavailable`."""

    def send(self, queue: str, priority: Priority, task: str, batch: Batch, task_id: str) -> None:
        """Put one message on a queue; returns once the broker has it.

        Raises `Unavailable` if that is not certain. The broker may have it all the same.
        """

    def close(self) -> None:
        """Let go of the connection."""


def task_id_of(batch: Batch) -> str:
    """The id of a batch's message, by its first record: `ml.fraud.input.high[3]@1200+256`."""
    return f"{batch.records[0].lane}+{len(batch)}"


class CeleryBroker:
    """Redis or RabbitMQ by URL, over one connection that is made when first needed.

    Not thread-safe: one per thread. After any failure the connection is dropped without a farewell, which a
    hung broker would not answer: what was half said on it cannot be mistaken for the answer to a later call.
    """

    def __init__(
        self, url: str, tally: RetryTally | None = None, timeout: float = 5, seal: Seal | None = None
    ) -> None:
        """`timeout` (seconds) bounds each exchange with the broker. Raises `ConfigError` for the URL."""
        self._url = url
        self._tally = tally
        self._timeout = timeout
        self._seal = seal or Seal()
        self._address = parse_broker(url)
        # it only makes messages
        self._celery = Celery("signalbox-dispatcher", set_as_current=False)
        self._counted: dict[str, tuple[float, int]] = {}
        self._attribution: dict[str, Attribution] = defaultdict(Attribution)
        self._declared: set[str] = set()
        self._returned = False
        self._unconfirmed_since: float | None = None
        self._connection: Connection | None = None
        self._channel: Any = None
        self._lengths = RedisLengths() if self._address.is_redis else None
        if self._lengths is None:
            amqp_tls.install()
        self._pid = os.getpid()

    @property
    def look_again_ms(self) -> int:
        """A look costs RabbitMQ several times what it costs Redis."""
        return 1 if self._address.is_redis else 3

    def depth(self, queue: str) -> Depth:
        """Messages that wait by priority, and tasks held back for a retry. Raises `Unavailable`."""
        retrying = self._retrying(queue)
        with self._reaching():
            if self._lengths is not None:
                # by the very settings that messages are sent with: TLS, login, the Sentinels' master of now
                pool = (self._channel or self._connect()).pool
                return Depth(self._lengths.of(queue, pool), retrying)
            total = self._ready(queue).queue_declare(queue, passive=True).message_count
            return Depth(self._attribution[queue].waiting(total), retrying)

    def send(self, queue: str, priority: Priority, task: str, batch: Batch, task_id: str) -> None:
        """Publish one task whose only argument is the encoded batch. Raises `Unavailable`."""
        shown = f"{len(batch)} records of {lane_topic(queue, priority)}, from {batch.records[0].lane}"
        message = self._celery.amqp.as_task_v2(
            task_id, task, argsrepr=shown, kwargsrepr="{}", ignore_result=True
        )
        argument = self._seal.sign(encode_batch(batch))
        body = _encode(((argument,), {}, message.body[2])).decode()
        with self._reaching():
            channel = self._ready(queue)
            # not through kombu's Producer: it makes bytes of a body that is encoded already
            envelope = channel.prepare_message(
                body,
                number(priority, self._url),
                "application/json",
                "utf-8",
                message.headers,
                {**message.properties, "delivery_mode": PERSISTENT},
            )
            self._unconfirmed_since = monotonic()
            channel.basic_publish(
                envelope, DEFAULT_EXCHANGE, queue, mandatory=True, confirm_timeout=self._timeout
            )
            self._unconfirmed_since = None
            if self._returned:
                # RabbitMQ confirms a message whose queue was deleted, after handing it back
                raise OSError(f"queue {queue} is gone; it is declared anew")
        self._attribution[queue].on_sent(priority)

    def close(self) -> None:
        """Let go of the connection. The next call makes another."""
        connection = self._connection
        if self._lengths is not None:
            self._lengths.close()
        self._forget()
        if connection is not None:
            connection.collect(socket_timeout=0.1)

    def _retrying(self, queue: str) -> int:
        now = monotonic()
        counted_at, count = self._counted.get(queue, (-RETRYING_FOR_S, 0))
        if self._tally is not None and now >= counted_at + RETRYING_FOR_S:
            count = self._tally.count(queue)
            self._counted[queue] = (now, count)
        return count

    def _ready(self, queue: str) -> Any:
        """A channel on a living connection, with the queue declared."""
        channel = self._channel or self._connect()
        if queue not in self._declared:
            celery_queue(queue)(channel).declare()
            self._declared.add(queue)
        return channel

    def _connect(self) -> Any:
        options = transport_options(self._url, self._timeout, self._timeout)
        self._connection = Connection(
            self._address.url, ssl=self._address.tls or False, transport_options=options, heartbeat=0
        )
        # kombu's own pauses between attempts would hold up the lanes: the feeder knows when to try again
        self._connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, interval_max=0)
        self._channel = self._connection.channel()
        if self._lengths is None:
            self._channel.events["basic_return"].add(self._on_return)
            for answer in ("basic_ack", "basic_nack"):
                self._channel.events[answer].add(self._on_confirm)
        return self._channel

    def _on_return(self, _error: Exception, _exchange: str, _routing_key: str, _message: object) -> None:
        self._returned = True

    def _on_confirm(self, *_: object) -> None:
        self._unconfirmed_since = None

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        if os.getpid() != self._pid:
            # a connection inherited over a fork is the parent's: never close it
            self._forget()
            self._pid = os.getpid()
        try:
            self._await_confirm()
            yield
        except TimeoutError as error:
            if not self._may_be_confirmed():
                self.close()
            raise Unavailable("celery broker", error) from error
        except (OSError, RedisError, AMQPError, KombuError) as error:
            self.close()
            raise Unavailable("celery broker", error) from error

    def _await_confirm(self) -> None:
        """Wait for the answer to what was published last, if it is still owed.

        RabbitMQ reads nothing more from a connection that publishes during a memory alarm, and takes what has
        come over it once the alarm is over: an attempt over a new connection would be one message more.
        """
        while self._connection is not None and self._unconfirmed_since is not None:
            self._connection.drain_events(timeout=self._timeout)

    def _may_be_confirmed(self) -> bool:
        since = self._unconfirmed_since
        return since is not None and self._lengths is None and monotonic() < since + CONFIRM_WITHIN_S

    def _forget(self) -> None:
        self._connection = self._channel = self._unconfirmed_since = None
        if self._lengths is not None:
            self._lengths.forget()
        self._declared.clear()
        self._returned = False
