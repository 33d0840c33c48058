"""Validation of a payload by its event's type and major version."""

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from events.contract import Contract
from events.envelope import Envelope
from events.errors import DeadLetter
from events.retail import CONTRACT

EVENT_TYPES = frozenset(CONTRACT.payloads)
_KINDS = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    dict: "an object",
    list: "a list",
}
_SHOWN_ERRORS = 3


class Payloads:
    """The payloads that a contract accepts."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        # the compiled validators themselves: `model_validate` costs another half a microsecond
        self._validators = {
            (event_type, major): by_major[major].__pydantic_validator__
            for event_type, by_major in contract.payloads.items()
            for major in contract.accepted(event_type)
        }

    def declared(self, event_type: str) -> bool:
        """Whether the payload of this type is declared."""
        return event_type in self._contract.payloads

    def validate(self, envelope: Envelope) -> BaseModel:
        """The payload as its type and major version declare it, with the fields beyond that in `model_extra`.

        Raises `DeadLetter`: unknown_version where this major version is not accepted, invalid_payload naming
        the fields.
        """
        validator = self._validators.get((envelope.event_type, envelope.major))
        if validator is None:
            raise DeadLetter("unknown_version", self._undeclared(envelope))
        try:
            model: BaseModel = validator.validate_python(envelope.payload)
        except ValidationError as error:
            raise DeadLetter("invalid_payload", f"{_named(envelope)}: {_explained(error)}") from error
        return model

    def _undeclared(self, envelope: Envelope) -> str:
        accepted = self._contract.accepted(envelope.event_type)
        if not accepted:
            return f"{_named(envelope)}: nobody declared this type; declare its payload in PAYLOADS"
        known = ", ".join(map(str, accepted))
        if (envelope.event_type, envelope.major) in self._contract.retired:
            return f"{_named(envelope)}: major version {envelope.major} is retired; declared: {known}"
        return f"{_named(envelope)}: major version {envelope.major} is not declared; declared: {known}"


_payloads = Payloads(CONTRACT)
declared = _payloads.declared
validate = _payloads.validate


def _named(envelope: Envelope) -> str:
    return f"{envelope.event_type} {envelope.version}"


def _explained(error: ValidationError) -> str:
    errors = error.errors(include_url=False, include_context=False)
    shown = "; ".join(_one(each) for each in errors[:_SHOWN_ERRORS])
    return shown if len(errors) <= _SHOWN_ERRORS else f"{shown}; and {len(errors) - _SHOWN_ERRORS} more"


def _one(error: ErrorDetails) -> str:
    field = ".".join(str(part) for part in ("payload", *error["loc"]))
    if error["type"] == "missing":
        return f"{field} is missing"
    message = error["msg"][:1].lower() + error["msg"][1:]
    return f"{field}: {message}, is {_KINDS.get(type(error['input']), 'null')}"
