"""The port to the protocol engine (WS2): what may be asked of it, whoever answers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, TypeAlias

from services.protocol.verdict import Verdict
from services.protocol.weeks import Week

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


class ProtocolOperation(StrEnum):
    """What is about to happen to an account or a group."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    STATUS = "STATUS"
    CONFIGURE = "CONFIGURE"
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    TRANSFER = "TRANSFER"
    ORDER = "ORDER"
    FORK = "FORK"
    MERGE = "MERGE"
    REINVEST = "REINVEST"


@dataclass(frozen=True, slots=True)
class Question:
    """May this operation happen to this node now? `facts` say all that the rules need; facts.py names them."""

    account_id: str
    operation: ProtocolOperation
    at: datetime
    facts: Mapping[str, Json] = field(default_factory=dict[str, Json])


class ProtocolPort(ABC):
    """The protocol engine. Every method raises ProtocolUnavailable where no answer can be relied on."""

    immediate: ClassVar[bool] = False
    """Whether `validate` answers from this process alone, so that it may be asked while locks are held."""

    @abstractmethod
    async def validate(self, question: Question) -> Verdict:
        """The verdict, never a contradictory one; verdict.py says what it lets through."""

    @abstractmethod
    async def classify_week(self, day: date) -> Week:
        """The type of the week that holds the day."""

    @abstractmethod
    async def request_review(self, account_id: str, reason: str, data: Mapping[str, Json], at: datetime) -> str:
        """Asks a person to decide, and returns the review's id; the decision comes back through this API."""

    @abstractmethod
    async def healthy(self) -> bool:
        """Whether the engine answers. Raises nothing."""

    @abstractmethod
    async def aclose(self) -> None:
        """Gives back what the port holds; no question can be asked afterwards."""
