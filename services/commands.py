"""What every mutation is: a command that is planned, asked about, and applied in one transaction.

A command is planned twice by the same code: before the protocol engine is asked, and again under its locks in the
transaction that applies it, so that what was true at the question is still true at the effect.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from graph.database import Reader, Transaction
from graph.ids import Kind
from graph.journal import Recorder
from graph.structure import Located
from services.desk import Desk
from services.permissions import Permission, Viewer
from services.problems import Problem, invalid
from services.protocol.port import Question

PlanT = TypeVar("PlanT")


class Outdated(Exception):
    """What was gathered no longer fits what the transaction found: gather and plan again."""


_OPERATION_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-7][0-9a-hjkmnp-tv-z]{25}",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Target:
    """A node that a command names: what it may be, the permission that it takes, and the field's path.

    What is `beside` was not named itself, but is part of what was: where it alone is hidden, that is FORBIDDEN.
    """

    id: str
    kinds: tuple[Kind, ...]
    permission: Permission
    path: tuple[str, ...]
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """One performance of a command: its viewer, its Operation node's id, where targets stand, what it gathered."""

    viewer: Viewer
    operation: str
    places: Mapping[str, Located]
    facts: Any = None

    def new_id(self, kind: Kind) -> str:
        """The id of the one node of this kind that the operation makes: known before it is made."""
        return f"{kind.value}_{self.operation.partition('_')[2]}"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a command did: the ids that its payload is built from, the result node, and the nodes it names."""

    payload: dict[str, Any]
    result: str | None = None
    nodes: Sequence[str] = ()
    state: str = "SUCCEEDED"
    changes: dict[str, Any] = field(default_factory=dict[str, Any])


class Command(BaseModel, ABC, Generic[PlanT]):
    """A mutation's input, by the API's field names in snake case, with what is to be done about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: ClassVar[str]
    """The mutation's name: the Operation's kind and the journal's action."""
    structural: ClassVar[bool] = False
    """Whether it changes the tree, grants or inherited settings, and so takes the tenant's structure lock."""
    moves: ClassVar[bool] = False
    """Whether a node leaves its place in the tree, which walks are told of before it begins; it is structural too."""
    waits: ClassVar[bool] = True
    """Whether it can wait for a person's approval; its payload then has nothing yet. Else it is refused instead."""

    grouped: ClassVar[bool] = False
    """Whether it is committed with others of its feed: it names accounts alone, reads them by id, and writes rows."""

    operation_id: str

    @abstractmethod
    def targets(self) -> Sequence[Target]:
        """The nodes that it names; the first one's tenant keeps its records."""

    def founds(self) -> bool:
        """Whether it makes a tenant, and so the feed and the structure of one."""
        return False

    def changes_policy(self) -> bool:
        """Whether other settings may hold somewhere after it than before."""
        return False

    def comparable(self) -> dict[str, Any]:
        """The input as JSON values, by which the same operation id tells the same request from another."""
        return self.model_dump(mode="json", exclude={"operation_id"})

    def administrative(self) -> bool:
        """Whether the installation's administrator alone may do it."""
        return False

    def feed(self, act: Act, desk: Desk) -> str:
        """The feed that its records go to."""
        targets = self.targets()
        return act.places[targets[0].id].root if targets else desk.installation

    def structures(self, act: Act, desk: Desk) -> Sequence[str]:
        """The tenants whose structure lock it takes; the installation's for what concerns users."""
        del desk
        return sorted({place.root for place in act.places.values()}) if self.structural else ()

    def locks(self) -> Sequence[str]:
        """The accounts whose money, positions or own values it changes."""
        return ()

    def check(self) -> list[Problem]:
        """What is wrong with the input by itself, all at once."""
        return []

    async def check_placed(self, reader: Reader) -> list[Problem]:
        """What else is wrong with the input, by the nodes that it names; told with what `check` finds."""
        del reader
        return []

    async def gather(self, desk: Desk, act: Act) -> Any:
        """Reads what the market alone knows, once, before any transaction; it is `act.facts` afterwards."""
        del desk, act
        return None

    @abstractmethod
    async def plan(self, desk: Desk, reader: Reader, act: Act) -> PlanT:
        """Reads what it depends on and checks it; raises Refused. It changes nothing and may run several times."""

    async def questions(self, desk: Desk, act: Act, plan: PlanT) -> Sequence[Question]:
        """What the protocol engine is asked before it takes effect."""
        del desk, act, plan
        return ()

    @abstractmethod
    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: PlanT) -> Effect:
        """Writes the effect and records each part of it. It may run several times; the last one counts."""

    async def after(self, desk: Desk, operation: str) -> None:
        """What follows the commit, such as sending the order; again by any process where this one dies."""
        del desk, operation


def check_operation_id(operation_id: str) -> list[Problem]:
    """The problem of an operation id that is neither a UUID nor a ULID."""
    if _OPERATION_ID.fullmatch(operation_id):
        return []
    return [invalid("operationId must be a UUID or a ULID that you make for this operation", "operationId")]
