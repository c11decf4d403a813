"""What the system tells about another process: whether it ended, where it listens, how it was started."""

import os
import select
from pathlib import Path


def wait_gone(process: int, seconds: float) -> bool:
    """Whether the process, which need not be a child, ends within the time."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def listening_at(process: int) -> set[str]:
    """The local addresses, in the kernel's hexadecimal, at which a process takes TCP connections."""
    inodes: set[str] = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:  # closed since it was listed
            continue
        if target.startswith("socket:["):
            inodes.add(target.removeprefix("socket:[").removesuffix("]"))
    tables = [Path(f"/proc/net/{name}").read_text() for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    return {row[1] for row in rows if row[3] == "0A" and row[9] in inodes}


def loopback_at(uri: str) -> set[str]:
    """The forms in which `listening_at` tells that the port of this URI is taken on IPv4 loopback alone."""
    port = f"{int(uri.rpartition(':')[2]):04X}"
    return {f"0100007F:{port}", f"0000000000000000FFFF00000100007F:{port}"}


def command_line(process: int | None) -> str:
    """What others can see of how a process was started."""
    file = Path(f"/proc/{process}/cmdline")
    return file.read_text() if file.exists() else ""
