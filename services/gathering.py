"""Commands that need the market: what the graph alone refuses is refused before the market is asked."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from graph import accounts
from graph.database import Reader, Row
from services.amounts import check_fits, check_positive
from services.commands import Act, Command, PlanT
from services.desk import Desk
from services.problems import Problem
from services.standing import require_active, require_own_money


class MoneyCommand(Command[PlanT]):
    """A command that moves money or positions of accounts, at the market's prices or on its date."""

    @abstractmethod
    def sides(self) -> Sequence[tuple[str, str]]:
        """The id of each account that it posts on, with the input field that names it."""

    @abstractmethod
    async def ask_market(self, desk: Desk) -> Any:
        """What the market alone knows: `act.facts` afterwards. Raises Refused."""

    def money(self) -> str | None:
        """The positive amount that the input names, in the currency of the first side; None where it names none."""
        return None

    async def check_placed(self, reader: Reader) -> list[Problem]:
        money = self.money()
        if money is None or check_positive(money, "amount"):
            return []
        side = self.sides()[0][0]
        return check_fits(money, (await accounts.find(reader, [side]))[side]["currency"], "amount")

    def locks(self) -> Sequence[str]:
        return [node for node, _ in self.sides()]

    async def gather(self, desk: Desk, act: Act) -> Any:
        del act
        await self.stand(desk.reads)
        return await self.ask_market(desk)

    async def stand(self, reader: Reader) -> dict[str, Row]:
        """The accounts by id, as they are. Raises Refused where one cannot do this, whatever the market says."""
        found = await accounts.find(reader, self.locks())
        for node, field in self.sides():
            require_active(found[node], field)
            require_own_money(found[node], field)
        self.fit(found)
        return found

    def fit(self, found: Mapping[str, Row]) -> None:
        """Refuses accounts that this command cannot do with."""
