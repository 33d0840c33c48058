"""The account of an agent run, from the topics, the desk's tables and the journals alone."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

import msgspec
from confluent_kafka import Consumer, TopicPartition
from sqlalchemy import select

from events.prediction import Prediction, SupportDetail, decode_prediction
from events.topics import PREDICTIONS
from models.support.journal_tables import RUNS, STEPS
from models.support.steps import Answered, Confirmed, Intended, Refused, Step, Unknown, Withdrawn, decode_step
from tests.faults.agent_ground import Ground, Ticket
from transport.database import open_database
from transport.kafka import consumer_config

NEVER = ("post_refused", "reply_refused", "diverged", "failed")
"""Reasons of a hand-over that no kill and no fault of the other side is to lead to."""


@dataclass
class Books:
    """Of each event: how the desk ended it, and the keys of what it carried out, by tool."""

    ends: dict[str, list[str]] = field(default_factory=dict)
    ended_at: dict[str, int] = field(default_factory=dict)
    no_llm: int = 0
    keys: dict[str, list[str]] = field(default_factory=dict)
    given: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each event had each tool carried out: two keys are two times."""
    over_refunded: int = 0


@dataclass
class Journals:
    """The keys of actions that runs intended, by tool; those confirmed, or in doubt; runs without an end."""

    intended: dict[str, set[str]] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    answered_twice: int = 0
    taken_over: int = 0
    unended: int = 0
    answers: int = 0


def read_books(ground: Ground) -> Books:
    """All that stands in the desk's database."""
    found = Books()
    with closing(sqlite3.connect(ground.desk_file)) as connection:
        for event, how, body, at in connection.execute("SELECT event_id, how, body, ended_at FROM desk_ends"):
            found.ends.setdefault(event, []).append(how)
            found.ended_at[event] = at
            found.no_llm += '"fallback":"no_llm"' in body
        for event, tool, key in connection.execute("SELECT event_id, tool, key FROM desk_actions"):
            found.keys.setdefault(tool, []).append(key)
            found.given[event, tool] += 1
    found.over_refunded = ground.said("desk", "/api/counts")["over_refunded"]
    return found


def read_journals(ground: Ground) -> Journals:
    """All runs that there are."""
    found = Journals()
    database = open_database(ground.database)
    with database.reading() as connection:
        found.unended = len(connection.execute(select(RUNS.c.run_id).where(RUNS.c.ended_at.is_(None))).all())
        query = select(STEPS.c.run_id, STEPS.c.token, STEPS.c.step).order_by(STEPS.c.run_id, STEPS.c.number)
        runs: dict[str, list[Step]] = {}
        tokens: dict[str, set[int]] = {}
        for run_id, token, step in connection.execute(query):
            runs.setdefault(run_id, []).append(decode_step(step))
            tokens.setdefault(run_id, set()).add(token)
    database.close()
    for steps in runs.values():
        _count(found, steps)
    found.taken_over = sum(len(each) > 1 for each in tokens.values())
    return found


def _count(found: Journals, steps: Sequence[Step]) -> None:
    dropped = {step.key for step in steps if isinstance(step, Withdrawn | Refused)}
    calls = [step.call for step in steps if isinstance(step, Answered)]
    found.answers += len(calls)
    found.answered_twice += len(calls) - len(set(calls))
    for step in steps:
        if isinstance(step, Confirmed):
            found.confirmed.add(step.key)
        if isinstance(step, Unknown):
            found.unknown.add(step.key)
        if isinstance(step, Intended) and step.key not in dropped:
            tool = str(step.action.__struct_config__.tag)
            found.intended.setdefault(tool, set()).add(step.key)


def read_predictions(bootstrap: str) -> dict[str, list[Prediction]]:
    """By event; a record that stands there twice is there twice."""
    consumer = Consumer(consumer_config(bootstrap, "account", log_level=2))
    partitions = consumer.list_topics(PREDICTIONS, timeout=10).topics[PREDICTIONS].partitions
    consumer.assign([TopicPartition(PREDICTIONS, number, 0) for number in partitions])
    found: dict[str, list[Prediction]] = {}
    while messages := consumer.consume(5_000, 3):
        for message in messages:
            if message.error() is None:
                prediction = decode_prediction(message.value() or b"")
                found.setdefault(prediction.source_event_id, []).append(prediction)
    consumer.close()
    return found


def account(ground: Ground, known: Sequence[Ticket]) -> bool:
    """Print what came out; True if each ticket has one end and nothing was given that was not intended."""
    predictions, books = read_predictions(ground.made.bootstrap), read_books(ground)
    journals = read_journals(ground)
    ids = {ticket.event_id for ticket in known}
    reasons = _table([predictions[event][0] for event in ids & predictions.keys()])
    missing, unposted = ids - predictions.keys(), ids - books.ends.keys()
    several = [
        event
        for event, told in predictions.items()
        if len({msgspec.json.encode(each.output) for each in told}) > 1
    ]
    print(f"tickets {len(ids):,}; no prediction {len(missing)}, no end at the desk {len(unposted)}")
    # the desk takes one end of an event: who tried to end it otherwise was refused
    strange = sum(reasons[reason] for reason in NEVER)
    print(
        f"ends that the desk refused, or runs that diverged or failed {strange}; "
        f"told in two ways {len(several)}; runs without an end {journals.unended}"
    )
    print(
        f"answers of the LLM {journals.answers:,}, two to one request {journals.answered_twice}; "
        f"runs that another worker took over {journals.taken_over}; handed over as no_llm {books.no_llm}"
    )
    good = _money(books, journals) and _in_time(predictions, books)
    wrong = (missing, unposted, strange, several, journals.unended, journals.answered_twice)
    return good and not any(wrong)


def _money(books: Books, journals: Journals) -> bool:
    good = not books.over_refunded
    for tool in ("issue_refund", "send_voucher"):
        done, intended = books.keys.get(tool, []), journals.intended.get(tool, set())
        confirmed = intended & journals.confirmed
        twice = sum(times > 1 for (_, given), times in books.given.items() if given == tool)
        print(
            f"{tool}: intended {len(intended)}, confirmed {len(confirmed)}, "
            f"in doubt {len(intended & journals.unknown)}, carried out {len(done)}, "
            f"twice for one ticket {twice}, not intended {len(set(done) - intended)}"
        )
        # what is in doubt was carried out once or not at all, and a person looks
        once = len(done) == len(set(done)) and confirmed <= set(done) <= intended
        good = good and not twice and once and intended - journals.unknown == confirmed
    print(f"orders for which more was given than they cost {books.over_refunded}")
    return good


def _in_time(predictions: dict[str, list[Prediction]], books: Books) -> bool:
    """By the moment at which the desk had the end: a prediction may come later, told by another worker."""
    first = [told[0] for told in predictions.values()]
    late = [each for each in first if books.ended_at.get(each.source_event_id, 0) > each.deadline]
    resolved = [each for each in late if each.output.label != "handed_over"]
    took = sorted(
        books.ended_at[each.source_event_id] - each.deadline + each.sla_ms
        for each in first
        if each.source_event_id in books.ended_at
    )
    if took:
        half, most = took[len(took) // 2] / 1_000, took[-1] / 1_000
        print(f"an end at the desk after {half:.1f} s (median), {most:.1f} s at most")
    told_late = sum(each.latency_ms > each.sla_ms for each in first)
    print(f"beyond the SLA {len(late)}, of which resolved {len(resolved)}; predictions beyond it {told_late}")
    return not resolved


def _table(found: Sequence[Prediction]) -> Counter[str]:
    """Print the outcomes; how many had each reason."""
    rows: Counter[tuple[str, str, str]] = Counter()
    for each in found:
        detail = each.output.detail
        if isinstance(detail, SupportDetail):
            rows[detail.outcome, detail.reason, each.fallback or ""] += 1
    for (outcome, reason, fallback), count in sorted(rows.items(), key=lambda row: -row[1]):
        print(f"  {outcome:<12} {reason:<16} {fallback:<8} {count:>5}")
    reasons: Counter[str] = Counter()
    for (_, reason, _), count in rows.items():
        reasons[reason] += count
    return reasons
