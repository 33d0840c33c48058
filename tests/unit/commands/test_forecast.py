"""`signalbox forecast show` and `report`, on what stands in SQL."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

import settings
from commands.forecast import app
from commands.forecast_shown import interval
from events.errors import ConfigError
from features.offline.forecasts import Day, StoredForecast
from models.night_report import Accuracy, Failure, Report
from models.night_telling import report_lines
from tests.unit.tasks.night import NIGHT, TENANT, Shop

REPORT = Report(
    planned=3,
    forecast=2,
    failed=1,
    unanswered=0,
    duration_s=12.5,
    sla_s=3_600,
    within_sla=True,
    methods={"ensemble": 2},
    models=("demand-forecaster-v3",),
    failures=(Failure("sku-3", "timeout", "over 120 s", 1),),
    accuracy=Accuracy("2026-03-01", "2026-03-01", 2, 100, 90, 0.25, 0.5),
)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/shop.db")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")
    monkeypatch.setenv("SIGNALBOX_TENANT", TENANT)
    settings.load_settings.cache_clear()
    made = Shop(tmp_path)
    made.sell({days: {"a": 5 + days} for days in range(1, 30)})
    yield made
    made.store.close()
    settings.load_settings.cache_clear()


def said(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    return result.exit_code, result.output


def test_a_skus_forecast_is_seven_days(shop: Shop) -> None:
    shop.infer([shop.request("a")])
    code, output = said("show", "a")
    assert code == 0
    assert output.startswith("a, night of 2026-03-02: seasonal naive, seasonal-naive-v2\n")
    assert [line.split()[0] for line in output.splitlines()[2:-1]] == [
        (NIGHT + timedelta(days=ahead)).isoformat() for ahead in range(7)
    ]


def test_a_forecast_says_what_its_days_bring_together(shop: Shop) -> None:
    shop.infer([shop.request("a")])
    _, output = said("show", "a")
    assert output.splitlines()[1].split() == ["day", "mean", "low", "high", "median", "p80", "p90", "p95"]
    assert output.splitlines()[-1].startswith("7 days together: mean 63.0, median 63.0, p80 ")


def test_a_longer_horizon_is_cut_out_of_the_same_forecast(shop: Shop) -> None:
    shop.infer([shop.request("a")])
    _, output = said("show", "a", "--days", "14")
    assert output.splitlines()[-1].startswith("14 days together: mean 126.0, median 126.0, p80 ")


def test_a_forecast_of_an_earlier_release_is_shown_without_quantiles(shop: Shop) -> None:
    days = (Day("2026-03-02", 3, 1, 5), Day("2026-03-03", 4, 1, 5))
    forecast = StoredForecast("a", "2026-03-02", "ensemble", "demand-forecaster-v3", "d" * 64, days)
    shop.forecasts.add(TENANT, "2026-03-02", [forecast])
    _, output = said("show", "a")
    assert output.splitlines()[-1] == (
        "2 days together: mean 7.0; made by an earlier release: no quantiles of the total"
    )


def test_a_plot_has_the_weeks_before_too(shop: Shop) -> None:
    shop.infer([shop.request("a")])
    _, output = said("show", "a", "--plot")
    days = [line for line in output.splitlines() if line.startswith(" 2026-") or line.startswith("2026-")]
    assert len(days) == 28 + 7
    assert sum("█" in line for line in days) == 28
    assert sum("●" in line for line in days) == 7


def test_a_sku_without_a_forecast_is_said_to_be_none_with_the_way_out(shop: Shop) -> None:
    with pytest.raises(ConfigError, match="nothing was forecast of it yet: begin a night"):
        said("show", "b")


def test_a_night_that_has_not_ended_is_no_success(shop: Shop) -> None:
    shop.trigger()
    assert said("report", "--date", NIGHT.isoformat()) == (
        1,
        "the night of 2026-03-02 has not ended: 0 of 1 SKUs are forecast\n",
    )


def test_a_night_that_ended_whole_is_a_success(shop: Shop) -> None:
    shop.trigger()
    shop.infer(shop.published())
    shop.watch.look()
    code, output = said("report", "--date", NIGHT.isoformat())
    assert (code, output.splitlines()[0]) == (
        0,
        "the night of 2026-03-02: 1 of 1 SKUs forecast, 0 failed, 0 without an outcome",
    )


def test_a_report_says_what_failed_and_how_good_the_last_night_was() -> None:
    assert list(report_lines(date(2026, 3, 2), REPORT)) == [
        "the night of 2026-03-02: 2 of 3 SKUs forecast, 1 failed, 0 without an outcome",
        "12.5 s, within the 3,600 s promised",
        "by ensemble 2; demand-forecaster-v3",
        "last night's forecast of 2026-03-01: 90 pieces expected, 100 sold, WAPE 25.0%; 50% of 2 SKUs within "
        "their bounds",
        "  sku-3: timeout: over 120 s",
    ]


@pytest.mark.parametrize(
    ("day", "drawn"),
    [
        pytest.param(Day("d", 5, 0, 10), "─────●─────", id="the mean between its bounds"),
        pytest.param(Day("d", 4, 2, 6), "  ──●──", id="within a larger scale"),
        pytest.param(Day("d", 3, 3, 3), "   ●", id="no width at all"),
        pytest.param(Day("d", 5, 0, 7, (3, 5, 6, 7)), "───┼─●──", id="the median below the mean"),
        pytest.param(Day("d", 9, 0, 4, (1, 2, 3, 4)), "─┼───    ●", id="a mean of few large orders"),
    ],
)
def test_an_interval_is_drawn_to_scale(day: Day, drawn: str) -> None:
    assert interval(day, 10, width=11) == drawn


def test_a_report_reads_back_as_it_was_written() -> None:
    assert msgspec.json.decode(msgspec.json.encode(REPORT), type=Report) == REPORT
    assert json.loads(msgspec.json.encode(REPORT))["within_sla"] is True
