"""Loads the routing table and the catalogue, and checks that they agree."""

from collections.abc import Collection
from pathlib import Path

from events.errors import ConfigError
from events.payloads import EVENT_TYPES
from routing.catalogue_file import read_catalogue
from routing.report import Report
from routing.rules import Rules
from routing.table_file import read_table


def load(
    table_path: Path | str, workflows_path: Path | str, event_types: Collection[str] = EVENT_TYPES
) -> Rules:
    """Read the routing table and the catalogue of workflows.

    Raises `ConfigError` with every problem of both files, each with its line; nothing else, whatever they
    hold.
    """
    of_workflows, of_table = Report(str(workflows_path)), Report(str(table_path))
    catalogue = read_catalogue(of_workflows)
    table = read_table(of_table, catalogue, event_types)
    problems = [*of_table.in_order(), *of_workflows.in_order()]
    if problems or catalogue is None:
        raise ConfigError(problems)
    return Rules(table, catalogue)
