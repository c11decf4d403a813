"""What groups and accounts share when they are made: they stand below a parent, or are a tenant of their own."""

from typing import ClassVar, Generic

from graph.ids import Kind
from services.commands import Act, Command, PlanT
from services.desk import Desk


class NewNode(Command[PlanT], Generic[PlanT]):
    """Makes a node below a group; without one the node founds a tenant, which the administrator alone may do."""

    structural: ClassVar[bool] = True
    makes: ClassVar[Kind]

    parent_id: str | None = None

    def administrative(self) -> bool:
        return self.parent_id is None

    def founds(self) -> bool:
        return self.parent_id is None

    def feed(self, act: Act, desk: Desk) -> str:
        del desk
        return act.new_id(self.makes) if self.parent_id is None else act.places[self.parent_id].root
