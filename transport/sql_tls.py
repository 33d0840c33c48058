"""PostgreSQL over TLS: what of a URL's `ssl…` parameters is wrong, found before anything connects.

libpq reports it at each connection, where it looks like an outage that passes.
"""

from collections.abc import Mapping
from pathlib import Path

MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
FILES = ("sslrootcert", "sslcert", "sslkey")
SYSTEM = "system"
"""As `sslrootcert`: the authorities that OpenSSL knows."""


def problem(query: Mapping[str, object]) -> str | None:
    """Why libpq could not connect with these parameters; None if it can."""
    if query.get("sslmode", "prefer") not in MODES:
        return f"sslmode must be one of {', '.join(MODES)}"
    for name in FILES:
        path = query.get(name)
        if path is not None and path != SYSTEM and not Path(str(path)).is_file():
            return f"{name}: {path}: no such file"
    return None
