"""A stack knows whether its past was counted to the end."""

from pathlib import Path

import pytest

from features.offline.batch import StreamEvent
from features.offline.store import open_offline
from features.pipeline.reading import Record, read_record
from features.retail import DEFINITIONS
from stack.history import past_events
from stack.past import counting_a_past, knows_a_past
from stack.retail import FIRST_DAY, Retail

SHOP = Retail(customers=5, terminals=50)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": f"sqlite:///{tmp_path}/features.db"}


def count_some(env: dict[str, str]) -> None:
    """What a backfill commits first."""
    store = open_offline(env["DATABASE_URL"])
    store.create(DEFINITIONS)
    sent = next(past_events(SHOP, FIRST_DAY, days=1))
    event = read_record(Record(1, sent.at, sent.value, sent.headers), DEFINITIONS)
    assert isinstance(event, StreamEvent)
    store.append_history([event])
    store.close()


def count_all(env: dict[str, str], *, interrupted: bool) -> None:
    with counting_a_past(env):
        count_some(env)
        if interrupted:
            raise KeyboardInterrupt


def interrupted(env: dict[str, str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        count_all(env, interrupted=True)


def finished(env: dict[str, str]) -> None:
    count_all(env, interrupted=False)


def test_a_new_store_knows_no_past(env: dict[str, str]) -> None:
    assert not knows_a_past(env)


def test_a_past_that_was_counted_to_its_end_is_known(env: dict[str, str]) -> None:
    finished(env)
    assert knows_a_past(env)


def test_a_past_that_an_operator_counted_is_known(env: dict[str, str]) -> None:
    count_some(env)
    assert knows_a_past(env)


def test_a_past_whose_counting_was_interrupted_is_none_until_it_is_counted_anew(env: dict[str, str]) -> None:
    interrupted(env)
    assert not knows_a_past(env)
    interrupted(env)
    assert not knows_a_past(env)
    finished(env)
    assert knows_a_past(env)
