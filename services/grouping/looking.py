"""What commands that are judged at the same time read: a few statements for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from graph import accounts, journal, operations, positions, settings, structure
from graph.database import Database, Row
from graph.ids import Kind, kind_of
from graph.memory import Memory
from graph.query import gathered
from services.grouping.lane import Lane

MOST_COMMANDS = 64
# The policy's number first: whatever is read after it is at least as new, and compared with it at the commit.
LOOK = gathered(
    "looking.read",
    policies=(journal.POLICY_OF_ACCOUNTS, ("id", "policy")),
    operations=(operations.FIND_BY_KEY, ("key", "operation")),
    places=(structure.LOCATE_ACCOUNTS, ("id", "root", "path")),
    accounts=(accounts.FIND, ("id", "node")),
    positions=(positions.OF_ACCOUNTS, ("account", "position")),
    settings=(settings.OF_ACCOUNTS, ("id", "own", "tier", "template", "shared")),
    above=(settings.ABOVE_ACCOUNTS, ("id", "own", "locks", "schema", "sets")),
)


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
        keys = list(dict.fromkeys(look.key for look in looks if look.key is not None))
        (row,) = await self._database.run(LOOK, ids=ids, keys=keys)
        memory.learn(journal.POLICY, [each["id"] for each in row["policies"]], row["policies"])
        memory.learn(operations.FIND_BY_KEY, keys, row["operations"])
        memory.learn(accounts.FIND, ids, row["accounts"])
        memory.learn(positions.OF_ACCOUNTS, ids, row["positions"])
        memory.learn(settings.OF_ACCOUNTS, ids, row["settings"])
        above: list[Row] = row["above"]
        memory.learn(settings.OF_GROUPS, [group["id"] for group in above], [group for group in above if group["sets"]])
        # Nothing is missing but where a move crossed what was read.
        await memory.read(settings.OF_GROUPS, await memory.learn_places(ids, row["places"]))
        return [memory] * len(looks)
