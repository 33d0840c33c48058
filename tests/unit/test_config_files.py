"""Whatever a configuration file holds, it is taken, or refused with its name and line."""

from itertools import islice
from pathlib import Path

import pytest

from dispatcher.table_watch import TableWatch
from events.errors import ConfigError
from tests.config_mutations import LOADERS, Load, copy_of_shipped, files, loader_of, mutations

EACH = 60
"""Mutations of each file here; `python -m tests.faults.config_files` tries 10,000."""


def refusal(load: Load, config: Path) -> ConfigError | None:
    """What the loader says of the folder. Anything else that it raises fails the test."""
    try:
        load(config)
    except ConfigError as error:
        return error
    return None


def test_every_file_that_ships_has_a_loader_and_holds(tmp_path: Path) -> None:
    config = copy_of_shipped(tmp_path)
    assert {name: refusal(loader_of(name), config) for name in files()} == dict.fromkeys(files())


@pytest.mark.parametrize("name", [*LOADERS, "policies/shipping/lost-parcels.md"])
def test_a_mutated_file_is_taken_or_refused_by_its_line(tmp_path: Path, name: str) -> None:
    config, load = copy_of_shipped(tmp_path), loader_of(name)
    original = (config / name).read_bytes()
    for mutated in islice(mutations(original, seed=1), EACH):
        (config / name).write_bytes(mutated)
        error = refusal(load, config)
        if error is not None:
            str(error).encode("utf-8")
            assert error.problems
            assert all(str(config) in each.path and each.line > 0 for each in error.problems), str(error)


def test_a_running_dispatcher_keeps_its_last_good_table_whatever_is_saved(tmp_path: Path) -> None:
    config = copy_of_shipped(tmp_path)
    paths = (config / "routing_table.yaml", config / "workflows.yaml")
    watch = TableWatch(*paths)
    good = watch.rules
    for path in paths:
        original = path.read_bytes()
        for mutated in islice(mutations(original, seed=2), EACH):
            path.write_bytes(mutated)
            taken = watch.check()
            if not taken:
                assert watch.rules == good
            good = watch.rules
        path.write_bytes(original)
        watch.check()


@pytest.mark.parametrize(
    "save",
    [
        pytest.param(lambda path: path.mkdir(), id="a folder"),
        pytest.param(lambda path: path.symlink_to(path), id="a link to itself"),
        pytest.param(lambda path: path.write_bytes(b"# " + b"x" * 2_000_000), id="two megabytes"),
        pytest.param(lambda path: None, id="nothing"),
    ],
)
@pytest.mark.parametrize("name", LOADERS)
def test_what_is_no_file_is_refused_by_its_name(tmp_path: Path, name: str, save: Load) -> None:
    config = copy_of_shipped(tmp_path)
    (config / name).unlink()
    save(config / name)
    error = refusal(loader_of(name), config)
    if not (name.endswith("synonyms.txt") and error is None):  # that one may be missing
        assert error is not None
        assert name.rpartition("/")[2] in str(error)
