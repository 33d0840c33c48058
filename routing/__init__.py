"""Routing: the workflow, urgency and queue of an event, by a table that is data. Pure."""

from events.priority import Priority
from routing.catalogue import Catalogue, Pool, QueueSpec, WorkflowSpec
from routing.deciding import route
from routing.loading import load
from routing.report import nearest
from routing.rules import LaneSpec, Rules
from routing.table import Route, Table

__all__ = [
    "Catalogue",
    "LaneSpec",
    "Pool",
    "Priority",
    "QueueSpec",
    "Route",
    "Rules",
    "Table",
    "WorkflowSpec",
    "load",
    "nearest",
    "route",
]
