"""Masking of personal data in logs, traces and on screens.

By pattern, so it is neither complete nor free of false finds: rather a digit too many than one too few. Names
stay, which no pattern knows, and ids such as `o-123`, which an operator looks for. Every pattern is
linear: its text is a stranger's.
"""

import logging
import re
from typing import Any

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
# two letters, two digits, then up to thirty, in groups as banks print them (ISO 13616)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}\b")
_CARD = re.compile(r"(?<![\w+-])\d(?:[ -]?\d){11,18}(?![\w-])")
_PHONE = re.compile(r"(?<![\w-])\+?\(?\d(?:[ ./()-]{0,3}\d){7,14}(?![\w-])")
_DATE = re.compile(r"\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{4}")
_STREET = re.compile(
    r"\b\d{1,5}[a-z]?,?\s(?:[A-Z][\w'-]{1,30}\s){1,3}"
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Close|Court|Way|Square|Crescent)\b"
    r"|\b[A-ZÄÖÜ][\w-]{0,40}(?:straße|strasse|str\.|weg|platz|allee|gasse)\s\d{1,4}\s?[a-z]?\b"
)
# of Great Britain, and a number of five digits before a place's name
_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b|\b\d{5}(?=\s[A-ZÄÖÜ][a-zäöüß]{2,})")


def mask(text: str) -> str:
    """The text with a word in brackets for what could reach or charge a customer."""
    text = _EMAIL.sub("[e-mail]", text)
    text = _IBAN.sub("[iban]", text)
    text = _CARD.sub("[card]", text)
    text = _PHONE.sub(_phone, text)
    text = _STREET.sub("[address]", text)
    return _POSTCODE.sub("[postcode]", text)


def masked(value: Any) -> Any:
    """The same of every text in a value as JSON has them, whatever the keys are."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: masked(each) for key, each in value.items()}
    return [masked(each) for each in value] if isinstance(value, list | tuple) else value


class MaskingFilter(logging.Filter):
    """On a handler: all that it writes is masked, with the traceback, from any logger."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true. The record's arguments are put into its message."""
        record.msg, record.args = mask(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        # a formatter takes this text where it is there
        record.exc_text = mask(record.exc_text) if record.exc_text else None
        return True


def mask_loggers(*names: str) -> None:
    """Mask whatever comes to the handlers that these loggers have by now; the root's name is empty."""
    for name in names:
        for handler in logging.getLogger(name).handlers:
            if not any(isinstance(each, MaskingFilter) for each in handler.filters):
                handler.addFilter(MaskingFilter())


def _phone(match: re.Match[str]) -> str:
    return match[0] if _DATE.match(match[0]) else "[phone]"
