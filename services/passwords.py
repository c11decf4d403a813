"""Passwords: their rule, and their argon2id hashes (RFC 9106), made off the event loop."""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.problems import Problem, invalid

SHORTEST, LONGEST = 12, 128
_hasher = PasswordHasher()
# Checked where no such user exists, so that the answer takes the same time.
_nobody = _hasher.hash(secrets.token_hex(16))
_at_once = asyncio.Semaphore(2)


def check_password(password: str, *path: str) -> list[Problem]:
    """The problem of a password that is not 12 to 128 characters."""
    if SHORTEST <= len(password) <= LONGEST:
        return []
    return [invalid(f"{path[-1]} must have {SHORTEST} to {LONGEST} characters", *path)]


async def hash_password(password: str) -> str:
    """The hash to keep of a password, with its own salt and parameters."""
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password fits the stored hash; False, in the same time, where there is none."""
    async with _at_once:
        return await asyncio.to_thread(_verify, stored, password)


def _verify(stored: str | None, password: str) -> bool:
    try:
        fits = _hasher.verify(stored or _nobody, password)
    except (VerificationError, InvalidHashError):
        return False
    return fits and stored is not None
