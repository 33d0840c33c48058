"""Money in a currency's minor unit, and as people write it. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"

MINOR_DIGITS: Final[Mapping[str, int]] = MappingProxyType(
    dict.fromkeys(_NONE.split(), 0) | dict.fromkeys(_THREE.split(), 3) | dict.fromkeys(_FOUR.split(), 4)
)
"""Digits of the minor unit of the currencies that do not have two (ISO 4217:2015, table A.1)."""


def minor_digits(currency: str) -> int:
    """How many digits follow the decimal point of an amount in `currency` (ISO 4217)."""
    return MINOR_DIGITS.get(currency, 2)


def minor_units(amount: float, currency: str) -> int:
    """A shop's amount in the currency's minor unit: 12.5 EUR are 1250, 12.0 JPY are 12."""
    # by its shortest decimal text, which is what the shop wrote: 1.15 * 100 is 114.99999999999999
    return int((Decimal(repr(amount)) * 10 ** minor_digits(currency)).to_integral_value())


def written(minor: int, currency: str) -> str:
    """1250 EUR as `12.50 EUR`, 125000 as `1,250.00 EUR`."""
    digits = minor_digits(currency)
    return f"{Decimal(minor).scaleb(-digits):,.{digits}f} {currency}"
