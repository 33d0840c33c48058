"""Which databases Signalbox writes to."""

from types import SimpleNamespace
from typing import Any

import pytest

from events.errors import ConfigError
from transport import migration
from transport.database import Database


def test_nothing_is_counted_into_a_database_that_enforces_no_keys() -> None:
    engine: Any = SimpleNamespace(dialect=SimpleNamespace(name="bigquery"))
    with pytest.raises(ConfigError, match=r"bigquery enforces no keys, .* point DATABASE_URL to PostgreSQL"):
        migration.prepare(Database(engine))
