"""Money, prices and quantities: exact, as integers in the graph, and rounded in this module alone.

Posted money is an integer of minor units (cents). A quantity is an integer of 1e-8. A price is an exact decimal
kept as text. No float touches any of them.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

QUANTITY_DECIMALS = 8
QUANTITY_UNIT = 10**QUANTITY_DECIMALS
# One amount: 1e15 minor units. A sum of 9,000 of the largest still fits the engines' 64-bit integers, and the
# bound on a balance keeps every sum that is made in Cypher inside them.
MAX_MINOR = 10**15
MAX_BALANCE_MINOR = 10**17
MAX_QUANTITY = 10**10 * QUANTITY_UNIT // 100
MAX_PRICE_DIGITS = 18

_PLAIN = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)

# ISO 4217 currencies whose minor unit is not a hundredth; https://www.iso.org/iso-4217-currency-codes.html
_OTHER_DECIMALS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF")
        + ("XOF", "XPF"),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_TWO_DECIMALS = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
    CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV
    MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD
    SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW
    ZWG""".split()
)


def currency_decimals(currency: str) -> int | None:
    """How many decimals the currency's amounts have (ISO 4217), or None where there is no such currency."""
    if currency in _TWO_DECIMALS:
        return 2
    return _OTHER_DECIMALS.get(currency)


def currencies_with(decimals: int) -> tuple[str, ...]:
    """The currencies whose amounts have so many decimals, which are not the usual 2; sorted."""
    return tuple(sorted(currency for currency, other in _OTHER_DECIMALS.items() if other == decimals))


def parse_plain(text: str) -> Decimal | None:
    """An exact decimal from ASCII digits without an exponent, a sign of plus or spaces; None for anything else."""
    return Decimal(text) if len(text) <= 40 and _PLAIN.fullmatch(text) else None


def to_minor(amount: Decimal, currency: str) -> int | None:
    """Minor units of an amount that has no more decimals than its currency; None where it has more."""
    decimals = currency_decimals(currency)
    if decimals is None:
        return None
    scaled = _EXACT.scaleb(amount, decimals)
    return int(scaled) if scaled == scaled.to_integral_value() else None


def from_minor(minor: int, currency: str) -> Decimal:
    """The amount of so many minor units, with exactly the currency's decimals."""
    return _EXACT.scaleb(Decimal(minor), -(currency_decimals(currency) or 0))


def round_to_minor(amount: Decimal, currency: str) -> int:
    """The one rounding of money: half-even, to minor units of the currency."""
    with localcontext(_EXACT):
        return int(amount.scaleb(currency_decimals(currency) or 0).to_integral_value(rounding=ROUND_HALF_EVEN))


def to_scaled(quantity: Decimal) -> int | None:
    """A quantity as an integer of 1e-8; None where it has more than 8 decimals."""
    scaled = _EXACT.scaleb(quantity, QUANTITY_DECIMALS)
    return int(scaled) if scaled == scaled.to_integral_value() else None


def from_scaled(scaled: int) -> Decimal:
    """The quantity of so many 1e-8, without needless zeros."""
    return plain(_EXACT.scaleb(Decimal(scaled), -QUANTITY_DECIMALS))


def plain(value: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent."""
    normal = value.normalize(_EXACT)
    exponent = normal.as_tuple().exponent
    return normal.quantize(Decimal(1), context=_EXACT) if isinstance(exponent, int) and exponent > 0 else normal


def value_of(scaled_quantity: int, price: Decimal) -> Decimal:
    """Quantity times price, exact and unrounded."""
    with localcontext(_EXACT):
        return from_scaled(scaled_quantity) * price


def average_price(parts: "list[tuple[int, Decimal]]") -> Decimal:
    """The mean price of (scaled quantity, price) parts weighted by quantity, rounded half-even to 6 decimals."""
    with localcontext(_EXACT):
        quantity = sum(part for part, _ in parts)
        total = sum((Decimal(part) * price for part, price in parts), Decimal(0))
        return plain((total / quantity).quantize(Decimal("0.000001")))


def mean_price(cost: Decimal, scaled_quantity: int) -> Decimal:
    """What one costs where so much (1e-8) cost so much together, rounded half-even to 6 decimals."""
    with localcontext(_EXACT):
        return plain((cost * QUANTITY_UNIT / scaled_quantity).quantize(Decimal("0.000001")))


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of minor units in a currency."""

    minor: int
    currency: str

    @property
    def amount(self) -> Decimal:
        """The amount as an exact decimal with the currency's own decimals."""
        return from_minor(self.minor, self.currency)
