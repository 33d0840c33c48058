"""Which identifier has what we make: derived from what caused it, never minted."""

import hashlib
from uuid import UUID, uuid5

# UUIDv5 of the DNS name "predictions.signalbox" in the RFC 9562 DNS namespace. Changing it changes every id.
NAMESPACE = UUID("6f95946d-23b4-54b8-bc6b-0124df7ec5b8")

_namespaced = hashlib.sha1(NAMESPACE.bytes, usedforsecurity=False)
# the two bits that RFC 9562 fixes in the 17th hexadecimal digit
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def prediction_id(tenant_id: str, source: str, event_id: str, workflow: str, arm: str) -> str:
    """The id of one inference: `pred_` and a UUIDv5 (RFC 9562, section 5.5).

    The same on every retry, redelivery and replay, whatever model version or routing table is in force by
    then. Each part goes in with its length, so that no two different lists of parts make the same name.
    """
    name = (
        f"{len(tenant_id)}:{tenant_id}{len(source)}:{source}{len(event_id)}:{event_id}"
        f"{len(workflow)}:{workflow}{len(arm)}:{arm}"
    )
    sha1 = _namespaced.copy()
    sha1.update(name.encode("utf-8", "surrogatepass"))
    digits = sha1.hexdigest()
    # written out by hand: uuid.UUID takes 3 of the 15 us that a routed event may cost
    fourth = f"{_VARIANT[digits[16]]}{digits[17:20]}"
    return f"pred_{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{fourth}-{digits[20:32]}"


def derived_id(kind: str, *parts: str) -> str:
    """The id of an event of our own: `kind`, an underscore, and the UUIDv5 of the parts and their lengths."""
    return f"{kind}_{uuid5(NAMESPACE, ''.join(f'{len(part)}:{part}' for part in (kind, *parts)))}"
