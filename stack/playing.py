"""Plays a programme beside whatever else this process does, and knows the truth about what it sent."""

import threading

from events.errors import SignalboxError
from stack.emission import Emission
from stack.player import Played, play
from stack.programme import Programme
from transport.cluster import Bootstrap


class Playing:
    """A thread that sends. It enters into `truth`, by event id, whether an order is a fraud.

    Into `flooded` it enters the ids of what it sends while a flood lasts.
    """

    def __init__(
        self,
        programme: Programme,
        bootstrap: Bootstrap,
        rate: float,
        truth: dict[str, bool],
        flooded: set[str],
    ) -> None:
        self.sent = 0
        self._truth = truth
        self._flooded = flooded
        self._programme = programme
        self._bootstrap = bootstrap
        self._speed = programme.span_s * rate / len(programme.emissions)
        self._stop = threading.Event()
        self._played: Played | None = None
        self._error: SignalboxError | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Playing":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def done(self) -> bool:
        """Whether all is sent, and Kafka has acknowledged it."""
        return not self._thread.is_alive()

    def acknowledged(self) -> int:
        """How many records Kafka holds. Call it when done; raises what went wrong."""
        if self._error is not None:
            raise self._error
        return self._played.acknowledged if self._played else 0

    def _run(self) -> None:
        try:
            self._played = play(
                self._programme.emissions,
                self._bootstrap,
                speed=self._speed,
                stop=self._stop,
                on_sent=self._note,
            )
        except SignalboxError as error:
            self._error = error

    def _note(self, emission: Emission) -> None:
        if emission.fraud is not None:
            self._truth[emission.event_id] = emission.fraud > 0
        if self._programme.in_flood(emission.at):
            self._flooded.add(emission.event_id)
        self.sent += 1
