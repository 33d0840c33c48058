"""The forms of a Redis URL against real servers: for the feature store, the dispatcher and a worker."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kombu import Message

from dispatcher.broker import CeleryBroker, task_id_of
from events.errors import Unavailable
from events.lane import decode_batch
from events.priority import Priority
from tasks import redis_transport
from tasks.configuration import settings
from tests import services
from tests.faults.processes import Child, accepts, free_port, wait_until
from tests.integration.dispatcher.test_broker import TASK, batch
from tests.integration.secured.certificates import Authority
from tests.unit.tasks.test_policy import spec
from transport.queues import celery_queue
from transport.redis_address import connect_redis

PASSWORD, ENCODED = "p/w#1;2", "p%2Fw%231%3B2"
START_S = 30


@dataclass(frozen=True)
class Servers:
    """A Redis that is reached over TCP, TLS and a socket, and a Sentinel that watches it as `shop`."""

    tcp: int
    tls: int
    sentinel: int
    folder: Path
    redis: Child

    def urls(self, database: int) -> dict[str, str]:
        """One URL of each form."""
        login, pem = f"app:{ENCODED}@", f"ssl_ca_certs={self.folder}/tests.ca.pem"
        return {
            "database by path": f"redis://{login}127.0.0.1:{self.tcp}/{database}",
            "virtual_host": f"redis://{login}127.0.0.1:{self.tcp}?virtual_host={database}",
            "upper case": f"REDIS://{login}127.0.0.1:{self.tcp}/{database}",
            "Valkey": f"valkey://{login}127.0.0.1:{self.tcp}/{database}",
            "TLS": f"rediss://{login}127.0.0.1:{self.tls}/{database}?{pem}",
            "TLS, Celery's spelling": (
                f"rediss://{login}127.0.0.1:{self.tls}/{database}?{pem}&ssl_cert_reqs=CERT_REQUIRED"
            ),
            "TLS, unverified": f"rediss://{login}127.0.0.1:{self.tls}/{database}?ssl_cert_reqs=none",
            "socket": f"redis+socket://{login}{self.folder}/redis.sock?virtual_host={database}",
            "Sentinel": (
                f"sentinel://{login}127.0.0.1:{self.sentinel}/{database}"
                "?master_name=shop&sentinel_password=watch"
            ),
            "Sentinels of which one is away": (
                f"sentinel://{login}127.0.0.1:1/{database};sentinel://127.0.0.1:{self.sentinel}"
                "?master_name=shop&sentinel_password=watch"
            ),
        }


FORMS = tuple(Servers(0, 0, 0, Path(), None).urls(0))  # type: ignore[arg-type]  # for their names


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Started for this module. Skips on a machine without Redis, fails in CI."""
    binary = shutil.which("redis-server")
    if binary is None:
        message = "redis-server is not installed: apt-get install redis-server"
        if services.required():
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("redis")
    authority = Authority(folder)
    signed = authority.sign("server")
    tcp, tls, watching = free_port(), free_port(), free_port()
    (folder / "redis.conf").write_text(
        f"bind 127.0.0.1\nport {tcp}\ntls-port {tls}\nunixsocket {folder}/redis.sock\n"
        f"tls-cert-file {signed.certificate}\ntls-key-file {signed.key}\n"
        f"tls-ca-cert-file {authority.certificate}\ntls-auth-clients no\n"
        f'user app on ">{PASSWORD}" ~* &* +@all\nuser default off\nsave ""\ndir {folder}\n'
    )
    (folder / "sentinel.conf").write_text(
        f"bind 127.0.0.1\nport {watching}\nrequirepass watch\ndir {folder}\n"
        f"sentinel monitor shop 127.0.0.1 {tcp} 1\n"
        f'sentinel auth-user shop app\nsentinel auth-pass shop "{PASSWORD}"\n'
    )
    redis = Child("redis", [binary, str(folder / "redis.conf")], folder / "redis.log")
    sentinel = Child(
        "sentinel", [binary, str(folder / "sentinel.conf"), "--sentinel"], folder / "sentinel.log"
    )
    try:
        for child, port in ((redis, tcp), (sentinel, watching)):
            child.start()
            wait_until(lambda port=port: accepts(port), START_S, child.name)  # type: ignore[misc]  # a lambda's default
        yield Servers(tcp, tls, watching, folder, redis)
    finally:
        sentinel.kill()
        redis.kill()


@pytest.mark.parametrize("form", FORMS)
def test_both_halves_meet_on_one_redis_by_one_url(form: str, servers: Servers) -> None:
    url, queue = servers.urls(3)[form], services.unique_name("ml.fraud.input")
    with closing(CeleryBroker(url)) as broker:
        for offset, priority in enumerate((Priority.LOW, Priority.HIGH)):
            one = batch(queue, 1, offset)
            broker.send(queue, priority, TASK, one, task_id_of(one))
        waiting = broker.depth(queue).waiting
        assert {priority for priority, number in waiting.items() if number} == {Priority.LOW, Priority.HIGH}
        assert worked(url, queue, 2) == [1, 0]
        wait_until(lambda: not sum(broker.depth(queue).waiting.values()), 10, "nothing waits")


def worked(url: str, queue: str, count: int) -> list[int]:
    """The offsets of the messages that a worker of this URL gets, in the order in which it gets them."""
    offsets: list[int] = []

    def take(_body: object, message: Message) -> None:
        offsets.append(decode_batch(*message.payload[0]).records[0].lane.offset)
        message.ack()

    redis_transport.install()
    app = Celery("worker", set_as_current=False)
    app.conf.update(settings(url, [spec(name=queue)], {}))
    with app.connection_for_read() as connection:
        channel: Any = connection.channel()
        channel.basic_qos(0, 1, False)
        with connection.Consumer([celery_queue(queue)], channel=channel, callbacks=[take]):
            while len(offsets) < count:
                connection.drain_events(timeout=10)
    return offsets


@pytest.mark.parametrize("form", FORMS)
def test_the_stores_client_reaches_the_same_database(form: str, servers: Servers) -> None:
    name = services.unique_name("key")
    with connect_redis(servers.urls(3)["database by path"]) as plain:
        plain.set(name, "1", ex=60)
        with connect_redis(servers.urls(3)[form], socket_timeout=5, socket_connect_timeout=5) as client:
            assert client.get(name) == b"1"


def test_neither_half_sends_its_login_to_a_server_that_it_cannot_verify(servers: Servers) -> None:
    url = f"rediss://app:{ENCODED}@127.0.0.1:{servers.tls}/3"
    with closing(CeleryBroker(url)) as broker, pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        broker.depth("q")
    app = Celery("worker", set_as_current=False)
    app.conf.update(settings(url, [spec()], {}))
    with app.connection_for_read() as connection, pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, interval_max=0)


def test_a_master_that_hangs_is_waited_for_no_longer_than_another_redis(servers: Servers) -> None:
    servers.redis.signal_all(signal.SIGSTOP)
    try:
        with (
            closing(CeleryBroker(servers.urls(3)["Sentinel"], timeout=1)) as broker,
            pytest.raises(Unavailable),
        ):
            broker.depth("q")
    finally:
        servers.redis.signal_all(signal.SIGCONT)
