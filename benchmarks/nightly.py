"""A night over the catalogue, beside a plain loop of Prophet over the same SKUs.

python -m benchmarks.nightly
"""

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import psutil
from prophet import Prophet

from features.offline.sales import Sales
from models.forecasting import HORIZON_DAYS, DailySeries
from tests.faults.nightly import NIGHT, TENANT, Progress, begin
from tests.faults.processes import wait_until
from tests.faults.rig import Rig, rig
from transport.database import open_database

CATALOGUE = 10_000
HOUR_S = 3_600
NIGHT_S = 3 * HOUR_S


def plain(series: Sequence[DailySeries]) -> None:
    """As its tutorial has it: one model after the other, with Prophet's own defaults."""
    for each in series:
        past = pd.date_range(each.first, periods=len(each), freq="D")
        model = Prophet()
        model.fit(pd.DataFrame({"ds": past, "y": each.demand}))
        model.predict(pd.DataFrame({"ds": pd.date_range(NIGHT, NIGHT + timedelta(days=HORIZON_DAYS - 1))}))


def plain_loop(url: str, skus: int) -> tuple[float, float]:
    """Seconds by the clock and of the processor, each for one SKU."""
    database = open_database(url)
    names = [f"sku-{number}" for number in range(skus)]
    series = list(Sales(database, ZoneInfo("UTC")).series(TENANT, names, NIGHT).values())
    plain(series[:1])
    # each fit is reported at INFO, a level that the library sets itself at the first of them
    logging.getLogger("cmdstanpy").setLevel(logging.WARNING)
    began, busy = time.perf_counter(), time.process_time()
    plain(series)
    clock, processor = time.perf_counter() - began, time.process_time() - busy
    database.close()
    return clock / skus, processor / skus


def processor_s(made: Rig) -> float:
    """Seconds of the processor that the night's pool has used."""
    family = [psutil.Process(made.parts["worker-batch"].pid)]
    family += family[0].children(recursive=True)
    return sum(sum(process.cpu_times()[:2]) for process in family)


def night(made: Rig, progress: Progress, skus: int) -> tuple[float, float]:
    """Seconds from the trigger to the last SKU's forecast, and of the pool's processor; for one SKU."""
    busy = processor_s(made)
    made.complete("trigger", "forecast", "run", "--date", NIGHT.isoformat(), "--no-wait")
    began = time.perf_counter()
    wait_until(lambda: progress.done() >= skus, NIGHT_S, f"{skus:,} forecasts")
    return (time.perf_counter() - began) / skus, (processor_s(made) - busy) / skus


def main() -> int:
    """Print the table; 0 if the catalogue is forecast within the hour."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skus", type=int, default=1_000)
    parser.add_argument("--plain", type=int, default=50, help="SKUs of the plain loop")
    args = parser.parse_args()
    with rig(one_redis=True, seeded=False) as made:
        print(f"logs in {made.folder}", flush=True)
        progress = begin(made, args.skus, trained=True)
        ours = night(made, progress, args.skus)
        theirs = plain_loop(made.env["DATABASE_URL"], args.plain)
    print(f"| one SKU costs | by the clock | of the processor | {CATALOGUE:,} SKUs by the clock |")
    print("|---|---|---|---|")
    for name, (clock, processor) in (
        (f"the night, two processes ({args.skus:,} SKUs)", ours),
        (f"a plain loop of Prophet ({args.plain:,} SKUs)", theirs),
    ):
        whole = f"{clock * CATALOGUE / 60:,.0f} min"
        print(f"| {name} | {clock * 1_000:.0f} ms | {processor * 1_000:.0f} ms | {whole} |")
    print(f"methods: {[(made.method, made.skus) for made in progress.forecasts.made(TENANT, str(NIGHT))]}")
    return 0 if ours[0] * CATALOGUE <= HOUR_S else 1


if __name__ == "__main__":
    sys.exit(main())
