"""A demonstration's events; its model is trained on the past alone."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from events.errors import ConfigError
from routing import load
from stack.champions import Past
from stack.programme import FLOODS, from_file, generated
from stack.retail import FIRST_DAY, midnight

ROOT = Path(__file__).parents[3]
RULES = load(ROOT / "config/routing_table.yaml", ROOT / "config/workflows.yaml")


def test_a_generated_programme_has_every_fate_and_frauds_among_its_orders() -> None:
    programme = generated(RULES, 5_000)
    assert len(programme.emissions) == 5_000
    assert set(programme.fates()) == {"routed", "ignored", "unrouted", "dead_letter"}
    orders = [emission.fraud for emission in programme.emissions if emission.fraud is not None]
    assert 0 < sum(fraud > 0 for fraud in orders) < len(orders) / 20


def test_a_generated_programme_trains_on_the_days_before_it() -> None:
    programme = generated(RULES, 10)
    assert programme.past == Past(("--until", str(FIRST_DAY)), ("--train-days", "14"))
    assert programme.backfill == ("--generated", "--until", str(FIRST_DAY))


def test_a_longer_programme_goes_on_where_a_shorter_one_ends() -> None:
    short, long = generated(RULES, 1_000), generated(RULES, 20_000)
    assert long.emissions[:1_000] == short.emissions
    assert long.span_s > 86_400 > short.span_s


def test_a_generated_programme_is_one_whole_day_unless_told_otherwise() -> None:
    steady = generated(RULES, None).emissions
    assert steady == generated(RULES, len(steady)).emissions
    assert (
        generated(RULES, len(steady) + 1).emissions[-1].at >= midnight(FIRST_DAY + timedelta(days=1)) * 1_000
    )


def test_each_flood_is_played_to_its_end() -> None:
    flooded = generated(RULES, None, floods=True)
    steady = generated(RULES, None)
    for flood in FLOODS:
        one = replace(flooded, floods=(flood,))
        more = sum(map(one.in_flood, (each.at for each in flooded.emissions)))
        fewer = sum(map(one.in_flood, (each.at for each in steady.emissions)))
        assert more - fewer >= flood.orders


@pytest.fixture
def transactions(tmp_path: Path) -> Path:
    """Three weeks, one transaction an hour."""
    hours = range(21 * 24)
    frame = pd.DataFrame(
        {
            "transaction_id": list(hours),
            "tx_datetime": pd.to_datetime([3_600 * hour for hour in hours], unit="s"),
            "customer_id": [hour % 7 for hour in hours],
            "terminal_id": [hour % 5 for hour in hours],
            "tx_amount_cents": [1_000 + hour for hour in hours],
            "tx_fraud": [int(hour % 50 == 0) for hour in hours],
        }
    )
    path = tmp_path / "transactions.parquet"
    frame.to_parquet(path)
    return path


def test_of_a_file_the_last_week_is_played_and_what_lies_before_is_for_training(transactions: Path) -> None:
    programme = from_file(transactions, 10_000)
    orders = [emission for emission in programme.emissions if emission.fraud is not None]
    assert len(orders) == 7 * 24
    assert {emission.fate for emission in programme.emissions if emission.fraud is None} == {"ignored"}
    assert programme.past == Past(("--until", "1970-01-15"), ("--data", str(transactions)), products=False)
    assert programme.backfill == (str(transactions), "--until", "1970-01-15")
    assert programme.title == "transactions.parquet from 1970-01-15 on"


def test_of_a_file_no_more_is_played_than_asked_for(transactions: Path) -> None:
    assert len(from_file(transactions, 10).emissions) == 10


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.parquet: there is no such file"):
        from_file(tmp_path / "nothing.parquet", 10)


def test_a_programme_is_steady_unless_floods_are_asked_for() -> None:
    steady, flooded = generated(RULES, None), generated(RULES, None, floods=True)
    noon = steady.emissions[0].at // 86_400_000 * 86_400_000 + 43_200_000
    assert not any(steady.in_flood(emission.at) for emission in steady.emissions)
    assert sum(flooded.in_flood(emission.at) for emission in flooded.emissions) > 3_000
    assert not flooded.in_flood(noon)


def test_of_a_file_the_whole_week_is_played_unless_told_otherwise(transactions: Path) -> None:
    assert len(from_file(transactions, None).emissions) == len(from_file(transactions, 10_000).emissions)
