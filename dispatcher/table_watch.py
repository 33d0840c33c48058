"""Which routing table is in force: a good one is taken whole, for a bad one the last good one stays."""

import logging
from collections.abc import Callable
from pathlib import Path

import routing
from events.errors import ConfigError, Unavailable
from routing import Rules, Table
from routing.code_age import changed_since_start, restart_hint
from routing.task_names import task_problems
from transport import metrics

_log = logging.getLogger(__name__)

Signature = tuple[tuple[int, int, int] | None, ...]


class TableWatch:
    """Watches the table's and the catalogue's file. Read by every thread of a dispatcher, checked by one.

    `prepare` makes ready what a table needs, its topics say, before it decides on anything. It may raise
    `Unavailable`: the table is then taken at a later check.
    """

    def __init__(
        self, table_path: Path, workflows_path: Path, prepare: Callable[[Rules], None] = lambda _: None
    ) -> None:
        """Raises `ConfigError` if the first table is bad, and `Unavailable`."""
        self._paths = (table_path, workflows_path)
        self._prepare = prepare
        self._seen = self._signature()
        self._rules = self._load()
        prepare(self._rules)
        metrics.TABLE_INFO.labels(self._rules.table.hash).set(1)

    @property
    def rules(self) -> Rules:
        """The rules in force. Ask between two batches, and decide on a whole batch by the answer."""
        return self._rules

    @property
    def table(self) -> Table:
        """The routing table in force."""
        return self._rules.table

    def check(self) -> bool:
        """Look at the files once; true if a new table or catalogue was taken."""
        signature = self._signature()
        if signature == self._seen:
            return False
        try:
            rules = self._load()
            self._prepare(rules)
        except ConfigError as error:
            self._seen = signature
            metrics.TABLE_RELOADS.labels("refused").inc()
            hint = restart_hint(changed_since_start())
            _log.error("refused, table %s stays in force:\n%s\n%s", self._rules.table.hash, error, hint)
            return False
        except Unavailable as error:
            _log.warning("table %s stays in force for now: %s", self._rules.table.hash, error)
            return False
        except Exception:  # noqa: BLE001 - the outermost step of the watch: no file may end a dispatcher
            self._seen = signature
            metrics.TABLE_RELOADS.labels("refused").inc()
            _log.exception(
                "refused, table %s stays in force: its files could not be read", self._rules.table.hash
            )
            return False
        self._seen = signature
        self._take(rules)
        return True

    def _load(self) -> Rules:
        rules = routing.load(*self._paths)
        # a misspelt task would be sent to workers that have none of that name
        if problems := task_problems(rules.catalogue, str(self._paths[1])):
            raise ConfigError(problems)
        return rules

    def _take(self, rules: Rules) -> None:
        before, self._rules = self._rules, rules
        metrics.TABLE_RELOADS.labels("taken").inc()
        metrics.TABLE_INFO.remove(before.table.hash)
        metrics.TABLE_INFO.labels(rules.table.hash).set(1)
        _log.info("routing table %s is in force, was %s", rules.table.hash, before.table.hash)

    def _signature(self) -> Signature:
        return tuple(map(_stat, self._paths))


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
