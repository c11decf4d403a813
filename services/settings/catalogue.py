"""The catalogue of settings: every key that has a meaning here, and what a key of its own kind may be."""

import hashlib
import re
from dataclasses import asdict
from functools import cache
from types import MappingProxyType

import orjson

from services.settings.json_limits import Json
from services.settings.key import TIERS, Key, ValueType
from services.settings.keys_account import BENCHMARK, INTEGRATION, REPORTING
from services.settings.keys_lifecycle import FORK, MERGE, REINVEST
from services.settings.keys_policy import MARKET_POLICY, TIER_POLICY
from services.settings.keys_trading import APPROVAL, LIMITS, RISK

KEYS: tuple[Key, ...] = (
    *LIMITS,
    *RISK,
    *APPROVAL,
    *FORK,
    *MERGE,
    *REINVEST,
    *TIER_POLICY,
    *MARKET_POLICY,
    *BENCHMARK,
    *REPORTING,
    *INTEGRATION,
)
CATALOGUE: MappingProxyType[str, Key] = MappingProxyType({key.name: key for key in KEYS})

MAX_KEY_LENGTH = 128
_CUSTOM = re.compile(r"custom(\.[\w-]+)+")


def key_of(name: str) -> Key | None:
    """The catalogue's key of this name, or a key of any JSON where it stands under `custom.`; None for others."""
    if name in CATALOGUE:
        return CATALOGUE[name]
    if len(name) <= MAX_KEY_LENGTH and _CUSTOM.fullmatch(name):
        return Key(name=name, type=ValueType.JSON, description="The caller's own.", policy=False)
    return None


@cache
def catalogue_digest() -> str:
    """SHA-256 (hex) of the catalogue's whole content; a decision names with it the defaults it was taken under."""
    content: list[Json] = [asdict(key) for key in sorted(KEYS, key=lambda key: key.name)]
    return hashlib.sha256(orjson.dumps(content, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()


def default_values(tier: str | None) -> dict[str, Json]:
    """The defaults that hold for an account of this tier, or of none, where nothing is set."""
    assert tier is None or tier in TIERS, f"no such tier: {tier}"
    defaults = {key.name: key.default_for(tier) for key in KEYS}
    return {name: value for name, value in defaults.items() if value is not None}
