"""What every event carries, whatever it is about."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(min_length=1, max_length=256)]
# Semantic Versioning 2.0.0, without the build part that no consumer may act on.
_NUMBER = r"(0|[1-9][0-9]{0,5})"
SemVer = Annotated[str, Meta(max_length=64, pattern=rf"^{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-[0-9A-Za-z.-]+)?\Z")]
# Year 0 to 9999: what a date can be made of.
EpochMillis = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One event. Fields that it carries beyond these are kept in its bytes, and are not looked at."""

    event_id: Name
    event_type: Name
    source: Name
    version: SemVer
    occurred_at: EpochMillis
    tenant_id: Name
    payload: dict[str, Any]
    traceparent: str | None = None

    @property
    def major(self) -> int:
        """The major version, which decides how the payload is read."""
        return int(self.version.partition(".")[0])
