"""A model of cash, built from acknowledged outcomes alone: what every account and its outside must have in the end."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from graph.money import currency_decimals

Lines: TypeAlias = Mapping[str, int]
POSTED = """operation { id state } transactions {
  id kind state amount { amount } balanceAfter { amount } operation { id } corrects { id } }"""
UPDATED = "operation { id state } account { id version }"
WAITING = "AWAITING_APPROVAL"


@dataclass(slots=True, eq=False)
class Holder:
    """An account, and the versions of it that somebody was told of."""

    id: str
    root: str
    currency: str
    versions: list[int]

    def minor(self, amount: str) -> int:
        """An amount of its currency in minor units."""
        scaled = Decimal(amount).scaleb(currency_decimals(self.currency) or 0)
        assert scaled == int(scaled), f"{amount} {self.currency} has a fraction of a minor unit"
        return int(scaled)

    def amount(self, minor: int) -> str:
        """Minor units as an amount of its currency."""
        return format(Decimal(minor).scaleb(-(currency_decimals(self.currency) or 0)), "f")


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A mutation under its operation id, what it posts on each account and outside, and how it may be refused.

    `outside` names the ledger account that the rest of the posting is on. Without `may_succeed` it must be refused.
    """

    user: str
    name: str
    given: dict[str, Any]
    kind: str = ""
    lines: Lines = field(default_factory=dict[str, int])
    outside: str | None = None
    corrects: "Posting | None" = None
    refusals: frozenset[str] = frozenset()
    may_succeed: bool = True
    waits: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What names its operation: the user and the id that they gave it."""
        return self.user, self.given["operationId"]

    @property
    def posts(self) -> bool:
        """Whether it moves money."""
        return self.name != "updateAccount"

    def payload(self) -> str:
        """The fields of its payload that are asked for."""
        return POSTED if self.posts else UPDATED


@dataclass(frozen=True, slots=True, eq=False)
class Posting:
    """What was acknowledged of a request: its Operation, and its entry on each account, by account."""

    request: Request
    operation: str
    entries: Mapping[str, str]


@dataclass
class Cashbooks:
    """The accounts of some tenants, and each outcome that a client was told."""

    holders: dict[str, Holder] = field(default_factory=dict[str, Holder])
    asked: dict[tuple[str, str], Request] = field(default_factory=dict[tuple[str, str], Request])
    posted: dict[tuple[str, str], Posting] = field(default_factory=dict[tuple[str, str], Posting])
    operations: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict[tuple[str, str], "tuple[str, str]"])
    """The Operation's id and its state, as they were told last."""
    postings: list[Posting] = field(default_factory=list[Posting])
    corrected: set[str] = field(default_factory=set[str])
    """The operations whose postings were reversed."""
    short: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    """Each account that was said to have too little, and how much it was said to have."""
    refused: Counter[str] = field(default_factory=Counter[str])

    def take(self, request: Request, answer: Mapping[str, Any]) -> None:
        """Learns from an answer, and asserts that it is one that the request may have."""
        if "code" in answer:
            self._refusal(request, answer)
            return
        assert request.may_succeed, f"{request} was not refused: {answer}"
        operation, state = answer["operation"]["id"], answer["operation"]["state"]
        if request.key not in self.operations:
            assert state == (WAITING if request.waits else "SUCCEEDED"), f"{request} is {state} at first"
        known = self.operations.setdefault(request.key, (operation, state))
        assert known[0] == operation, f"{request} has two operations: {known[0]}, {operation}"
        assert known[1] in {WAITING, state}, f"{request} was {known[1]}, and is {state}"
        self.operations[request.key] = (operation, state)
        if state == "SUCCEEDED":
            self._success(request, operation, answer)
        else:
            assert answer["transactions"] == [], f"{request} is {state}, and has entries"

    def state(self, request: Request) -> str | None:
        """The state that the request's operation was last told to be in; None where it was never accepted."""
        return self.operations[request.key][1] if request.key in self.operations else None

    def _refusal(self, request: Request, answer: Mapping[str, Any]) -> None:
        code: str = answer["code"]
        assert code in request.refusals, f"{request} was refused: {answer}"
        self.refused[code] += 1
        accepted = request.key in self.operations
        assert accepted == (code == "OPERATION_ID_REUSED"), f"{request} was refused after it was accepted: {answer}"
        if code == "INSUFFICIENT_FUNDS":
            payer = self.holders[min(request.lines, key=lambda account: request.lines[account])]
            has, lacks = payer.minor(answer["available"]), -request.lines[payer.id]
            assert has < lacks, f"{request} was refused, though there was enough: {answer}"
            self.short.append((payer.id, has))

    def _success(self, request: Request, operation: str, answer: Mapping[str, Any]) -> None:
        if not request.posts:
            self._version(request, answer["account"]["version"])
            return
        entries = {self._account_of(request, each): each["id"] for each in answer["transactions"]}
        assert len(entries) == len(answer["transactions"]) == len(request.lines), f"{request}: {answer}"
        for entry in answer["transactions"]:
            assert entry["state"] == "POSTED", entry
            assert entry["kind"] == request.kind, entry
            assert entry["operation"]["id"] == operation, entry
            corrects = request.corrects.entries[self._account_of(request, entry)] if request.corrects else None
            assert (entry["corrects"] or {"id": None})["id"] == corrects, entry
        before = self.posted.setdefault(request.key, Posting(request, operation, entries))
        if before.entries is not entries:
            assert before.entries == entries, f"{request} was posted twice: {before.entries}, {entries}"
            return
        self.postings.append(before)
        if request.corrects:
            assert request.corrects.operation not in self.corrected, f"{request} reverses what was reversed"
            self.corrected.add(request.corrects.operation)

    def _version(self, request: Request, version: int) -> None:
        holder = self.holders[request.given["id"]]
        made = request.given["version"] + 1
        assert version >= made, f"{request} left version {version}"
        if request.key not in self.posted:
            assert made not in holder.versions, f"{request} lost an update: {made} was made before"
            holder.versions.append(made)
            self.posted[request.key] = Posting(request, self.operations[request.key][0], {})

    def _account_of(self, request: Request, entry: Mapping[str, Any]) -> str:
        """The account that an entry is on: the one whose line it is."""
        amount = Decimal(entry["amount"]["amount"])
        found = [
            account
            for account, minor in request.lines.items()
            if Decimal(self.holders[account].amount(minor)) == amount
        ]
        assert len(found) == 1, f"{request} has an entry of {amount}"
        return found[0]
