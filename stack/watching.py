"""Reads every topic while a demonstration plays, for the balance and for the eye."""

import time

from confluent_kafka import Message

from dispatcher.lane_reader import feeder_group
from events.timeliness import ANY_AGE
from events.topics import EVENTS, PREDICTIONS
from monitoring.balance import Balance, strike
from monitoring.lags import LaneLags
from monitoring.ledger import Ledger
from monitoring.reading import LogReader, balance_topics, take
from routing import LaneSpec, Rules
from stack.scoreboard import Latencies, Rate, Scoreboard, read_seen
from stack.screen import Frame, LaneRow
from stack.services import served_lanes
from transport.cluster import Bootstrap

LAG_EVERY_S = 1.0
OWN = b'"source":"signalbox/'
"""What a part of Signalbox sends to the event topic says so."""


class Watching:
    """What is in Kafka, taken in as it comes. Use from one thread."""

    def __init__(self, rules: Rules, bootstrap: Bootstrap) -> None:
        self.truth: dict[str, bool] = {}
        self.flooded: set[str] = set()
        """The ids of events that were sent while a flood lasted: their answers are also counted apart."""
        self._rules = rules
        self._ledger = Ledger(rules.table, spans=ANY_AGE)
        self._board = Scoreboard(self.truth)
        self._flood_board = Scoreboard({})
        self._reader = LogReader(bootstrap, balance_topics(rules.catalogue.queues))
        self._lanes = served_lanes(rules)
        self._lags = LaneLags(bootstrap, [(lane.topic, feeder_group(lane.topic)) for lane in self._lanes])
        self._lag: dict[str, int] = {}
        self._lag_at = 0.0
        self._sent = Rate()
        self._began = time.monotonic()
        self._own = 0

    @property
    def read(self) -> int:
        """Source records taken in that a producer sent, and no part of Signalbox itself."""
        return self._ledger.read - self._own

    def take_history(self) -> int:
        """Take in what stood there before, for the balance only; how many source records that was."""
        for message in self._reader.read_all():
            self._enter(message)
        self._began = time.monotonic()
        return self.read

    def look(self, seconds: float) -> None:
        """Take in what comes within `seconds`. Raises `Unavailable`."""
        for message in self._reader.read(seconds):
            self._take(message)
        if (now := time.monotonic()) - self._lag_at > LAG_EVERY_S:
            self._lag, self._lag_at = self._lags.read(), now

    def look_to_the_end(self) -> None:
        """Take in all that there is. Raises `Unavailable`."""
        for message in self._reader.read_all():
            self._take(message)
        self._lag = self._lags.read()

    def _enter(self, message: Message) -> None:
        take(self._ledger, message)
        self._own += message.topic() == EVENTS and OWN in (message.value() or b"")

    def _take(self, message: Message) -> None:
        self._enter(message)
        if message.topic() == PREDICTIONS and (seen := read_seen(message.value())) is not None:
            self._board.on_prediction(seen, time.monotonic())
            if seen.source_event_id in self.flooded:
                self._flood_board.on_prediction(seen, time.monotonic())

    def balance(self) -> Balance:
        """The sum so far."""
        return strike(self._ledger, self._rules.catalogue)

    def lanes(self) -> tuple[LaneRow, ...]:
        """Every lane that has a worker."""
        return tuple(self._row(lane, self._board) for lane in self._lanes)

    def flooded_lanes(self) -> tuple[LaneRow, ...]:
        """The lanes that answered while a flood lasted, by those answers alone."""
        rows = (self._row(lane, self._flood_board) for lane in self._lanes)
        return tuple(row for row in rows if len(row.latencies))

    def _row(self, lane: LaneSpec, board: Scoreboard) -> LaneRow:
        key = (lane.queue, lane.priority)
        latencies = board.latencies.get(key, Latencies())
        return LaneRow(lane.topic, self._lag.get(lane.topic, 0), latencies, board.sla_ms.get(key, 0))

    def frame(self, sent: int, total: int) -> Frame:
        """What there is to show now."""
        now, ledger = time.monotonic(), self._ledger
        self._sent.add(sent - self._sent.total, now)
        return Frame(
            elapsed_s=now - self._began,
            sent=sent,
            total=total,
            sent_rate=self._sent.per_second(now),
            prediction_rate=self._board.predictions.per_second(now),
            predictions=self._board.predictions.total,
            open=ledger.open,
            lanes=self.lanes(),
            fraud=self._board.fraud,
            decisions=self._board.decisions,
            dead_letters=ledger.refused + ledger.letters,
            ignored=ledger.verdicts["ignored"],
            unrouted=ledger.verdicts["undeclared"],
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._reader.close()
        self._lags.close()
