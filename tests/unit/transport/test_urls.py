"""What is left of a URL that is shown."""

import pytest

from transport.urls import masked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("redis://u:s3cret@h:1/0", "redis://u:**@h:1/0"),
        ("redis://:s3cret@h", "redis://:**@h"),
        (
            "cannot reach amqp://u:s3cret@a//;amqp://u:s3cret@b// now",
            "cannot reach amqp://u:**@a//;amqp://u:**@b// now",
        ),
        (
            "sentinel://h?master_name=m&sentinel_password=s3cret",
            "sentinel://h?master_name=m&sentinel_password=**",
        ),
        ("http://h/path", "http://h/path"),
        ("no address", "no address"),
    ],
)
def test_passwords_are_masked_wherever_they_are(text: str, expected: str) -> None:
    assert masked(text) == expected
