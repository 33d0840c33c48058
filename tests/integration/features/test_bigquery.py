"""BigQuery's dialect compiles every statement of the offline tier. Not run against it."""

from collections import Counter

import numpy as np
import pytest
from sqlalchemy import Connection, Dialect, Table, create_mock_engine, event, insert
from sqlalchemy.sql import ClauseElement

from features.materializing import Materializer
from features.offline.batch_tables import batch_table
from features.offline.join import point_in_time
from features.offline.store import open_offline
from features.offline.tables import METADATA
from features.reading import Span
from features.retail import DEFINITIONS, PRODUCT_CATALOGUE
from tests.integration.features.made import CUSTOMERS, NOW, TENANT, TOPIC, batch, order

bigquery = pytest.importorskip("sqlalchemy_bigquery.base", reason="signalbox[bigquery] is not installed")

DIALECT: Dialect = bigquery.BigQueryDialect()
TABLES = (*METADATA.sorted_tables, batch_table(PRODUCT_CATALOGUE))


class Shelf:
    """Takes whatever is put online."""

    def put_values(self, *_: object, **__: object) -> None:
        pass


@pytest.fixture(scope="module")
def statements(tmp_path_factory: pytest.TempPathFactory) -> list[ClauseElement]:
    """All that a store says to its database in its life, on SQLite."""
    store = open_offline(f"sqlite:///{tmp_path_factory.mktemp('bigquery') / 'features.db'}")
    said: list[ClauseElement] = []

    def listen(_: Connection, statement: ClauseElement, *__: object) -> None:
        said.append(statement)

    keys = [(TENANT, "c-1"), ("other", "c-2")]
    store.create()
    store.batch.create(PRODUCT_CATALOGUE)
    event.listen(store.database.engine, "before_execute", listen)
    store.declare(DEFINITIONS)
    store.commit(batch(order(0)))
    store.commit(batch(order(1), base=1))
    store.append_history([order(0, name="old")])
    store.append_history([order(0, name="older")])
    store.positions(TOPIC)
    store.touched_since(TOPIC, 0, 0)
    store.entities(CUSTOMERS, 0, 10)
    store.told(CUSTOMERS, keys[0], 10)
    store.rows(CUSTOMERS, keys)
    store.rows_within(CUSTOMERS, [Span(keys[0], 1, 2)])
    store.batch.add(PRODUCT_CATALOGUE, [((TENANT, "sku-1"), NOW, {})])
    store.batch_rows(PRODUCT_CATALOGUE, keys)
    store.batch.versions(PRODUCT_CATALOGUE, keys)
    Materializer(store.batch, Shelf()).run(PRODUCT_CATALOGUE)
    Materializer(store.batch, Shelf()).pending(PRODUCT_CATALOGUE)
    point_in_time(
        store, DEFINITIONS, ["order_count"], {"customer": ["c-1"]}, np.array([NOW]), tenant_id=TENANT
    )
    store.close()
    return said


def test_every_statement_of_a_store_compiles(statements: list[ClauseElement]) -> None:
    compiled = {str(statement.compile(dialect=DIALECT)) for statement in statements}
    verbs = Counter(statement.split()[0] for statement in compiled)
    assert verbs.keys() == {"SELECT", "WITH", "INSERT", "UPDATE"}
    assert verbs["SELECT"] >= 18


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_rows_can_be_added_to_each_table(table: Table) -> None:
    columns = ", ".join(f"`{name}`" for name in table.columns.keys())  # noqa: SIM118  # no mapping
    assert str(insert(table).compile(dialect=DIALECT)).startswith(f"INSERT INTO `{table.name}` ({columns})")


def test_tables_are_made_without_what_bigquery_lacks() -> None:
    made: list[str] = []
    engine = create_mock_engine("bigquery://", lambda ddl, *_: made.append(str(ddl.compile(dialect=DIALECT))))
    for table in TABLES:
        table.create(engine, checkfirst=False)
    assert len(made) == len(TABLES)
    assert not [ddl for ddl in made if "INDEX" in ddl or "UNIQUE" in ddl or "ROWID" in ddl]
