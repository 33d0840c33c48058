"""Logging of our own processes on stderr: time, level, logger, message, one line each."""

import logging
import sys


def start_logging() -> None:
    """Log from level INFO on. Celery's processes have their own."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
