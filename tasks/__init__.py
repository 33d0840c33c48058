"""Celery workers: the app, the lifecycle of a batch, then one module per workflow."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celery import Celery

    app: Celery


def __getattr__(name: str) -> object:
    """`celery -A tasks` asks for `app`, and it is made: who imports only a part of this needs no settings."""
    if name == "app":
        from tasks.celery import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
