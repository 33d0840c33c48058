"""Addresses with passwords: split without an error that quotes them, and masked before they are shown."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from events.errors import ConfigError, Problem

Refuse = Callable[[str], ConfigError]
"""Makes the error about a variable; never handed its value."""

_PASSWORD = re.compile(r"(://[^:/@\s]*):[^@\s]*@")
_SECRET_PARAMETER = re.compile(r"([?&][^=&\s]*(?:password|secret|token)[^=&\s]*)=[^&;\s]*", re.IGNORECASE)


class Url(NamedTuple):
    """The parts of one URL, percent-decoded. The scheme is in lower case."""

    scheme: str
    user: str | None
    password: str | None
    host: str
    port: int | None
    path: str
    query: dict[str, str]


def refusing(variable: str) -> Refuse:
    """Errors about this variable."""
    return lambda message: ConfigError([Problem("environment", 0, variable, message)])


def split_url(text: str, refuse: Refuse) -> Url:
    """The parts of a URL. Raises `ConfigError` without the text: it may hold a password."""
    try:
        parts = urlsplit(text)
        port = parts.port
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise refuse("is no URL: percent-encode what is special in its user or password") from None
    if not parts.scheme or not text[len(parts.scheme) :].startswith("://"):
        raise refuse("is no URL: it must begin with a scheme, as redis:// does")
    if parts.fragment:
        raise refuse("has a # in it: percent-encode it as %23")
    if len(dict(pairs)) < len(pairs):
        raise refuse("has one parameter twice")
    return Url(
        parts.scheme.lower(),
        _decoded(parts.username),
        _decoded(parts.password),
        unquote(parts.hostname or ""),
        port,
        unquote(parts.path),
        dict(pairs),
    )


def login(user: str | None, password: str | None) -> str:
    """What stands before the host of a URL."""
    if not user and not password:
        return ""
    return f"{quote(user or '', safe='')}:{quote(password or '', safe='')}@"


def host_of(host: str) -> str:
    """A host as it is written in a URL."""
    return f"[{host}]" if ":" in host else quote(host, safe="")


def masked(text: str) -> str:
    """A text with the passwords of its URLs replaced by `**`."""
    return _SECRET_PARAMETER.sub(r"\1=**", _PASSWORD.sub(r"\1:**@", text))


REQUIREMENTS: Mapping[str, str] = {
    spelling: level for level in ("required", "optional", "none") for spelling in (level, f"cert_{level}")
}
FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
TLS_PARAMETERS = (*FILES, "ssl_cert_reqs", "ssl_check_hostname")


def tls_options(query: Mapping[str, str], refuse: Refuse) -> dict[str, Any]:
    """redis-py's names and values for the TLS parameters of a URL. The server is verified by default.

    Raises `ConfigError` if a value is none of those known, or a file is missing.
    """
    asked = query.get("ssl_cert_reqs", "required").lower()
    if asked not in REQUIREMENTS:
        raise refuse("ssl_cert_reqs must be required, optional or none (CERT_REQUIRED … are the same)")
    checked = query.get("ssl_check_hostname", "true").lower()
    if checked not in ("true", "false"):
        raise refuse("ssl_check_hostname must be true or false")
    options: dict[str, Any] = {
        "ssl_cert_reqs": REQUIREMENTS[asked],
        "ssl_check_hostname": checked == "true" and REQUIREMENTS[asked] != "none",
    }
    for name in FILES:
        if name in query:
            if not Path(query[name]).is_file():
                raise refuse(f"{name}: {query[name]}: no such file")
            options[name] = query[name]
    if "ssl_keyfile" in options and "ssl_certfile" not in options:
        raise refuse("ssl_keyfile needs ssl_certfile beside it")
    return options


def refuse_unknown(query: Mapping[str, str], known: tuple[str, ...], refuse: Refuse) -> None:
    """Raises `ConfigError` naming the first parameter that has no effect."""
    for name in query:
        if name not in known:
            raise refuse(f"has the parameter {name[:40]}; known: {', '.join(known) or 'none'}")


def _decoded(text: str | None) -> str | None:
    return None if text is None else unquote(text)
