"""Where the accounts of some records stood, in which currency, and whether they count, when they were first changed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeGuard

from graph import clock
from graph.database import Reader, Row
from graph.effects import Carried, Changed, Effect, Opened, effects, foldable
from graph.query import Query
from graph.totals import ACCOUNTS, CASH, Sums, cash_key, held_key

PAGE = 10_000
# An edge that ends is seen as the one that it was, the one that it became, both, or for an instant neither.
STOOD = Query(
    "stood.accounts",
    "UNWIND $rows AS row MATCH (a:Account {id: row.id}) "
    "OPTIONAL MATCH (a)<-[e:CONTAINS]-(p:Group) WHERE e.since <= row.at "
    "OPTIONAL MATCH (a)<-[f:CONTAINED]-(q:Group) WHERE f.since <= row.at AND f.until > row.at "
    "RETURN a.id AS id, a.kind AS kind, a.simulated AS simulated, a.currency AS currency, "
    "collect(DISTINCT p.id) + collect(DISTINCT q.id) AS parents",
)
EARLIER = Query(
    "stood.earlier",
    "MATCH (c:Change) WHERE c.feed = $feed AND c.number > $after AND c.number <= $until "
    "AND any(node IN c.nodes WHERE node IN $accounts) "
    "RETURN c.number AS number, c.kind AS kind, c.nodes AS nodes, c.payload AS payload ORDER BY c.number",
)


class NotThereYet(Exception):
    """A commit that was seen to be made is not wholly to be read yet; it is in a moment."""


class Told(NamedTuple):
    """A record's number and instant, and what it did."""

    number: int
    at: str
    effects: Sequence[Effect]


@dataclass(frozen=True, slots=True)
class Standing:
    """One account: the group that it is in, its currency, and whether totals count it."""

    parent: str | None
    currency: str
    counted: bool

    def sums(self, changed: Changed) -> Sums:
        """What a change of it adds to its group."""
        cash = {ACCOUNTS: changed.opened, CASH: changed.cash}
        sums: Sums = {cash_key(self.currency): cash} if any(cash.values()) else {}
        for positions, times in ((changed.gone, -1), (changed.come, 1)):
            for symbol, quantity in positions:
                counted = sums.setdefault(held_key(self.currency, symbol), {})
                counted[str(quantity)] = counted.get(str(quantity), 0) + times
        return sums

    def moved(self, parent: str) -> "Standing":
        """The same account in another group."""
        return replace(self, parent=parent)


async def standing(reader: Reader, told: Sequence[Told]) -> dict[str, Standing]:
    """How each account that was there before these records stood when the first of them changed it."""
    first: dict[str, str] = {}
    made: set[str] = set()
    for record in told:
        for effect in record.effects:
            if isinstance(effect, Opened):
                made.add(effect.account)
            elif isinstance(effect, Changed | Carried) and effect.account not in made:
                first.setdefault(effect.account, record.at)
    # What a move of it ends and begins has the move's own instant: it is asked for as it was just before.
    rows = [{"id": account, "at": _before(at)} for account, at in first.items()]
    found = {row["id"]: _standing(row) for row in (await reader.run(STOOD, rows=rows) if rows else ())}
    if len(found) < len(first):
        raise NotThereYet
    return found


def _before(at: str) -> str:
    return clock.to_text(clock.from_text(at) - clock.TICK)


def _standing(row: Row) -> Standing:
    parents: set[str] = set(row["parents"])
    if len(parents) != 1:
        raise NotThereYet
    return Standing(parents.pop(), row["currency"], row["kind"] != "COMPOSITE" and not row["simulated"])


@dataclass(slots=True)
class _Owned:
    """What an account has, as its records tell one after another."""

    cash: int = 0
    positions: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])

    def take(self, changed: Changed) -> None:
        self.cash += changed.cash
        self.positions.subtract(changed.gone)
        self.positions.update(changed.come)


async def with_what_moved(reader: Reader, feed: str, told: Sequence[Told]) -> list[Told]:
    """The same records, each move of an account with what it took along; records of 0.1.0 do not tell.

    It is found in all that the feed says of these accounts, page by page.
    """
    silent = {(record.number, one.account) for record in told for one in record.effects if _is_silent(one)}
    if not silent:
        return list(told)
    owned: dict[str, _Owned] = {account: _Owned() for _, account in silent}
    moved: dict[tuple[int, str], Carried] = {}
    last = max(number for number, _ in silent)
    for after in range(0, last, PAGE):
        until = min(after + PAGE, last)
        for row in await reader.run(EARLIER, feed=feed, after=after, until=until, accounts=list(owned)):
            with foldable(feed, row["number"]):
                said = effects(row)
            for effect in said:
                if isinstance(effect, Changed) and effect.account in owned:
                    owned[effect.account].take(effect)
                elif isinstance(effect, Carried) and (row["number"], effect.account) in silent:
                    one = owned[effect.account]
                    positions = [*one.positions.elements()]
                    moved[row["number"], effect.account] = replace(effect, cash=one.cash, positions=positions)
    return [record._replace(effects=[_spoken(moved, record.number, one) for one in record.effects]) for record in told]


def _is_silent(effect: Effect) -> TypeGuard[Carried]:
    return isinstance(effect, Carried) and effect.cash is None


def _spoken(moved: Mapping[tuple[int, str], Carried], number: int, effect: Effect) -> Effect:
    return moved.get((number, effect.account), effect) if isinstance(effect, Carried) else effect
