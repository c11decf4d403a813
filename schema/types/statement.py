"""A period of an account's statement, as clients see it."""

import strawberry
from strawberry import UNSET

from graph.database import Row
from graph.filters import EntryTest
from graph.reads_statements import Balances
from resolvers import transactions
from schema.fields import After, First, Info, described, page_args
from schema.scalars import Date
from schema.types.money import Money, money
from schema.types.page import Connection, connection
from schema.types.transaction import Transaction, transaction


@strawberry.type(description="A period of an account's statement, by value date: what it began with, and ended with.")
class Statement:
    """A period of an account's statement."""

    account_id: strawberry.Private[str]
    first_day: Date = strawberry.field(name="from", description="The first day.")
    to: Date = strawberry.field(description="The last day.")
    opening: Money = strawberry.field(description="The balance before the first day.")
    closing: Money = strawberry.field(description="The balance at the end of the last day.")

    @described
    async def entries(self, info: Info, first: First = 50, after: After = UNSET) -> Connection[Transaction]:
        """The period's posted entries, newest first; they lead from the opening balance to the closing one."""
        test = EntryTest(states=("POSTED",), first_day=self.first_day, last_day=self.to)
        page = page_args(first, after, size=50)
        return connection(await transactions.of_account(info.context, self.account_id, test, page), transaction)

    @classmethod
    def over(cls, account: Row, period: transactions.Period, balances: Balances) -> "Statement":
        """The account's statement over the period."""
        return cls(
            account_id=account["id"],
            first_day=Date(period.first),
            to=Date(period.last),
            opening=money(balances.opening, account["currency"]),
            closing=money(balances.closing, account["currency"]),
        )
