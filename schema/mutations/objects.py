"""The objects of payloads, read after the effect: as they are now, and as far as the viewer sees them."""

from collections.abc import Awaitable, Sequence
from typing import TypeVar, cast

from graph import settings as stored_settings
from graph.database import Row
from graph.ids import Kind
from resolvers import nodes, structure
from resolvers import transactions as entries
from resolvers.context import Context
from schema.types.account import Account
from schema.types.group import Group
from schema.types.node import Node, node_of
from schema.types.operation import Operation
from schema.types.setting import Setting
from schema.types.setting import settings as shown_settings
from schema.types.template import Template
from schema.types.transaction import Transaction
from services.access import NOT_FOUND_MESSAGE
from services.problems import ProblemCode, refuse

T = TypeVar("T")


async def node(context: Context, node_id: str | None) -> Node | None:
    """The node of this id; None where the operation has none yet, or the viewer sees it no more."""
    found = await nodes.find(context, node_id) if node_id is not None else None
    return None if found is None else node_of(*found)


async def account(context: Context, node_id: str | None) -> Account | None:
    """The account of this id, like `node`."""
    return cast("Account | None", await node(context, node_id))


async def group(context: Context, node_id: str | None) -> Group | None:
    """The group of this id, like `node`."""
    return cast("Group | None", await node(context, node_id))


async def template(context: Context, node_id: str | None) -> Template | None:
    """The template of this id, like `node`."""
    return cast("Template | None", await node(context, node_id))


async def operation_of(context: Context, node_id: str | None) -> Operation | None:
    """The operation of this id, like `node`."""
    return cast("Operation | None", await node(context, node_id))


def operation(row: Row) -> Operation:
    """The operation with these properties."""
    return cast("Operation", node_of(Kind.OPERATION, row))


async def transactions(context: Context, entry_ids: Sequence[str]) -> list[Transaction]:
    """The entries of these ids that the viewer sees."""
    found = await entries.of_ids(context, list(entry_ids))
    return [cast("Transaction", node_of(Kind.ENTRY, entry)) for entry in found]


async def settings(context: Context, node_id: str | None) -> list[Setting] | None:
    """The settings in force on a node, a template's own; None where the operation has not set them yet."""
    found = await nodes.find(context, node_id) if node_id is not None else None
    if found is None:
        return None
    kind, row = found
    if kind is not Kind.TEMPLATE:
        return shown_settings(await structure.settings(context, row["id"]))
    own = stored_settings.loads(row["settings"])
    return shown_settings([structure.Setting(key, value["value"], found) for key, value in sorted(own.items())])


async def required(found: Awaitable[T | None]) -> T:
    """What a payload cannot be without. Raises Refused where the viewer sees it no more."""
    value = await found
    if value is None:
        raise refuse(ProblemCode.NOT_FOUND, NOT_FOUND_MESSAGE)
    return value
