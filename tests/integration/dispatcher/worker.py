"""A worker that does nothing but note which records it was given."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kombu import Connection, Message

from events.decision import Position
from events.lane import Batch, decode_batch, decode_record
from transport.queues import celery_queue, transport_options


class Worker:
    """What was received, in order."""

    def __init__(self, url: str, queue: str) -> None:
        self.batches: list[Batch] = []
        self._url = url
        self._queue = queue
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def positions(self) -> list[Position]:
        """Of every record received."""
        return [record.lane for batch in self.batches for record in batch.records]

    def event_ids(self, lane: str) -> set[str]:
        """Of the records received from a lane."""
        return {
            decode_record(record.record).event.event_id
            for batch in self.batches
            for record in batch.records
            if record.lane.topic == lane
        }

    def start(self) -> None:
        """Take messages from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(20)

    def _run(self) -> None:
        with Connection(self._url, transport_options=transport_options(self._url)) as connection:
            channel: Any = connection.channel()
            channel.basic_qos(0, 1, False)
            with connection.Consumer([celery_queue(self._queue)], channel=channel, callbacks=[self._take]):
                while not self._stop.is_set():
                    with suppress(TimeoutError):
                        connection.drain_events(timeout=0.1)

    def _take(self, _body: object, message: Message) -> None:
        self.batches.append(decode_batch(message.payload[0][0]))
        message.ack()


@contextmanager
def working(url: str, queue: str) -> Iterator[Worker]:
    """A worker that is stopped in the end."""
    worker = Worker(url, queue)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()
