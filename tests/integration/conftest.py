"""One suite, two databases: each test that asks for `offline_url` runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from tests import services


@pytest.fixture(params=["sqlite", "postgresql"])
def offline_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of its own for each test; PostgreSQL where DATABASE_URL names one."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'features.db'}"
        return
    url = make_url(request.getfixturevalue("database_url"))
    if url.get_backend_name() != "postgresql":
        pytest.skip("DATABASE_URL names no PostgreSQL")
    schema = services.unique_name("features").replace(".", "_")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    own = url.update_query_dict({"options": f"-csearch_path={schema}"})
    yield own.render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()
