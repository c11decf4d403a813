"""Holds the graph, page by page, against what was told of many transfers: no page is kept."""

from collections.abc import AsyncGenerator

from graph import accounts
from graph.checks import HEAD
from graph.database import Database, Row
from graph.query import Query
from tests.support.callers import asked
from tests.support.graphs import statement
from tests.support.transfers import Outcomes, Transfers
from tests.support.writers import FIRST, Tenant

PAGE = 1_000
ENTRIES = statement(
    "MATCH (e:Entry) WHERE e.ledger = $id AND e.place > $after AND e.place <= $last "
    "RETURN e.place AS place, e.operation AS operation, e.kind AS kind, e.state AS state, e.amount AS amount, "
    "e.balanceAfter AS balance, e.counterparty AS counterparty, e.at AS at ORDER BY place"
)
CHANGES = statement(
    "MATCH (c:Change) WHERE c.feed = $id AND c.number > $after AND c.number <= $last "
    "RETURN c.number AS place, c.operation AS operation, c.at AS at ORDER BY place"
)


class Audit:
    """The transfers that must be there, by their operations, and which of their parts were found so far."""

    def __init__(self, database: Database, transfers: Transfers, outcomes: Outcomes) -> None:
        self._database = database
        self._transfers = transfers
        self._outcomes = outcomes
        self._numbers = {operation: number for number, operation in outcomes.done.items()}
        assert len(self._numbers) == len(outcomes.done), "two transfers are one operation"
        self._entries = bytearray(transfers.count)
        self._records = bytearray(transfers.count)

    async def require(self) -> None:
        """Asserts that every transfer which was acknowledged is there once, and nothing else."""
        await self._require_operations()
        for tenant in self._transfers.tenants:
            cash = sum([await self._require_account(tenant, account) for account in tenant.accounts])
            assert cash == FIRST * len(tenant.accounts), tenant
            await self._require_feed(tenant)
        for number in range(self._transfers.count):
            is_there = number in self._outcomes.done
            assert (self._entries[number], self._records[number]) == ((2, 1) if is_there else (0, 0)), number

    async def _require_operations(self) -> None:
        """Asserts that each operation id names the operation that was told of, or none."""
        for start in range(0, self._transfers.count, PAGE):
            numbers = range(start, min(start + PAGE, self._transfers.count))
            ids = {self._transfers.of(number).id: number for number in numbers}
            found = {ids[key]: row["id"] for key, row in (await asked(self._database, list(ids))).items()}
            assert found == {number: self._outcomes.done[number] for number in numbers if number in self._outcomes.done}

    async def _require_account(self, tenant: Tenant, account: str) -> int:
        """Asserts that an account has an entry for each of its transfers, in their order; its cash."""
        node = (await accounts.find(self._database, [account]))[account]
        balance, at, short = 0, "", set(self._outcomes.short[account])
        async for row in self._pages(ENTRIES, account, node["place"]):
            self._require_entry(tenant, account, row)
            balance += row["amount"]
            assert 0 <= balance == row["balance"], f"{account}: {row}, and not {balance}"
            assert row["at"] > at, f"{account}: {row} is not later than the one before it"
            at = row["at"]
            short.discard(balance)
        assert (node["cash"], node["held"]) == (balance, 0), node
        assert not short, f"{account} was said to have {short}, which it never had"
        return balance

    def _require_entry(self, tenant: Tenant, account: str, row: Row) -> None:
        told = (row["kind"], row["state"], row["amount"], row["counterparty"])
        if row["operation"] in tenant.first:
            assert told == ("DEPOSIT", "POSTED", FIRST, None), row
            return
        number = self._numbers.get(row["operation"])
        assert number is not None, f"{row} was never told"
        transfer = self._transfers.of(number)
        other = transfer.payee if account == transfer.payer else transfer.payer
        assert told == ("TRANSFER", "POSTED", transfer.lines[account], other), (transfer, row)
        self._entries[number] += 1

    async def _require_feed(self, tenant: Tenant) -> None:
        """Asserts that the tenant's feed has one record for each of its transfers, without a gap."""
        (head,) = await self._database.run(HEAD, feed=tenant.root)
        at = ""
        async for row in self._pages(CHANGES, tenant.root, head["number"]):
            assert row["at"] > at, f"{row} is not later than the one before it"
            at = row["at"]
            if row["operation"] not in tenant.first:
                number = self._numbers[row["operation"]]
                assert self._transfers.of(number).root == tenant.root, row
                self._records[number] += 1
        assert at == head["at"], head

    async def _pages(self, query: Query, node_id: str, last: int) -> AsyncGenerator[Row]:
        """The rows of the places from 1 to the last; asserts that each place is taken once, and none beyond."""
        for after in range(0, last + 1, PAGE):
            rows = await self._database.run(query, id=node_id, after=after, last=after + PAGE)
            places = [row["place"] for row in rows]
            assert places == list(range(after + 1, min(after + PAGE, last) + 1)), (node_id, after, last, places)
            for row in rows:
                yield row
