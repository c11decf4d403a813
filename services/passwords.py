"""Passwords: their rule, and their argon2id hashes (RFC 9106), made off the event loop."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.problems import Problem, invalid

SHORTEST, LONGEST = 12, 128
_hasher = PasswordHasher()
# Checked where no such user exists, so that the answer takes the same time.
_nobody = _hasher.hash(secrets.token_hex(16))
_threads = ThreadPoolExecutor(2, thread_name_prefix="passwords")


def check_password(password: str, *path: str) -> list[Problem]:
    """The problem of a password that is not 12 to 128 characters."""
    if SHORTEST <= len(password) <= LONGEST:
        return []
    return [invalid(f"{path[-1]} must have {SHORTEST} to {LONGEST} characters", *path)]


async def hash_password(password: str) -> str:
    """The hash to keep of a password, with its own salt and parameters."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password fits the stored hash; False, in the same time, where there is none."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, stored, password)


def _verify(stored: str | None, password: str) -> bool:
    try:
        fits = _hasher.verify(stored or _nobody, password)
    except (VerificationError, InvalidHashError):
        return False
    return fits and stored is not None
