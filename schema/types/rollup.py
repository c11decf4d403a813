"""Totals over a group's subtree, as clients see them."""

import strawberry

from resolvers import groups
from schema.fields import Info, described
from schema.types.money import Money, money


@strawberry.type(
    description="Totals over a group's whole subtree, real money only; one Money for each currency. accountCount"
    " leaves out SIMULATED, COMPOSITE and CLOSED accounts."
)
class Rollup:
    """Totals over a group's subtree; each is summed when it is asked for."""

    group_id: strawberry.Private[str]

    @described
    async def account_count(self, info: Info) -> int:
        """How many accounts of real money there are that are not CLOSED."""
        return sum(row.accounts for row in await groups.cash(info.context, self.group_id))

    @described
    async def cash(self, info: Info) -> list[Money]:
        """Posted cash, in order of currency."""
        return [money(row.cash, row.currency) for row in await groups.cash(info.context, self.group_id)]

    @described
    async def market_value(self, info: Info) -> list[Money] | None:
        """Positions at the last known prices; null, with an error, where a price was never known."""
        return [money(row.minor, row.currency) for row in await groups.market_values(info.context, self.group_id)]

    @described
    async def total_value(self, info: Info) -> list[Money] | None:
        """Cash plus market value; null, with an error, where a price was never known."""
        return [money(row.minor, row.currency) for row in await groups.total_values(info.context, self.group_id)]
