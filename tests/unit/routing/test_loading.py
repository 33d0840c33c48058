"""Which routing tables and catalogues are taken, and what is said of the others."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from events.errors import ConfigError
from routing import Priority, Rules, load

CATALOGUE = """\
workflows:
  fraud-classifier:
    task: tasks.fraud.score
    queues:
      ml.fraud.input:
        {pool: prefork, concurrency: 2, soft_time_limit_s: 10, time_limit_s: 12, visibility_timeout_s: 15}
  churn-predictor:
    task: tasks.churn.predict
    served: false
    queues:
      ml.churn.input:
        {pool: threads, soft_time_limit_s: 30, time_limit_s: 45, visibility_timeout_s: 60, max_batch: 512}
"""
TABLE = """\
routes:
  order.placed:
    workflow: fraud-classifier
    priority: high
    sla_ms: 100
    queue: ml.fraud.input
"""

# as it stands in the project's description, to the letter
DESCRIBED = """\
routes:
  order.placed:
    workflow: fraud-classifier
    priority: high
    sla_ms: 100
    queue: ml.fraud.input
  inventory.restock_requested:
    workflow: demand-forecaster
    priority: standard
    sla_ms: 1800000
    queue: ml.forecast.input
  customer.inactive:
    workflow: churn-predictor
    priority: low
    sla_ms: 300000
    queue: ml.churn.input
  support.ticket.escalated:
    workflow: ai-support-agent
    priority: high
    sla_ms: 90000
    queue: ml.agent.input
  nightly.forecast.trigger:
    workflow: demand-forecaster
    priority: batch
    sla_ms: 3600000
    queue: ml.forecast.batch
"""

Loader = Callable[[str, str], Rules]


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    """Loads a table and a catalogue that are given as text, as `t.yaml` and `w.yaml`."""
    monkeypatch.chdir(tmp_path)

    def load_text(table: str, catalogue: str) -> Rules:
        Path("t.yaml").write_text(dedent(table))
        Path("w.yaml").write_text(dedent(catalogue))
        return load("t.yaml", "w.yaml")

    return load_text


def problems(loaded: Loader, table: str, catalogue: str = CATALOGUE) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(table, catalogue)
    return str(caught.value).splitlines()


def test_the_described_table_is_taken_as_it_stands(tmp_path: Path) -> None:
    table = tmp_path / "table.yaml"
    table.write_text(DESCRIBED)
    rules = load(table, "config/workflows.yaml")
    assert [(r.rule, r.workflow, r.priority.value, r.sla_ms, r.queue) for r in rules.table.all_routes] == [
        ("order.placed[0]", "fraud-classifier", "high", 100, "ml.fraud.input"),
        ("inventory.restock_requested[0]", "demand-forecaster", "standard", 1_800_000, "ml.forecast.input"),
        ("customer.inactive[0]", "churn-predictor", "low", 300_000, "ml.churn.input"),
        ("support.ticket.escalated[0]", "ai-support-agent", "high", 90_000, "ml.agent.input"),
        ("nightly.forecast.trigger[0]", "demand-forecaster", "batch", 3_600_000, "ml.forecast.batch"),
    ]


def test_the_table_in_force_is_whole_and_has_the_described_routes(tmp_path: Path) -> None:
    table = tmp_path / "table.yaml"
    table.write_text(DESCRIBED)
    rules = load("config/routing_table.yaml", "config/workflows.yaml")
    described = load(table, "config/workflows.yaml").table
    # an installation adds routes, also to types that have one
    found = {(route.event_type, route.workflow, route.queue) for route in rules.table.all_routes}
    assert {(route.event_type, route.workflow, route.queue) for route in described.all_routes} <= found
    for route in rules.table.all_routes:
        assert rules.catalogue.queues[route.queue].workflow == route.workflow


def test_a_route_may_say_how_it_is_batched_and_retried(loaded: Loader) -> None:
    more = "    max_batch: 32\n    max_retries: 5\n    backoff_ms: 250\n"
    (route,) = loaded(TABLE + more, CATALOGUE).table.all_routes
    assert (route.max_batch, route.max_retries, route.backoff_ms, route.longest_backoff_ms) == (
        32,
        5,
        250,
        4_000,
    )


@pytest.mark.parametrize(
    ("more", "explains"),
    [
        pytest.param("", False, id="nobody asked"),
        pytest.param("    explain: false\n", False, id="no"),
        pytest.param("    explain: true\n", True, id="yes"),
    ],
)
def test_a_route_may_ask_for_explanations(loaded: Loader, more: str, explains: bool) -> None:
    (route,) = loaded(TABLE + more, CATALOGUE).table.all_routes
    assert route.explain is explains


def test_an_event_may_wake_several_workflows(loaded: Loader) -> None:
    rules = loaded(
        """\
        routes:
          order.placed:
            - {workflow: fraud-classifier, priority: high, sla_ms: 100, queue: ml.fraud.input}
            - {workflow: churn-predictor, priority: low, sla_ms: 300000, queue: ml.churn.input}
        """,
        CATALOGUE,
    )
    assert [(r.rule, r.line) for r in rules.table.routes["order.placed"]] == [
        ("order.placed[0]", 3),
        ("order.placed[1]", 4),
    ]


def test_a_queue_has_its_defaults(loaded: Loader) -> None:
    queues = loaded(TABLE, CATALOGUE).catalogue.queues
    fraud, churn = queues["ml.fraud.input"], queues["ml.churn.input"]
    assert (fraud.window, fraud.prefetch, fraud.nice, fraud.max_batch, fraud.served) == (2, 1, 0, 1_024, True)
    assert (churn.window, churn.concurrency, churn.max_batch, churn.served) == (1, 1, 512, False)
    assert (fraud.task, fraud.workflow, fraud.pool) == ("tasks.fraud.score", "fraud-classifier", "prefork")


def changed(before: str, after: str) -> str:
    assert before in TABLE
    return TABLE.replace(before, after)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        pytest.param(
            changed("sla_ms: 100", "sla_ms: -5"),
            ["t.yaml:5: order.placed: sla_ms must be positive, is -5"],
            id="a negative promise",
        ),
        pytest.param(
            changed("sla_ms: 100", "sla_ms: 9999999999"),
            ["t.yaml:5: order.placed: sla_ms must be from 1 to 2592000000, is 9999999999"],
            id="a promise for next year",
        ),
        pytest.param(
            changed("sla_ms: 100", "sla_ms: 1:30"),
            ["t.yaml:5: order.placed: sla_ms must be a whole number, is 1:30"],
            id="a time that YAML would read as 90",
        ),
        pytest.param(
            changed("sla_ms: 100", "sla_ms: 0100"),
            ["t.yaml:5: order.placed: sla_ms must be a whole number, is 0100"],
            id="a number that YAML would read as 64",
        ),
        pytest.param(
            changed("sla_ms: 100", "sla_ms: '100'"),
            ["t.yaml:5: order.placed: sla_ms must be a whole number, is '100'"],
            id="a number in quotes",
        ),
        pytest.param(
            changed("    sla_ms: 100\n", ""),
            ["t.yaml:2: order.placed: sla_ms is missing"],
            id="no promise at all",
        ),
        pytest.param(
            changed("priority: high", "priority: urgent"),
            ["t.yaml:4: order.placed: priority must be one of high, standard, low, batch, is urgent"],
            id="an unknown priority",
        ),
        pytest.param(
            changed("workflow: fraud-classifier", "workflow: fraud-clasifier"),
            ["t.yaml:3: order.placed: unknown workflow fraud-clasifier; nearest: fraud-classifier"],
            id="an unknown workflow",
        ),
        pytest.param(
            changed("workflow: fraud-classifier", "workflow: yes"),
            ["t.yaml:3: order.placed: workflow must be text, is yes"],
            id="a word that YAML reads as true",
        ),
        pytest.param(
            changed("queue: ml.fraud.input", "queue: ml.fraud.inptu"),
            [
                "t.yaml:6: order.placed: queue ml.fraud.inptu is fed but no pool serves it;"
                " nearest: ml.fraud.input"
            ],
            id="a queue without a pool",
        ),
        pytest.param(
            changed("queue: ml.fraud.input", "queue: ml.churn.input"),
            [
                "t.yaml:6: order.placed: queue ml.churn.input would have two meanings:"
                " churn-predictor has it, this route is for fraud-classifier"
            ],
            id="a queue of another workflow",
        ),
        pytest.param(
            TABLE + "    sla: 5\n",
            ["t.yaml:7: order.placed: unknown key sla; nearest: sla_ms"],
            id="an unknown key",
        ),
        pytest.param(
            changed("order.placed", "order.plcaed"),
            ["t.yaml:2: order.plcaed: no such event type; nearest: order.placed"],
            id="an event type that nobody declared",
        ),
        pytest.param(
            TABLE + TABLE.removeprefix("routes:\n"),
            ["t.yaml:7: routes: order.placed stands twice, first in line 2"],
            id="an event type twice, which YAML would let pass",
        ),
        pytest.param(
            TABLE + "    priority: low\n",
            ["t.yaml:7: order.placed: priority stands twice, first in line 4"],
            id="a key twice",
        ),
        pytest.param(
            TABLE + "    max_retries: 3\n    backoff_ms: 4000\n",
            [
                "t.yaml:8: order.placed: the last retry waits 16000 ms; ml.fraud.input hands it to a second"
                " worker after 15 s (visibility_timeout_s): lower backoff_ms or max_retries"
            ],
            id="a retry that waits until Redis hands it out again",
        ),
        pytest.param(
            TABLE + "    max_batch: 0\n    max_retries: -1\n    backoff_ms: 60001\n",
            [
                "t.yaml:7: order.placed: max_batch must be positive, is 0",
                "t.yaml:8: order.placed: max_retries must be from 0 to 20, is -1",
                "t.yaml:9: order.placed: backoff_ms must be from 1 to 60000, is 60001",
            ],
            id="three numbers out of bounds",
        ),
        pytest.param(
            "routes:\n  order.placed: 7\n",
            ["t.yaml:2: order.placed: must be a mapping, is 7"],
            id="a number for a route",
        ),
        pytest.param(
            "routes:\n  order.placed: []\n",
            ["t.yaml:2: routes: order.placed is an empty list"],
            id="no route for a type",
        ),
        pytest.param(
            "routes:\n  order.placed:\n    - 7\n    - [8]\n",
            [
                "t.yaml:3: order.placed: must be a mapping, is 7",
                "t.yaml:4: order.placed: must be a mapping, is a list",
            ],
            id="a list of other things",
        ),
        pytest.param("", ["t.yaml:1: is empty"], id="an empty file"),
        pytest.param("routes:\n", ["t.yaml:1: routes: must be a mapping, is empty"], id="nothing in it"),
        pytest.param(
            "route: {}\n",
            ["t.yaml:1: routes is missing", "t.yaml:1: unknown key route; nearest: routes"],
            id="another root",
        ),
        pytest.param("[1, 2]\n", ["t.yaml:1: must be a mapping, is a list"], id="a list as root"),
        pytest.param(
            "routes:\n  order.placed: {workflow: a\n  x: [\n",
            ["t.yaml:3: is not YAML: expected ',' or '}', but got ':'"],
            id="no YAML",
        ),
        pytest.param("a: 1\n---\nb: 2\n", ["t.yaml:2: is not YAML: but found another document"], id="two"),
    ],
)
def test_a_table_that_does_not_hold_is_refused_with_line_and_way_out(
    loaded: Loader, table: str, said: list[str]
) -> None:
    assert problems(loaded, table) == said


@pytest.mark.parametrize(
    ("table", "said"),
    [
        pytest.param(
            """\
            routes:
              order.placed:
                - {workflow: fraud-classifier, priority: high, sla_ms: 1, queue: ml.fraud.input}
                - {workflow: fraud-classifier, priority: low, sla_ms: 1, queue: ml.fraud.input}
            """,
            ["t.yaml:4: order.placed: wakes fraud-classifier twice, first in line 3"],
            id="one workflow twice: its predictions would share an id",
        ),
        pytest.param(
            """\
            routes:
              order.placed:
                {workflow: fraud-classifier, priority: low, sla_ms: 1, queue: ml.fraud.input, max_batch: 7}
              order.returned:
                {workflow: fraud-classifier, priority: low, sla_ms: 1, queue: ml.fraud.input, max_batch: 8}
              page.viewed:
                {workflow: fraud-classifier, priority: high, sla_ms: 1, queue: ml.fraud.input, max_batch: 9}
            """,
            [
                "t.yaml:4: order.returned: max_batch of ml.fraud.input at priority low is 8 here and 7 in"
                " line 2: a lane has one"
            ],
            id="two sizes of batch in one lane",
        ),
    ],
)
def test_routes_that_contradict_each_other_are_refused(loaded: Loader, table: str, said: list[str]) -> None:
    assert problems(loaded, table) == said


def queue(name: str = "ml.fraud.input", **changes: object) -> str:
    fields = {
        "pool": "prefork", "soft_time_limit_s": 10, "time_limit_s": 12, "visibility_timeout_s": 15, **changes,
    }  # fmt: skip
    inside = ", ".join(f"{key}: {value}" for key, value in fields.items() if value is not None)
    return f"      {name}: {{{inside}}}\n"


def workflow(*queues: str, task: str = "tasks.fraud.score", name: str = "fraud-classifier") -> str:
    return f"  {name}:\n    task: {task}\n    queues:\n" + "".join(queues)


@pytest.mark.parametrize(
    ("workflows", "said"),
    [
        pytest.param(
            workflow(queue(pool="fibres")),
            ["w.yaml:5: ml.fraud.input: pool must be one of prefork, threads, solo, is fibres"],
            id="an unknown pool",
        ),
        pytest.param(
            workflow(queue(pool="solo", concurrency=2)),
            ["w.yaml:5: ml.fraud.input: concurrency must be 1 in a solo pool, is 2"],
            id="a solo pool of two",
        ),
        pytest.param(
            workflow(queue(soft_time_limit_s=12)),
            ["w.yaml:5: ml.fraud.input: soft_time_limit_s must be below time_limit_s (12), is 12"],
            id="a soft limit that never comes first",
        ),
        pytest.param(
            workflow(queue(visibility_timeout_s=12)),
            [
                "w.yaml:5: ml.fraud.input: visibility_timeout_s must be above time_limit_s (12), is 12:"
                " a batch would be handed out again while a worker is at it"
            ],
            id="a batch handed out twice",
        ),
        pytest.param(
            workflow(queue(time_limit_s=None)),
            ["w.yaml:5: ml.fraud.input: time_limit_s is missing"],
            id="no time limit",
        ),
        pytest.param(
            workflow(queue(nice=20, window=0)),
            [
                "w.yaml:5: ml.fraud.input: nice must be from 0 to 19, is 20",
                "w.yaml:5: ml.fraud.input: window must be positive, is 0",
            ],
            id="numbers out of bounds",
        ),
        pytest.param(
            workflow(queue(), task="score"),
            [
                "w.yaml:3: fraud-classifier: task must name a function in a module, as in tasks.fraud.score,"
                " is score"
            ],
            id="a task without a module",
        ),
        pytest.param(
            workflow(queue()) + workflow(queue(), name="other"),
            ["w.yaml:9: ml.fraud.input: has two meanings: fraud-classifier names it in line 5"],
            id="one queue of two workflows",
        ),
        pytest.param(
            workflow(queue(), queue("ml.fraud_input")),
            ["w.yaml:6: ml.fraud_input: Kafka cannot tell it from ml.fraud.input in line 5"],
            id="two names that collide in Kafka",
        ),
        pytest.param(
            workflow(queue(), queue("ml fraud")),
            ["w.yaml:6: ml fraud: a queue's name takes up to 240 of the characters A-Z a-z 0-9 . _ -"],
            id="a name that no topic can have",
        ),
        pytest.param(
            workflow(queue(), queue("retail.events")),
            [
                "w.yaml:6: retail.events: its events would be written to retail.events.dlq, which is for"
                " others: choose another name"
            ],
            id="a queue that would write to the router's dead letters",
        ),
        pytest.param(
            workflow(queue()) + "    serve: false\n",
            ["w.yaml:6: fraud-classifier: unknown key serve; nearest: served"],
            id="an unknown key",
        ),
        pytest.param(
            workflow(queue()) + "    served: no\n",
            ["w.yaml:6: fraud-classifier: served must be true or false, is no"],
            id="neither true nor false",
        ),
        pytest.param(
            "  fraud-classifier:\n    task: tasks.fraud.score\n",
            [
                "t.yaml:6: order.placed: queue ml.fraud.input is fed but no pool serves it",
                "w.yaml:2: fraud-classifier: queues is missing",
            ],
            id="a workflow without queues",
        ),
    ],
)
def test_a_catalogue_that_does_not_hold_is_refused_with_line_and_way_out(
    loaded: Loader, workflows: str, said: list[str]
) -> None:
    assert problems(loaded, TABLE, "workflows:\n" + workflows) == said


def test_all_problems_of_both_files_are_told_at_once(loaded: Loader) -> None:
    table = changed("sla_ms: 100", "sla_ms: -5").replace("queue: ml.fraud.input", "queue: ml.frodo.input")
    assert problems(loaded, table + "    x: 1\n", CATALOGUE.replace("pool: prefork", "pool: none")) == [
        "t.yaml:5: order.placed: sla_ms must be positive, is -5",
        "t.yaml:6: order.placed: queue ml.frodo.input is fed but no pool serves it; nearest: ml.fraud.input",
        "t.yaml:7: order.placed: unknown key x; known: backoff_ms, explain, max_batch, max_retries, priority,"
        " queue, sla_ms, workflow",
        "w.yaml:6: ml.fraud.input: pool must be one of prefork, threads, solo, is none",
    ]


def test_a_catalogue_that_cannot_be_read_does_not_hide_what_is_wrong_with_the_table(loaded: Loader) -> None:
    assert problems(loaded, changed("sla_ms: 100", "sla_ms: 0"), "workflows: [") == [
        "t.yaml:5: order.placed: sla_ms must be positive, is 0",
        "w.yaml:1: is not YAML: expected the node content, but found '<stream end>'",
    ]


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "t.yaml", tmp_path)
    assert str(caught.value).splitlines() == [
        f"{tmp_path}/t.yaml: cannot be read: No such file or directory",
        f"{tmp_path}: cannot be read: Is a directory",
    ]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"routes: \x00", id="a control character"),
        pytest.param(b"[" * 5_000, id="lists without bottom"),
        pytest.param(b"routes: &a\n  order.placed: *a\n", id="a mapping that contains itself"),
        pytest.param(b"routes: !!python/object/apply:os.system ['true']\n", id="an object to be made"),
        pytest.param(b"routes: *nobody\n", id="an alias of nothing"),
        pytest.param(b"? [1]\n: 2\n", id="a key that is no text"),
    ],
)
def test_no_content_does_more_than_be_refused(tmp_path: Path, content: bytes) -> None:
    table = tmp_path / "t.yaml"
    table.write_bytes(content)
    with pytest.raises(ConfigError, match=r"t\.yaml"):
        load(table, "config/workflows.yaml")


def test_anchors_save_typing(loaded: Loader) -> None:
    table = TABLE.replace("order.placed:", "order.placed: &fraud") + "  order.returned: *fraud\n"
    assert [route.event_type for route in loaded(table, CATALOGUE).table.all_routes] == [
        "order.placed",
        "order.returned",
    ]


def test_comments_and_the_order_of_types_do_not_change_what_is_stamped(loaded: Loader) -> None:
    other = TABLE.replace("order.placed", "order.returned").removeprefix("routes:\n")
    one = loaded(TABLE + other, CATALOGUE).table.hash
    moved = "# a comment\nroutes:\n" + other + TABLE.removeprefix("routes:\n")
    assert loaded(moved, CATALOGUE).table.hash == one
    assert loaded(TABLE, CATALOGUE).table.hash != one


def test_the_lanes_follow_from_the_routes(loaded: Loader) -> None:
    rules = loaded(
        """\
        routes:
          order.placed: {workflow: fraud-classifier, priority: standard, sla_ms: 1, queue: ml.fraud.input}
          order.returned: {workflow: fraud-classifier, priority: batch, sla_ms: 1, queue: ml.fraud.input}
          page.viewed:
            {workflow: fraud-classifier, priority: low, sla_ms: 1, queue: ml.fraud.input, max_batch: 300}
          refund.requested: {workflow: fraud-classifier, priority: low, sla_ms: 1, queue: ml.fraud.input}
          customer.inactive: {workflow: churn-predictor, priority: low, sla_ms: 1, queue: ml.churn.input}
        """,
        CATALOGUE,
    )
    assert [(lane.topic, lane.priority, lane.task, lane.max_batch) for lane in rules.lanes()] == [
        ("ml.churn.input.low", Priority.LOW, "tasks.churn.predict", 512),
        ("ml.fraud.input.standard", Priority.STANDARD, "tasks.fraud.score", 1_024),
        ("ml.fraud.input.low", Priority.LOW, "tasks.fraud.score", 300),
        ("ml.fraud.input.batch", Priority.BATCH, "tasks.fraud.score", 64),
    ]
