"""Fits and measures models. Importing it raises `ConfigError` if `signalbox[train]` is not installed."""

from importlib.util import find_spec

from events.errors import ConfigError, Problem

if missing := [name for name in ("pandas", "pyarrow", "sklearn") if find_spec(name) is None]:
    raise ConfigError(
        [
            Problem(
                "environment",
                0,
                "",
                f"training and files of card transactions need {', '.join(missing)}: "
                "pip install 'signalbox[train]'",
            )
        ]
    )
