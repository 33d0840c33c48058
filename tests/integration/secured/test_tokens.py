"""Kafka by OAUTHBEARER: the function that a setting names gives the token, and a broker takes it."""

import base64
import time

import msgspec
import pytest

from events.topics import EVENTS
from tests.integration.secured.parts import Secured
from tests.integration.secured.servers import USER
from transport.kafka import admin_client
from transport.kafka_access import secured_cluster
from transport.topics import existing_topics

# one process of a parallel run starts the services
pytestmark = [pytest.mark.xdist_group("secured"), pytest.mark.timeout(600)]


def token(_config: str) -> tuple[str, float]:
    """As a company's own module would: a token and when it expires."""
    now = time.time()
    parts = ({"alg": "none"}, {"sub": USER, "iat": now, "exp": now + 300})
    encoded = [base64.urlsafe_b64encode(msgspec.json.encode(part)).decode().rstrip("=") for part in parts]
    return f"{'.'.join(encoded)}.", now + 300


def test_a_token_of_the_named_function_lets_a_client_in(secured: Secured) -> None:
    variables = secured.variables(USER, "")
    variables["KAFKA_SASL_MECHANISM"] = "OAUTHBEARER"
    del variables["KAFKA_SASL_USERNAME"], variables["KAFKA_SASL_PASSWORD"]
    cluster = secured_cluster(secured.bootstrap, variables, callback=f"{__name__}:token")
    assert EVENTS in existing_topics(admin_client(cluster))
