"""One key of the settings catalogue: its type, bounds and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from services.settings.json_limits import Json

TIERS = ("GEN", "REV", "COM")
BINDS_ALL = "It binds accounts without a tier too, where it is set."
"""What is said of a key of the tier policy that rules obey: only its default is a tier's."""


class ValueType(StrEnum):
    """What a key's JSON value is.

    DECIMAL and SHARE take a string of plain digits or a JSON number; what was given is what is read back, and only
    comparisons turn it into an exact decimal. INT takes a whole JSON number.
    """

    DECIMAL = "DECIMAL"
    SHARE = "SHARE"
    INT = "INT"
    BOOLEAN = "BOOLEAN"
    ENUM = "ENUM"
    STRING = "STRING"
    STRING_LIST = "STRING_LIST"
    ID = "ID"
    DATE = "DATE"
    CURRENCY = "CURRENCY"
    JSON = "JSON"


class Stricter(StrEnum):
    """Which of two values allows less. For an ENUM, LOWER means the choice that is listed first."""

    LOWER = "LOWER"
    HIGHER = "HIGHER"
    TRUE = "TRUE"
    FALSE = "FALSE"
    SUBSET = "SUBSET"
    NONE = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A setting's name, type, bounds (inclusive) and defaults; a default of None means that there is none.

    `decimals` bounds a number's decimals, `length` a string's characters and `items` a list's entries. `choices`
    are the values of an ENUM or of a list's entries. `policy` keys are those that a decision is taken under.
    """

    name: str
    type: ValueType
    description: str
    unit: str | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    decimals: int = 0
    choices: tuple[str, ...] = ()
    length: int = 200
    items: int = 100
    default: Json = None
    tiers: Mapping[str, Json] = field(default_factory=dict[str, Json])
    stricter: Stricter = Stricter.NONE
    policy: bool = True

    def default_for(self, tier: str | None) -> Json:
        """The tier's default, else the catalogue's; None where there is none."""
        return self.default if tier is None else self.tiers.get(tier, self.default)


def every_tier(value: Json) -> dict[str, Json]:
    """The same default for each tier."""
    return dict.fromkeys(TIERS, value)


def money(name: str, description: str, **more: Any) -> Key:
    """A key of an amount in the account's currency, not negative."""
    bounds: dict[str, Any] = {
        "minimum": Decimal(0),
        "maximum": Decimal(10**13),
        "decimals": 4,
        "unit": "account currency",
    }
    return Key(name=name, type=ValueType.DECIMAL, description=description, **(bounds | more))


def share(name: str, description: str, **more: Any) -> Key:
    """A key of a part of a whole, from 0 to 1."""
    bounds: dict[str, Any] = {"minimum": Decimal(0), "maximum": Decimal(1), "decimals": 18, "unit": "share of 1"}
    return Key(name=name, type=ValueType.SHARE, description=description, **(bounds | more))


def whole(name: str, description: str, low: int, high: int, **more: Any) -> Key:
    """A key of a whole number from `low` to `high`."""
    return Key(
        name=name, type=ValueType.INT, description=description, minimum=Decimal(low), maximum=Decimal(high), **more
    )


def flag(name: str, description: str, **more: Any) -> Key:
    """A key that is true or false."""
    return Key(name=name, type=ValueType.BOOLEAN, description=description, **more)


def choice(name: str, description: str, *choices: str, **more: Any) -> Key:
    """A key of one of the choices."""
    return Key(name=name, type=ValueType.ENUM, description=description, choices=choices, **more)


def listing(name: str, description: str, *choices: str, **more: Any) -> Key:
    """A key of a list without repeats: of the choices, or of instrument symbols where there are none."""
    return Key(name=name, type=ValueType.STRING_LIST, description=description, choices=choices, **more)
