"""What a worker takes from its queues: tasks, and whatever else was put there."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from celery.utils.log import get_logger
from celery.worker.consumer import Consumer as CeleryConsumer
from kombu.message import Message

from events.errors import DeadLetter
from events.lane import decode_record
from events.seal import Seal
from tasks.base import EventTask
from tasks.belonging import Belonging, Hold, RunHere, SendHome
from tasks.envelope import fault_of
from tasks.malformed import batch_in, disguise
from tasks.misplaced import hold, moves_of, send_home
from tasks.stopping import STOPPING

logger = get_logger(__name__)

HIDDEN = "********"
FLUSH_S = 0.2
"""How long events about tasks are gathered: one at a time they cost the main process half of its work."""


class Consumer(CeleryConsumer):
    """Celery's, with a look at each message before Celery acts on it. Named by `worker_consumer`."""

    class Blueprint(CeleryConsumer.Blueprint):  # type: ignore[misc,valid-type]  # not in its stubs
        """Celery's, but `celery inspect stats` and Flower are not shown what the Sentinels ask for."""

        def info(self, parent: Any) -> dict[str, Any]:
            """What each step says of itself."""
            info: dict[str, Any] = super().info(parent)
            broker = info.get("broker")
            if isinstance(broker, dict) and "sentinel_kwargs" in broker.get("transport_options", {}):
                options = {**broker["transport_options"], "sentinel_kwargs": HIDDEN}
                info["broker"] = {**broker, "transport_options": options}
            return info

    hub: Any
    gossip: Any
    event_dispatcher: Any
    _handle: Callable[[Message], Any]
    _flush_at = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if gossip := self.gossip:
            gossip.event_handlers = {kind: _surviving(each) for kind, each in gossip.event_handlers.items()}

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Message], Any]:
        """Called by Celery at each connection to the broker."""
        handle = super().create_task_handler(*args, **kwargs)
        known, may_expire = frozenset(self.app.tasks), self.clocked_tasks()
        belonging: Belonging = self.app.conf.signalbox_belonging

        def on_message(message: Message) -> Any:
            if self._moved(message, belonging):
                return handle(message)
            fault = fault_of(
                message.headers,
                message.content_type,
                message.content_encoding,
                message.body or b"",
                known,
                datetime.now(UTC),
                may_expire,
            )
            if fault is not None:
                self._disguise(message, fault)
            return handle(message)

        self._handle = handle
        return on_message

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        """Called by kombu where it cannot even decompress a message."""
        self._disguise(message, f"it cannot be decoded: {exc}")
        self._handle(message)

    def on_send_event_buffered(self) -> Any:
        """Called by Celery for each event about a task, of which it would publish every single one."""
        now = time.monotonic()
        if self.hub is None or STOPPING():
            super().on_send_event_buffered()
        elif now >= self._flush_at:
            self._flush_at = now + FLUSH_S
            self.hub.call_later(FLUSH_S, self.flush_events)

    def flush_events(self) -> None:
        """Publish what was gathered, as one message."""
        if self.event_dispatcher:
            self.event_dispatcher.flush()

    def _moved(self, message: Message, belonging: Belonging) -> bool:
        """Whether the message is not for this pool: it is then for a task that sends it on, or holds it."""
        task = message.headers.get("task") if isinstance(message.headers, dict) else None
        if not isinstance(task, str) or task.startswith("celery."):
            return False
        queue = str((message.delivery_info or {}).get("routing_key") or "")
        if queue in belonging.served and task in belonging.tasks[queue]:
            return False  # without a look into the body
        place = belonging.place(task, queue, _workflow_in(message), moves_of(message))
        match place:
            case RunHere(own):
                logger.warning("a message on %s is for %s, no task of ours: %s runs it", queue, task, own)
                message.headers = {**message.headers, "task": own}
            case SendHome():
                send_home(message, place)
            case Hold():
                hold(message, place)
        return isinstance(place, SendHome | Hold)

    def clocked_tasks(self) -> frozenset[str]:
        """Those that come by the clock and carry no events: what is lost of them comes again."""
        return frozenset(name for name, task in self.app.tasks.items() if not isinstance(task, EventTask))

    def _disguise(self, message: Message, fault: str) -> None:
        logger.error("malformed message on %s: %s", message.delivery_info.get("routing_key"), fault)
        disguise(message, fault)


def _surviving(handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What one worker hears of another must not end it: kombu fails at an election with one candidate."""

    def handle(message: Any) -> Any:
        try:
            return handler(message)
        except Exception:
            logger.exception("a message among workers was passed over")
            return None

    return handle


def _workflow_in(message: Message) -> str | None:
    """Of the events in a message; None if it has none."""
    body = message.body or b""
    raw = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else bytes(body)
    # only where it belongs is decided by this; the task that runs it looks at the signature
    batch = batch_in(raw, Seal())
    if batch is None:
        return None
    for fed in batch.records:
        try:
            return decode_record(fed.record).decision.workflow
        except DeadLetter:
            continue
    return None
