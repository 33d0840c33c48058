"""The values of a batch view come back as they were put; what is none counts as not there."""

import pytest

from features.batch_reading import decode_values, encode_values
from features.reading import Values


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(Values(0, {}), id="nothing known"),
        pytest.param(Values(1_763_740_000_000, {"category": "toys", "price": 1 / 3}), id="text and number"),
        pytest.param(Values(2**53, {"é": "\n"}), id="letters of all kinds"),
    ],
)
def test_they_come_back(row: Values) -> None:
    assert decode_values(encode_values(row)) == row


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="no row"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x02" + bytes(7), id="half a header"),
        pytest.param(b"\x01" + encode_values(Values(5, {}))[1:], id="a row of increments"),
        pytest.param(encode_values(Values(5, {"a": 1.0}))[:-1], id="cut off"),
        pytest.param(b"\x02" + bytes(8) + b"\x93\x01\x02\x03", id="no map"),
        pytest.param(b"\x02" + bytes(8) + b"\x81\xa1\xff\x01", id="a name that is no text"),
    ],
)
def test_what_is_none_is_not_there(value: bytes | None) -> None:
    assert decode_values(value) is None
