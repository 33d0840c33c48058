"""What several folders ask for: a database of each kind, and a model registry."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from events.timeliness import OLDEST_DAYS
from stack.embedded import free_port, mlflow, running
from tests import services

MLFLOW_START_S = 90


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


@pytest.fixture(scope="session")
def mlflow_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real MLflow server; what it knows stays for the whole run: take names of models from `unique`."""
    folder = tmp_path_factory.mktemp("mlflow")
    with running(mlflow(free_port(), folder / "data"), folder / "log", MLFLOW_START_S) as url:
        yield url


@pytest.fixture(autouse=True, scope="session")
def events_of_any_day() -> Iterator[None]:
    """The events of these tests happened on a fixed day, which the commands that are run take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGNALBOX_EVENT_AGE_DAYS", str(OLDEST_DAYS))
        yield
