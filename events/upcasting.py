"""Upcasting: an event of an older major version becomes one of the newest, which workers read.

The router asks once, before it writes an event to a lane; the event as it came stays beside it.
"""

from typing import Any

import msgspec

from events.contract import Contract
from events.envelope import Envelope
from events.errors import DeadLetter
from events.payloads import Payloads
from events.retail import CONTRACT

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
# what an upcaster raises where it has overlooked a payload that its model lets through: the end of one event,
# and not of the router
_OVERLOOKED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


class Upcasting:
    """The upcasters of a contract."""

    def __init__(self, contract: Contract) -> None:
        self._payloads = Payloads(contract)
        self._contract = contract
        self._older = {
            event_type: majors[:-1]
            for event_type in contract.payloads
            if len(majors := contract.accepted(event_type)) > 1
        }

    def upcast(self, event: Envelope, json: bytes) -> tuple[Envelope, bytes]:
        """A valid event and its JSON in the newest major version; the very same where it has that.

        Undeclared fields of the envelope are kept. Raises `DeadLetter` (invalid_payload) if what
        comes of it does not fit the newest version.
        """
        older = self._older.get(event.event_type)
        if older is None or event.major not in older:
            return event, json
        newest = self._contract.accepted(event.event_type)[-1]
        named = f"{event.event_type} {event.version} as {newest}.0.0"
        payload: Any = event.payload
        try:
            for step in self._contract.chain(event.event_type, event.major):
                payload = step(payload)
            fields = {**_decode_fields(json), "version": f"{newest}.0.0", "payload": payload}
            raised = msgspec.structs.replace(event, version=f"{newest}.0.0", payload=payload)
            self._payloads.validate(raised)
            return raised, _encode(fields)
        except _OVERLOOKED as error:
            raise DeadLetter("invalid_payload", f"{named}: {type(error).__name__}: {error}") from error
        except DeadLetter as error:
            raise DeadLetter(error.cause, f"{named}: {error}") from error


upcast = Upcasting(CONTRACT).upcast
