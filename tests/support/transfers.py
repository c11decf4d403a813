"""Random transfers of a long run, each made anew from its number alone, and what the clients were told of them."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.support.cashbooks import Request
from tests.support.house import ADMIN
from tests.support.writers import FIRST, Tenant

HOT = 0.6
"""The share of the first tenant, whose feed is the hot one."""
LARGEST = FIRST // 3
IMPOSSIBLE = 0.02
"""The share of those that take more than there is in all accounts together."""
POSTED = "operation { id state } transactions { kind state amount { amount } counterparty { id } }"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer of so many cents under its operation id, between two accounts of one tenant."""

    number: int
    id: str
    root: str
    payer: str
    payee: str
    cents: int
    possible: bool

    @property
    def given(self) -> dict[str, Any]:
        """The input of its mutation."""
        return {"operationId": self.id, "fromId": self.payer, "toId": self.payee, "amount": _text(self.cents)}

    @property
    def request(self) -> Request:
        """The same, as a client hands it in who goes away before the answer."""
        return Request(ADMIN, "transfer", self.given, lines=self.lines)

    @property
    def lines(self) -> dict[str, int]:
        """What it posts on each account, in cents."""
        return {self.payer: -self.cents, self.payee: self.cents}


@dataclass(frozen=True, slots=True)
class Transfers:
    """All transfers of a run: what the seed says of each number."""

    tenants: Sequence[Tenant]
    seed: int
    count: int

    def of(self, number: int) -> Transfer:
        """The transfer of this number, always the same."""
        dice = random.Random(f"{self.seed} {number}")
        others = self.tenants[1:]
        tenant = self.tenants[0] if not others or dice.random() < HOT else dice.choice(others)
        payer, payee = dice.sample(tenant.accounts, 2)
        possible = dice.random() >= IMPOSSIBLE
        least, most = (1, LARGEST) if possible else (FIRST * len(tenant.accounts) + 1, FIRST * 1_000)
        operation_id = str(UUID(int=dice.getrandbits(128), version=4))
        return Transfer(number, operation_id, tenant.root, payer, payee, dice.randint(least, most), possible)


@dataclass
class Outcomes:
    """What was told of each transfer, by its number."""

    done: dict[int, str] = field(default_factory=dict[int, str])
    """The Operation node of those that were acknowledged."""
    refused: set[int] = field(default_factory=set[int])
    """Those that can no longer be done: nothing asks for them any more."""
    open: set[int] = field(default_factory=set[int])
    """Those without an answer, and those refused while another request for the same may have been under way."""
    short: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict[str, set[int]](set))
    """What each account was said to have, in cents, where that was too little."""

    def take(self, transfer: Transfer, answer: Mapping[str, Any] | None, *, alone: bool) -> None:
        """Learns from an answer, or from there being none; `alone` where nothing else ever asked for the transfer."""
        number = transfer.number
        if answer is None:
            if number not in self.done:
                self.open.add(number)
            return
        self.open.discard(number)
        if "code" not in answer:
            self._acknowledged(transfer, answer)
            return
        self._refused(transfer, answer)
        (self.refused if alone else self.open).add(number)

    def _acknowledged(self, transfer: Transfer, answer: Mapping[str, Any]) -> None:
        assert transfer.possible, f"{transfer} takes more than there is: {answer}"
        operation = answer["operation"]
        assert operation["state"] == "SUCCEEDED", answer
        assert self.done.setdefault(transfer.number, operation["id"]) == operation["id"], f"{transfer} was done twice"
        told = [
            (each["kind"], each["state"], each["amount"]["amount"], each["counterparty"]["id"])
            for each in answer["transactions"]
        ]
        sides = ((-transfer.cents, transfer.payee), (transfer.cents, transfer.payer))
        assert told == [("TRANSFER", "POSTED", _text(cents), other) for cents, other in sides], (transfer, answer)

    def _refused(self, transfer: Transfer, answer: Mapping[str, Any]) -> None:
        assert answer["code"] == "INSUFFICIENT_FUNDS", (transfer, answer)
        assert transfer.number not in self.done, f"{transfer} was refused after it was done"
        has = int(Decimal(answer["available"]) * 100)
        assert has < transfer.cents, f"{transfer} was refused, though there was enough: {answer}"
        self.short[transfer.payer].add(has)


def _text(cents: int) -> str:
    return f"{Decimal(cents) / 100:.2f}"
