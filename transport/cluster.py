"""Which Kafka the clients connect to, and what lets them in: brokers and librdkafka properties."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Kafka that asks for more than its address: TLS, SASL, any other librdkafka property.

    The properties hold secrets and are left out of `repr`.
    """

    bootstrap: str
    properties: Mapping[str, Any] = field(default_factory=dict, repr=False)


Bootstrap = str | Cluster
"""`host:port` of one or several brokers, or a `Cluster` if the address is not enough."""


def client_properties(kafka: Bootstrap) -> dict[str, Any]:
    """librdkafka's properties that every client of this Kafka begins with."""
    if isinstance(kafka, str):
        return {"bootstrap.servers": kafka}
    return {"bootstrap.servers": kafka.bootstrap, **kafka.properties}
