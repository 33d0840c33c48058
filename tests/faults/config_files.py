"""10,000 mutations of every configuration file: each is taken, or refused by file and line.

python -m tests.faults.config_files [--mutations 10000]
"""

import argparse
import logging
import sys
import tempfile
from collections import Counter
from itertools import islice
from pathlib import Path

from dispatcher.table_watch import TableWatch
from events.errors import ConfigError
from tests.config_mutations import Load, copy_of_shipped, files, loader_of, mutations


def main() -> int:
    """Exit code 1 if anything but `ConfigError` came of a file, or a refusal named no line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mutations", type=int, default=10_000, help="of each file")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    wrong = 0
    for name in files():
        with tempfile.TemporaryDirectory(prefix="signalbox-config-") as folder:
            config = copy_of_shipped(Path(folder))
            fates = try_all(config, name, loader_of(name), arguments.mutations)
            kept = last_good_kept(config, name, arguments.mutations)
        wrong += sum(number for fate, number in fates.items() if fate not in ("taken", "refused")) + (
            not kept
        )
        print(f"{name:45} {dict(fates)}{'' if kept else ' THE LAST GOOD TABLE WAS LOST'}", flush=True)
    print(f"{wrong} wrong")
    return 1 if wrong else 0


def try_all(config: Path, name: str, load: Load, number: int) -> Counter[str]:
    """How often the file was taken, refused, refused without a line, or ended in another exception."""
    path, fates = config / name, Counter[str]()
    original = path.read_bytes()
    for mutated in islice(mutations(original, seed=11), number):
        path.write_bytes(mutated)
        fates[_fate(load, config)] += 1
    path.write_bytes(original)
    return fates


def last_good_kept(config: Path, name: str, number: int) -> bool:
    """Whether a running dispatcher keeps its last good table while a routing file is saved again."""
    if name not in ("routing_table.yaml", "workflows.yaml"):
        return True
    path = config / name
    watch = TableWatch(config / "routing_table.yaml", config / "workflows.yaml")
    original, good = path.read_bytes(), watch.rules
    for mutated in islice(mutations(original, seed=12), number):
        path.write_bytes(mutated)
        if not watch.check() and watch.rules is not good:
            return False
        good = watch.rules
    return True


def _fate(load: Load, config: Path) -> str:
    try:
        load(config)
    except ConfigError as error:
        str(error).encode("utf-8")
        named = all(str(config) in problem.path and problem.line > 0 for problem in error.problems)
        return "refused" if named and error.problems else f"refused without a line: {error}"
    except Exception as error:  # noqa: BLE001 - any other exception is what this run looks for
        return f"{type(error).__name__}: {error}"
    return "taken"


if __name__ == "__main__":
    sys.exit(main())
