"""Placing an order: what it may ask for, what it holds, and the records that it leaves before the market sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import PrivateAttr

from graph import clock, orders, positions
from graph.database import Reader, Row, Transaction
from graph.ids import Kind
from graph.journal import Recorder
from graph.money import MAX_BALANCE_MINOR, MAX_MINOR, MAX_QUANTITY, from_minor, from_scaled, parse_plain, to_scaled
from services.amounts import DecimalText, check_positive
from services.commands import Act, Effect, Target
from services.desk import Desk
from services.effective import in_force
from services.facts import account_facts, policy_facts, text
from services.gathering import MoneyCommand
from services.market.port import CURRENCY, MAX_SYMBOL_LENGTH, InstrumentType, Side, TimeInForce, is_symbol
from services.operations import FIRST_DUE, RUNNING
from services.orders import risk
from services.orders.claims import Claim
from services.orders.holdings import hold
from services.orders.holds import held_cash, least_quantity
from services.orders.limits import check_price, check_quantity, short_of_cash, short_of_shares
from services.orders.quoting import Quoted, quoted
from services.orders.sending import pursue
from services.orders.terms import RECORDED
from services.permissions import Permission
from services.posting import EntryKind, Occasion, PostingSet
from services.problems import Problem, Refused, invalid
from services.protocol.port import ProtocolOperation, Question
from services.settings import values as settings
from services.standing import require_market_currency


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """An order that may be placed: the account, what it would sell from, its terms, and the cash that it holds."""

    stance: risk.Stance
    intent: risk.Intent
    position: Row | None
    quoted: Quoted
    hold: int
    time_in_force: TimeInForce
    lot_rule: str


class PlaceOrder(MoneyCommand[OrderPlan]):
    """Buys or sells at the market, at any price or at a limit."""

    action: ClassVar[str] = "placeOrder"

    account_id: str
    symbol: str
    side: Side
    quantity: DecimalText
    limit_price: DecimalText | None = None
    time_in_force: TimeInForce | None = None

    _claim: Claim = PrivateAttr(default_factory=Claim)

    def targets(self) -> Sequence[Target]:
        return (Target(self.account_id, (Kind.ACCOUNT,), Permission.TRADE, ("accountId",)),)

    def sides(self) -> Sequence[tuple[str, str]]:
        return ((self.account_id, "accountId"),)

    def check(self) -> list[Problem]:
        problems = [] if is_symbol(self.symbol) else [invalid(_SYMBOL_FORM, "symbol")]
        problems += check_positive(self.quantity, "quantity") or check_quantity(self.quantity, "quantity")
        if self.limit_price is not None:
            problems += check_positive(self.limit_price, "limitPrice") or check_price(self.limit_price, "limitPrice")
        return problems

    def fit(self, found: Mapping[str, Row]) -> None:
        require_market_currency(found[self.account_id], "symbol")

    async def ask_market(self, desk: Desk) -> Quoted:
        return await quoted(desk, self.account_id, self.symbol)

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> OrderPlan:
        del desk
        account = (await self.stand(reader))[self.account_id]
        found: Quoted = act.facts
        intent = self._intent(found)
        held = (await positions.of_accounts(reader, [self.account_id]))[self.account_id]
        position = next((each for each in held if each["symbol"] == self.symbol), None)
        values = (await in_force(reader, act.places[self.account_id])).values
        open_orders, buying = await orders.exposure(reader, self.account_id, self.symbol)
        total = risk.worth(account, held, found.marks)
        holding = position["quantity"] if position else 0
        stance = risk.Stance(account, total, holding, open_orders, buying, values)
        limit = None if self.limit_price is None else intent.price
        cash = held_cash(self.side, intent.quantity, intent.last, limit)
        problems = _problems(intent, stance, position, cash)
        if problems:
            raise Refused(*problems)
        stands = self.time_in_force or TimeInForce(settings.text(values, "integration.timeInForce") or "DAY")
        lots = settings.text(values, "reporting.costBasis") or "FIFO"
        return OrderPlan(stance, intent, position, found, cash, stands, lots)

    def _intent(self, found: Quoted) -> risk.Intent:
        number = parse_plain(self.quantity)
        quantity = None if number is None else to_scaled(number)
        assert quantity is not None, "the check comes first"
        limit = None if self.limit_price is None else parse_plain(self.limit_price)
        return risk.Intent(self.symbol, self.side, quantity, found.last, found.last if limit is None else limit)

    async def questions(self, desk: Desk, act: Act, plan: OrderPlan) -> Sequence[Question]:
        del act
        stance, intent = plan.stance, plan.intent
        facts: dict[str, Any] = {
            "account": account_facts(stance.account, **await _more_facts(desk, stance)),
            "policy": policy_facts(stance.values),
            "marketDate": plan.quoted.marks.day.isoformat(),
            "order": {
                "symbol": intent.symbol,
                "side": intent.side.value,
                "quantity": text(from_scaled(intent.quantity)),
                "price": text(intent.price),
                "value": text(from_minor(intent.value, stance.account["currency"])),
            },
        }
        return (Question(self.account_id, ProtocolOperation.ORDER, clock.now(), facts),)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: OrderPlan) -> Effect:
        account, intent = plan.stance.account, plan.intent
        at, day = recorder.next_at(), plan.quoted.marks.day.isoformat()
        book = PostingSet({account["id"]: account}, Occasion(act.operation, at, day))
        book.hold(account["id"], plan.hold)
        order_id = act.new_id(Kind.ORDER)
        facts = {"symbol": intent.symbol, "quantity": intent.quantity, "order": order_id}
        entry = book.pending(account["id"], -plan.hold, EntryKind.TRADE, **facts)
        order = self._order(plan, act, at) | {"id": order_id, "entry": entry}
        before: Row = {account["id"]: {"cash": account["cash"], "held": account["held"]}}
        after: Row = {
            "accounts": {account["id"]: {"cash": account["cash"], "held": account["held"] + plan.hold}},
            "entries": book.journal,
            "order": {name: order[name] for name in _JOURNALED},
        }
        if plan.position is not None and self.side is Side.SELL:
            changed = await hold(transaction, plan.position, intent.quantity)
            before[changed.after["id"]] = {"held": plan.position["held"]}
            after["positions"] = {changed.after["id"]: {"held": changed.after["held"]}}
        recorder.add("ORDER_PLACED", [account["id"]], before, after)
        await book.write(transaction)
        await positions.ensure_instrument(transaction, _instrument(plan))
        await orders.create(transaction, order)
        due = clock.to_text(clock.now() + FIRST_DUE)
        return Effect({"transactions": [entry]}, None, [account["id"]], RUNNING, {"dueAt": due})

    def _order(self, plan: OrderPlan, act: Act, at: str) -> Row:
        account, intent = plan.stance.account, plan.intent
        return {
            "root": account["root"],
            "account": account["id"],
            "operation": act.operation,
            "symbol": intent.symbol,
            "instrument": InstrumentType.STOCK.value,
            "side": intent.side.value,
            "quantity": intent.quantity,
            "limitPrice": None if self.limit_price is None else text(intent.price),
            "timeInForce": plan.time_in_force.value,
            "currency": account["currency"],
            "simulated": account["simulated"],
            "lotRule": plan.lot_rule,
            "open": True,
            "status": RECORDED,
            "held": plan.hold,
            "heldQuantity": intent.quantity if intent.side is Side.SELL else 0,
            "filledQuantity": 0,
            "cost": 0,
            "commission": 0,
            "charged": "0",
            "entries": [],
            "claim": self._claim.token,
            "claims": 1,
            "at": at,
            "valueDate": plan.quoted.marks.day.isoformat(),
        }

    async def after(self, desk: Desk, operation: str) -> None:
        await pursue(desk, operation, self._claim)


_SYMBOL_FORM = f"symbol must have 1 to {MAX_SYMBOL_LENGTH} printable characters"
_JOURNALED = ("id", "symbol", "side", "quantity", "limitPrice", "timeInForce", "held", "heldQuantity")


def _problems(intent: risk.Intent, stance: risk.Stance, position: Row | None, cash: int) -> list[Problem]:
    """Everything that the account's currency, means and limits refuse, at once."""
    account = stance.account
    if max(intent.value, cash) > MAX_MINOR or account["cash"] + intent.value > MAX_BALANCE_MINOR:
        return [invalid("quantity must be smaller: the order's value would exceed the largest amount", "quantity")]
    too_small = _worth_nothing(position, intent)
    if too_small:
        return too_small
    if intent.side is Side.SELL:
        means = short_of_shares(position, intent.symbol, intent.quantity)
    elif stance.holding + stance.buying + intent.quantity > MAX_QUANTITY:
        means = [invalid("quantity must be smaller: the position would exceed the largest one", "quantity")]
    else:
        means = short_of_cash(account, cash)
    return [*means, *risk.judge(intent, stance)]


def _worth_nothing(position: Row | None, intent: risk.Intent) -> list[Problem]:
    """The problem of an order that comes to less than a minor unit; all of a position may be sold all the same."""
    selling_all = position is not None and intent.side is Side.SELL and intent.quantity == position["quantity"]
    if intent.value or selling_all:
        return []
    least, unit = text(from_scaled(least_quantity(intent.price))), text(from_minor(1, CURRENCY))
    words = f"quantity must be at least {least}: less comes to nothing, not {unit} {CURRENCY}, at {text(intent.price)}"
    return [invalid(words, "quantity")]


async def _more_facts(desk: Desk, stance: risk.Stance) -> dict[str, Any]:
    account = stance.account
    more: dict[str, Any] = {"orders": account.get("orders", 0)}
    if stance.total is not None:
        more["totalValue"] = text(from_minor(stance.total, account["currency"]))
    initial = settings.number(stance.values, "fork.initialBalance")
    if initial is None:
        first = await orders.first_funding(desk.database, account["id"])
        initial = None if first is None else from_minor(first, account["currency"])
    return more if initial is None else {**more, "initialBalance": text(initial)}


def _instrument(plan: OrderPlan) -> Row:
    price = plan.quoted.marks.prices[plan.intent.symbol]
    return {
        "symbol": plan.intent.symbol,
        "kind": "STOCK",
        "currency": "USD",
        "multiplier": 1,
        "last": text(price.last),
        "at": clock.to_text(price.at),
    }
