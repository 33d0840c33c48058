"""How is money counted in its minor unit, and how written? Pure."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

DIGITS: Final[Mapping[str, int]] = MappingProxyType(
    {"JPY": 0, "KRW": 0, "ISK": 0, "VND": 0, "BHD": 3, "KWD": 3, "TND": 3}
)
"""Of the currencies that have no two (ISO 4217)."""


def minor_units(amount: float, currency: str) -> int:
    """A shop's amount in the currency's minor unit: 12.5 EUR are 1250, 12.0 JPY are 12."""
    # by its shortest decimal text, which is what the shop wrote: 1.15 * 100 is 114.99999999999999
    return int((Decimal(repr(amount)) * 10 ** DIGITS.get(currency, 2)).to_integral_value())


def written(minor: int, currency: str) -> str:
    """1250 EUR as `12.50 EUR`."""
    digits = DIGITS.get(currency, 2)
    return f"{Decimal(minor).scaleb(-digits):,.{digits}f} {currency}"
