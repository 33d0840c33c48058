"""Redelivery: a record without an outcome is read from its lane and sent again, as its own message."""

import logging
from collections.abc import Sequence
from time import monotonic

from core.circuit_breaker import CircuitBreaker
from dispatcher.broker import Broker, task_id_of
from dispatcher.held import held
from dispatcher.lane_access import LaneAccess
from dispatcher.reconciling import Reconciling
from events.errors import Unavailable
from events.lane import Batch
from routing import LaneSpec
from transport import metrics
from transport.clock import Clock
from transport.group import Partition

AFTER_REFUSAL_S = 2.0

_log = logging.getLogger(__name__)


class FeedingAgain:
    """Sends what is due, each alone: one that killed its worker must not take its neighbours along."""

    def __init__(self, lanes: LaneAccess, broker: Broker, clock: Clock) -> None:
        self._lanes = lanes
        self._broker = broker
        self._clock = clock
        self._breaker = CircuitBreaker(AFTER_REFUSAL_S)

    @property
    def possible(self) -> bool:
        """False for a while after the broker refused."""
        return not self._breaker.is_open(monotonic())

    def feed(self, spec: LaneSpec, partition: Partition, due: Sequence[int], state: Reconciling) -> None:
        """Send the records at `due`. What could not be sent is due again. Raises `KafkaException`."""
        left = set(due)
        again = metrics.EVENTS_FED_AGAIN.labels(spec.topic)
        try:
            records, gaps = self._lanes.fetch(partition, due)
            first = self._lanes.first(*partition) if gaps else 0
            for offset in gaps:
                if offset < first:
                    state.on_lost(offset)
                else:
                    state.on_gap(offset)
            left.difference_update(gaps)
            for record in map(held, records):
                batch = Batch(self._clock(), (record.fed,))
                self._broker.send(spec.queue, spec.priority, spec.task, batch, f"{task_id_of(batch)}.again")
                left.remove(record.position.offset)
                again.inc()
        except Unavailable as error:
            self._breaker.on_failure(monotonic())
            _log.warning("%s: %s; %d records wait to be fed again", spec.topic, error, len(left))
        finally:
            state.on_refused(tuple(sorted(left)))
