"""Which identifier an inference has: derived from what caused it, never minted."""

import hashlib
from uuid import UUID

# UUIDv5 of the DNS name "predictions.signalbox" in the RFC 9562 DNS namespace. Changing it changes every id.
NAMESPACE = UUID("6f95946d-23b4-54b8-bc6b-0124df7ec5b8")


def prediction_id(tenant_id: str, source: str, event_id: str, workflow: str, arm: str) -> str:
    """The id of one inference: `pred_` and a UUIDv5 (RFC 9562, section 5.5).

    The same on every retry, redelivery and replay, whatever model version or routing table is in force by then.
    Each part goes in with its length, so that no two different lists of parts make the same name.
    """
    name = "".join(f"{len(part)}:{part}" for part in (tenant_id, source, event_id, workflow, arm))
    digest = hashlib.sha1(NAMESPACE.bytes + name.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    return f"pred_{UUID(bytes=digest[:16], version=5)}"
