"""What commands that are judged at the same time read: a few statements for all of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from graph import accounts, journal, operations, positions, settings
from graph.database import Database
from graph.ids import Kind, kind_of
from graph.memory import Memory
from services.grouping.lane import Lane

MOST_COMMANDS = 64


@dataclass(frozen=True, slots=True)
class _Look:
    """What one command is about: its operation's key, where it may have one, and the ids that it names."""

    key: str | None
    ids: Sequence[str]


class Looking:
    """Reads for the commands that arrive while earlier ones are being read for, all at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lane: Lane[_Look, Memory] = Lane(self._read, MOST_COMMANDS)

    async def of(self, key: str | None, ids: Sequence[str]) -> Memory:
        """A reader that knows what judging commands on accounts takes, as it was after this call.

        `key` is of the command's operation, and `ids` are those that it names. Raises EngineUnavailable.
        """
        return await self._lane.do(_Look(key, ids))

    async def _read(self, looks: Sequence[_Look]) -> list[Memory]:
        memory = Memory(self._database)
        ids = list(dict.fromkeys(one for look in looks for one in look.ids if kind_of(one) is Kind.ACCOUNT))
        keys = [look.key for look in looks if look.key is not None]
        # The policy's number first: whatever is read after it is at least as new, and compared with it at the commit.
        await asyncio.gather(memory.read(operations.FIND_BY_KEY, keys), self._read_policies(memory, ids))
        ways = (accounts.FIND, positions.OF_ACCOUNTS, settings.OF_ACCOUNTS)
        places = asyncio.create_task(memory.read_places(ids))
        await asyncio.gather(places, *(memory.read(query, ids) for query in ways))
        await memory.read(settings.OF_GROUPS, places.result())
        return [memory] * len(looks)

    async def _read_policies(self, memory: Memory, ids: Sequence[str]) -> None:
        rows = await self._database.run(journal.POLICY_OF_ACCOUNTS, ids=list(ids))
        memory.learn(journal.POLICY, [row["id"] for row in rows], rows)
