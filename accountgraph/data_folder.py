"""The data folder: made for its owner alone, and held by one process at a time."""

import errno
import os
import shutil
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

# Below this the engine could take commits that it cannot write out.
LEAST_FREE_BYTES = 64 * 1024 * 1024


class StartFailed(Exception):
    """Why the application cannot start, in one plain line."""


def hold_data_folder(data_dir: Path) -> BaseFileLock:
    """The held lock of a data folder, which is made where it is missing; the system frees it when the process ends.

    Raises StartFailed where another process holds it, or where it cannot be written or its disk is full.
    """
    make_folder(data_dir)
    lock = FileLock(data_dir / "lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StartFailed(f"another process is running on the data folder {data_dir}; stop it first") from None
    except OSError as error:
        raise StartFailed(unwritable(data_dir, error)) from error
    return lock


def make_folder(folder: Path) -> None:
    """Makes a folder that only its owner enters, and proves that it can be written.

    Raises StartFailed where it cannot, or where less than LEAST_FREE_BYTES is free.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"written")
        probe.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise StartFailed(unwritable(folder, error)) from error
    if free < LEAST_FREE_BYTES:
        raise StartFailed(f"the disk of {folder} is nearly full: {free >> 20} MB free, {LEAST_FREE_BYTES >> 20} needed")


def unwritable(folder: Path, error: OSError) -> str:
    """The plain line for a folder that cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {folder} is full"
    return f"the data folder {folder} cannot be written: {(error.strerror or str(error)).lower()}"
