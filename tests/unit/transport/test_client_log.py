"""Rate limit of a Kafka client's log lines."""

import logging

import pytest

from transport.client_log import EVERY_S, Sparse


def said(kind: str, client: str, text: str) -> logging.LogRecord:
    return logging.LogRecord("librdkafka", logging.ERROR, "", 0, "%s [%s] %s", (kind, client, text), None)


@pytest.mark.parametrize(
    ("second", "after_s", "passes"),
    [
        pytest.param(said("FAIL", "consumer-1", "again"), 1, False, id="the same kind from the same client"),
        pytest.param(said("FAIL", "consumer-1", "again"), EVERY_S, True, id="a while later"),
        pytest.param(said("FAIL", "consumer-2", "again"), 1, True, id="another client"),
        pytest.param(said("SESSTMOUT", "consumer-1", "lost"), 1, True, id="another kind"),
    ],
)
def test_after_one_complaint_there_passes(second: logging.LogRecord, after_s: float, passes: bool) -> None:
    now = [100.0]
    sparse = Sparse(lambda: now[0])
    assert sparse.filter(said("FAIL", "consumer-1", "refused"))
    now[0] += after_s
    assert sparse.filter(second) is passes
