"""Servers of one graph that are killed and cut off while clients ask: each has a way of its own to the engine."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.house import Address
from tests.support.proxy import Cut, Proxy, proxied
from tests.support.running import Server, serving_together, settings_for

REACHED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Branch:
    """A server, and what it reaches the engine through."""

    server: Server
    proxy: Proxy


@dataclass
class Branches:
    """The servers, some of which are up."""

    all: list[Branch]
    up: list[int]
    """The numbers of those that can be asked now."""
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def now(self) -> list[int]:
        """The servers that are up, once there is one."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.up)
            return list(self.up)

    def cut(self, dice: random.Random) -> None:
        """Lets the next commit of some server that is up be cut, before the engine hears of it or before its answer."""
        if self.up:
            self.all[dice.choice(self.up)].proxy.cut(dice.choice(list(Cut)))

    @property
    def cuts(self) -> list[Cut]:
        """The cuts that were made."""
        return [cut for branch in self.all for cut in branch.proxy.done]

    def let_pass(self) -> None:
        """Cuts and holds nothing more."""
        for branch in self.all:
            branch.proxy.let_pass()

    async def kill(self, number: int, where: Cut | None, marker: str) -> None:
        """Kills a server, at once or while a commit that names the marker is held, and starts it again.

        It is not asked anything, and not cut off, until it is `back`.
        """
        branch = self.all[number]
        if where is not None:
            hold = branch.proxy.hold(marker, 1, where)
            async with asyncio.timeout(REACHED_SECONDS):
                await hold.reached.wait()
        self.up.remove(number)
        await branch.server.kill()
        branch.proxy.let_pass()
        await branch.server.start()

    async def back(self, number: int) -> None:
        """Lets a server that was killed be asked again."""
        async with self._changed:
            self.up.append(number)
            self._changed.notify_all()


@asynccontextmanager
async def branches(engine: Address, folder: Path, count: int) -> AsyncGenerator[Branches]:
    """So many servers on the engine, started at once and ready; those that run at the end must end well."""
    async with AsyncExitStack() as stack:
        opened: list[Branch] = []
        for number in range(count):
            proxy, address = await stack.enter_async_context(proxied(engine))
            opened.append(Branch(Server(folder / f"server-{number}", settings_for(address)), proxy))
        await stack.enter_async_context(serving_together([branch.server for branch in opened]))
        yield Branches(opened, list(range(count)))
