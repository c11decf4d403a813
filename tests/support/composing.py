"""Random ledger operations: what a user asks for, and, as far as it can be known beforehand, how that must end."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from tests.support.cashbooks import Cashbooks, Holder, Posting, Request
from tests.support.house import op

LARGEST_MINOR = 120_000
APPROVED_ABOVE = 1_000
"""The amount, whatever the currency, above which a correction waits for a person."""
NOBODY = "acc_00000000000000000000000000"


@dataclass(slots=True)
class Composer:
    """Composes by chance what one user asks for, by what was acknowledged to all of them."""

    user: str
    corrects: bool
    """Whether the user may correct and update."""
    roots: frozenset[str]
    """The tenants that the user can see."""
    books: Cashbooks
    dice: random.Random

    def compose(self) -> list[Request]:
        """What is asked for next, each under an id of its own: several are asked for at once."""
        makes: dict[Callable[[], list[Request]], int] = {
            self._deposit: 28,
            self._withdraw: 18,
            self._transfer: 26,
            self._adjust: 7,
            self._fee: 6,
            self._dividend: 5,
            self._reverse: 12,
            self._rename: 4,
            self._mistake: 10,
        }
        return self.dice.choices(list(makes), list(makes.values()))[0]()

    def _deposit(self) -> list[Request]:
        return [self._flow("deposit", "DEPOSIT", 1)]

    def _withdraw(self) -> list[Request]:
        return [self._flow("withdraw", "WITHDRAWAL", -1, "INSUFFICIENT_FUNDS")]

    def _flow(self, name: str, kind: str, sign: int, *refusals: str) -> Request:
        holder, minor = self._holder(), self._minor()
        given = {"accountId": holder.id, "amount": holder.amount(minor)}
        lines = {holder.id: sign * minor}
        return self._request(name, given, kind=kind, lines=lines, outside="world", refusals=frozenset(refusals))

    def _transfer(self) -> list[Request]:
        """A transfer; now and then one in each direction at once."""
        one = self._holder()
        other = self.dice.choice(
            [
                each
                for each in self._holders()
                if each.id != one.id and (each.root, each.currency) == (one.root, one.currency)
            ]
        )
        pairs = [(one, other), (other, one)] if self.dice.random() < 0.3 else [(one, other)]
        return [self._between(*pair, self._minor()) for pair in pairs]

    def _between(self, payer: Holder, payee: Holder, minor: int) -> Request:
        given = {"fromId": payer.id, "toId": payee.id, "amount": payer.amount(minor)}
        lines = {payer.id: -minor, payee.id: minor}
        return self._request(
            "transfer", given, kind="TRANSFER", lines=lines, refusals=frozenset({"INSUFFICIENT_FUNDS"})
        )

    def _adjust(self) -> list[Request]:
        sign = self.dice.choice((1, -1))
        return [
            self._correction("adjustCash", "ADJUSTMENT", "adjustments", sign, signed=True, reason="the books lack it")
        ]

    def _fee(self) -> list[Request]:
        return [self._correction("postFee", "FEE", "fees", -1)]

    def _dividend(self) -> list[Request]:
        return [self._correction("postDividend", "DIVIDEND", "dividends", 1)]

    def _correction(
        self, name: str, kind: str, outside: str, sign: int, *, signed: bool = False, **more: Any
    ) -> Request:
        holder, minor = self._holder(), self._minor()
        given = {"accountId": holder.id, "amount": holder.amount(sign * minor if signed else minor), **more}
        lines = {holder.id: sign * minor}
        refusals = {"INSUFFICIENT_FUNDS"} if sign < 0 else set[str]()
        return self._correcting(self._request(name, given, kind=kind, lines=lines, outside=outside), refusals)

    def _reverse(self) -> list[Request]:
        """A reversal of anything that was posted: at times two at once, at times of what was reversed before."""
        if not self.books.postings:
            return self._deposit()
        posting = self.dice.choice(self.books.postings)
        return [self._reversal(posting) for _ in range(2 if self.dice.random() < 0.3 else 1)]

    def _reversal(self, posting: Posting) -> Request:
        given = {"transactionId": self.dice.choice(list(posting.entries.values())), "reason": "it was not so"}
        lines = {account: -minor for account, minor in posting.request.lines.items()}
        about: dict[str, Any] = {"kind": posting.request.kind, "lines": lines, "outside": posting.request.outside}
        request = self._request("reverseEntry", given, **about, corrects=posting)
        if posting.request.corrects is not None:
            return self._correcting(request, {"RULE_VIOLATION"}, may_succeed=False)
        if posting.operation in self.books.corrected:
            return self._correcting(request, {"CONFLICT"}, may_succeed=False)
        return self._correcting(request, {"INSUFFICIENT_FUNDS", "CONFLICT"})

    def _correcting(self, request: Request, refusals: set[str], *, may_succeed: bool = True) -> Request:
        """The request, as it fares with a user who may correct, or with one who may not."""
        roots = {self.books.holders[account].root for account in request.lines}
        if not self.corrects:
            refusals, may_succeed = ({"FORBIDDEN"} if roots <= self.roots else {"NOT_FOUND"}), False
        most = max(abs(Decimal(self.books.holders[account].amount(minor))) for account, minor in request.lines.items())
        waits = may_succeed and most > APPROVED_ABOVE
        return replace(request, refusals=frozenset(refusals), may_succeed=may_succeed, waits=waits)

    def _rename(self) -> list[Request]:
        """Two updates of the version that an account is thought to have: one of them at most comes first."""
        holder = self._holder()
        given = {"id": holder.id, "version": max(holder.versions)}
        refusals = frozenset({"STALE_VERSION"} if self.corrects else {"FORBIDDEN"})
        return [
            self._request("updateAccount", {**given, "name": name}, refusals=refusals, may_succeed=self.corrects)
            for name in ("Ash", "Birch")
        ]

    def _mistake(self) -> list[Request]:
        makes = (
            self._overdraft,
            self._other_currency,
            self._other_tenant,
            self._unpayable,
            self._nowhere,
            self._stale,
            self._reused,
        )
        return [self.dice.choice(makes)()]

    def _overdraft(self) -> Request:
        holder = self._holder()
        given = {"accountId": holder.id, "amount": "1000000000"}
        return self._refused("withdraw", given, "INSUFFICIENT_FUNDS", lines={holder.id: -holder.minor("1000000000")})

    def _other_currency(self) -> Request:
        one = self._holder()
        others = [each for each in self._holders() if each.root == one.root and each.currency != one.currency]
        given = {"fromId": one.id, "toId": self.dice.choice(others).id, "amount": "1"}
        return self._refused("transfer", given, "RULE_VIOLATION")

    def _other_tenant(self) -> Request:
        one = self._holder()
        others = [
            each for each in self.books.holders.values() if each.root != one.root and each.currency == one.currency
        ]
        other = self.dice.choice(others)
        code = "RULE_VIOLATION" if other.root in self.roots else "NOT_FOUND"
        return self._refused("transfer", {"fromId": one.id, "toId": other.id, "amount": "1"}, code)

    def _unpayable(self) -> Request:
        """An amount that is no amount of the account's currency."""
        amount = self.dice.choice(("0", "-1", "1.0005", "1e3", "\u0661", ""))
        return self._refused("deposit", {"accountId": self._holder().id, "amount": amount}, "INVALID_INPUT")

    def _nowhere(self) -> Request:
        return self._refused("deposit", {"accountId": NOBODY, "amount": "1"}, "NOT_FOUND")

    def _stale(self) -> Request:
        """An update of a version that is gone, or has not come yet."""
        holder = self._holder()
        version = self.dice.choice((min(holder.versions) - 1, max(holder.versions) + 1_000_000))
        code = "STALE_VERSION" if self.corrects else "FORBIDDEN"
        return self._refused("updateAccount", {"id": holder.id, "version": version, "name": "Cedar"}, code)

    def _reused(self) -> Request:
        """Another request under an id that this user's request was accepted under."""
        own = [key for key in self.books.operations if key[0] == self.user]
        if not own:
            return self._nowhere()
        given = {"operationId": self.dice.choice(own)[1], "accountId": self._holder().id, "amount": "0.01"}
        return Request(self.user, "deposit", given, refusals=frozenset({"OPERATION_ID_REUSED"}), may_succeed=False)

    def _refused(
        self, name: str, given: Mapping[str, Any], code: str, *, lines: Mapping[str, int] | None = None
    ) -> Request:
        return self._request(name, given, lines=lines or {}, refusals=frozenset({code}), may_succeed=False)

    def _request(self, name: str, given: Mapping[str, Any], **about: Any) -> Request:
        return Request(self.user, name, {"operationId": op(), **given}, **about)

    def _holder(self) -> Holder:
        return self.dice.choice(self._holders())

    def _holders(self) -> list[Holder]:
        return [holder for holder in self.books.holders.values() if holder.root in self.roots]

    def _minor(self) -> int:
        """Mostly little, so that most can be paid; at times more than may be corrected without a person."""
        return self.dice.randint(1, LARGEST_MINOR if self.dice.random() < 0.2 else LARGEST_MINOR // 8)
