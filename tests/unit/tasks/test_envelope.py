"""Validation of Celery messages."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.envelope import fault_of

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)
CLOCKED = "tasks.nightly.watch"
KNOWN = frozenset({"tasks.fraud.score", CLOCKED})
BODY = json.dumps([["argument"], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
HEADERS: dict[str, Any] = {
    "lang": "py",
    "task": "tasks.fraud.score",
    "id": "ml.fraud.input.high[3]@1200+256",
    "shadow": None,
    "eta": None,
    "expires": None,
    "group": None,
    "group_index": None,
    "retries": 0,
    "timelimit": [None, None],
    "root_id": "r",
    "parent_id": None,
    "argsrepr": "-",
    "kwargsrepr": "-",
    "origin": "gen1@host",
    "ignore_result": True,
    "replaced_task_nesting": 0,
    "stamped_headers": None,
    "stamps": {},
}


def fault(
    headers: Any = None,
    body: bytes | str = BODY,
    content_type: object = "application/json",
    content_encoding: object = "utf-8",
) -> str | None:
    """What is wrong with a message that is as Celery writes it but for this."""
    said = {**HEADERS, **(headers or {})}
    return fault_of(said, content_type, content_encoding, body, KNOWN, NOW, frozenset({CLOCKED}))


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param({}, BODY, id="as Celery writes it"),
        pytest.param({}, BODY.encode(), id="as it comes from RabbitMQ"),
        pytest.param({"retries": 2, "eta": "2027-01-15T08:00:04.5+00:00"}, BODY, id="a retry"),
        pytest.param({"eta": "2020-01-15T08:00:04"}, BODY, id="a retry whose time is long past"),
        pytest.param({"redelivered": True, "x-death": []}, BODY, id="what a broker adds"),
        pytest.param({"task": CLOCKED, "expires": "2027-01-15T08:01:00+00:00"}, BODY, id="what beat sends"),
        pytest.param({}, "[[1, 2], {}, null]", id="arguments that the task itself will refuse"),
    ],
)
def test_celery_can_run(headers: dict[str, Any], body: bytes | str) -> None:
    assert fault(headers, body) is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param({"headers": {"id": None}}, "id", id="no id: Celery would reconnect for ever"),
        pytest.param({"headers": {"id": ["x"]}}, "id", id="an id that is a list"),
        pytest.param({"headers": {"task": None}}, "task", id="no task"),
        pytest.param({"headers": {"task": {}}}, "task", id="a task that is a mapping"),
        pytest.param({"headers": {"task": "tasks.gone"}}, "no task tasks.gone here", id="an unknown task"),
        pytest.param({"body": b""}, "arguments", id="no body: Celery would end the worker"),
        pytest.param({"body": "{}"}, "arguments", id="a body of another shape"),
        pytest.param({"body": b"\xff"}, "arguments", id="a body that is no text"),
        pytest.param({"body": "[" * 100_000}, "arguments", id="a body without a bottom"),
        pytest.param(
            {"body": json.dumps([[], {}, {"chord": {}}])}, "chord", id="something that is to follow"
        ),
        pytest.param({"content_type": "application/x-python-serialize"}, "not JSON", id="a pickle"),
        pytest.param({"content_type": None}, "not JSON", id="no content type"),
        pytest.param({"content_encoding": "klingon"}, "klingon", id="an encoding that is none"),
        pytest.param({"headers": {"eta": "soon"}}, "no time", id="an eta that is no time"),
        pytest.param({"headers": {"eta": "9999-12-31T23:59:59-12:00"}}, "far", id="an eta beyond time"),
        pytest.param({"headers": {"eta": "2027-01-15T09:30:00"}}, "far", id="an eta that fills memory"),
        pytest.param({"headers": {"expires": "2020-01-01"}}, "expires", id="Celery would drop the event"),
        pytest.param(
            {"headers": {"task": CLOCKED, "expires": "soon"}}, "expires", id="an end that is no time"
        ),
        pytest.param({"headers": {"timelimit": [1]}}, "timelimit", id="a time limit that is none"),
        pytest.param({"headers": {"retries": "many"}}, "retries", id="retries that are no number"),
        pytest.param({"headers": {"stamped_headers": 5}}, "stamped_headers", id="stamps that are none"),
    ],
)
def test_celery_cannot_run(wrong: dict[str, Any], said: str) -> None:
    assert said in (fault(**wrong) or "nothing wrong")


SHORT = st.text(max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | SHORT | st.binary(max_size=20)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SHORT, inner, max_size=3)
)


@given(
    headers=st.dictionaries(st.sampled_from(sorted(HEADERS)) | st.text(max_size=9), VALUES, max_size=6),
    body=st.binary(max_size=60) | st.text(max_size=60) | VALUES.map(repr),
    content_type=SCALARS,
    content_encoding=SCALARS,
)
def test_whatever_comes_gets_an_answer(
    headers: dict[str, Any], body: bytes | str, content_type: object, content_encoding: object
) -> None:
    answer = fault_of(headers, content_type, content_encoding, body, KNOWN, NOW)

    assert answer is None or isinstance(answer, str)


@given(st.dictionaries(st.sampled_from(sorted(HEADERS)), VALUES, min_size=1, max_size=3))
def test_one_wrong_header_among_good_ones_gets_an_answer(changes: dict[str, Any]) -> None:
    answer = fault(changes)

    assert answer is None or isinstance(answer, str)
