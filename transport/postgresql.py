"""A psycopg connection that waits no longer than a limit, for a server that does not answer at all.

`statement_timeout` is the server's: a process that is frozen never acts on it, and its kernel goes on
acknowledging what TCP sends.
"""

from collections.abc import Generator
from time import monotonic
from typing import Any, cast

import psycopg
from psycopg.abc import PQGen


class BoundedConnection(psycopg.Connection[Any]):
    """Gives up after `answer_s` seconds without an answer, and closes: what comes later is dropped."""

    answer_s = 5.0

    def wait(self, gen: PQGen[Any], *args: Any, **kwargs: Any) -> Any:
        """As psycopg waits. Raises `OperationalError` if the bound is exceeded."""
        bounded = cast("PQGen[Any]", _bounded(gen, monotonic() + self.answer_s, self.answer_s))
        try:
            return super().wait(bounded, *args, **kwargs)
        except _NoAnswer:
            self.close()
            raise


class _NoAnswer(psycopg.OperationalError):
    pass


def _bounded(gen: PQGen[Any], deadline: float, answer_s: float) -> Generator[Any, Any, Any]:
    """The same conversation with the server, until the deadline; psycopg looks in ten times a second."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and monotonic() > deadline:
                raise _NoAnswer(f"no answer from PostgreSQL for {answer_s:g} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value
