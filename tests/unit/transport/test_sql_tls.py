"""Which URLs of PostgreSQL are refused at start."""

from pathlib import Path

import pytest

from events.errors import ConfigError
from transport.database import open_database

ADDRESS = "postgresql+psycopg://u:s3cret@h/d"


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        (f"{ADDRESS}?sslmode=verify-ful", "sslmode must be one of disable, allow"),
        (f"{ADDRESS}?sslmode=verify-full&sslrootcert=/no/ca", "sslrootcert: /no/ca: no such file"),
        (f"{ADDRESS}?sslcert=/no/client", "sslcert: /no/client: no such file"),
        ("postgresql+psycopg://u@h:s3cret/d", "it is no URL: percent-encode"),
    ],
)
def test_a_url_that_no_connection_could_be_made_by_is_refused_without_its_password(
    url: str, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=f"DATABASE_URL: cannot be used: ({complaint})") as raised:
        open_database(url)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("authorities", ["system", "a file"])
def test_a_server_may_be_verified_by_a_file_or_by_what_the_system_trusts(
    authorities: str, tmp_path: Path
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("")
    trusted = authorities if authorities == "system" else ca
    open_database(f"{ADDRESS}?sslmode=verify-full&sslrootcert={trusted}").close()
