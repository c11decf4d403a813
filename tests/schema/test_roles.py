"""Who may do what: each role and each mutation. Who may not is refused, and nothing changed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from graph import accounts, groups, templates
from graph.query import Query
from tests.support.api import InProcess, a_user
from tests.support.house import House

pytestmark = pytest.mark.anyio

FEED = Query("test.roles_feed", "MATCH (f:Feed {id: $feed}) RETURN f.number AS number, f.hash AS hash")
OPERATIONS = Query("test.roles_operations", "MATCH (o:Operation {root: $root}) RETURN count(o) AS total")
GRANTS = Query(
    "test.roles_grants",
    "MATCH (g:Group {id: $id})<-[r:GRANTED]-(u:User) RETURN u.username AS name, r.role AS role ORDER BY name, role",
)

ROLES = ("VIEWER", "OPERATOR", "MANAGER", "ADMIN", "AUDITOR", "SUPER_ADMIN")
POSTING = frozenset({"OPERATOR", "MANAGER", "ADMIN", "SUPER_ADMIN", "administrator"})
SHAPING = frozenset({"MANAGER", "ADMIN", "SUPER_ADMIN", "administrator"})
GRANTING = frozenset({"SUPER_ADMIN", "administrator"})
ADMINISTERING = frozenset({"administrator"})


@dataclass(frozen=True, slots=True)
class Stage:
    """A tenant with what every mutation needs, and the administrator who sets it up."""

    house: House
    admin: InProcess
    group: str
    other: str
    account: str
    payee: str
    template: str
    somebody: str

    async def snapshot(self) -> list[Any]:
        """Everything that a refused mutation must leave as it is."""
        database = self.house.desk.database
        return [
            await database.run(FEED, feed=self.house.root),
            await database.run(OPERATIONS, root=self.house.root),
            await accounts.find(database, [self.account, self.payee]),
            await groups.find(database, [self.house.root, self.group, self.other]),
            await templates.find(database, [self.template]),
            await database.run(GRANTS, id=self.group),
            await self.house.market.market_date(),
            await self.house.market.halted(),
        ]

    async def version(self, kind: str, node: str) -> int:
        """The version of an account, a group or a template, as it is now."""
        find = {"account": accounts.find, "group": groups.find, "template": templates.find}[kind]
        return (await find(self.house.desk.database, [node]))[node]["version"]

    async def made(self, name: str) -> str:
        """A new empty group below the first one."""
        made = await self.admin.done("createGroup", "group { id }", name=name, parentId=self.group)
        return made["group"]["id"]


@pytest.fixture
async def stage(house: House) -> Stage:
    admin = InProcess(house, house.admin.user_id)
    group, other = await house.group("Group"), await house.group("Other")
    made: list[str] = []
    for name in ("Payer", "Payee"):
        answer = await admin.done("createAccount", "account { id }", name=name, parentId=group)
        made.append(answer["account"]["id"])
        await admin.done("deposit", accountId=made[-1], amount="100000")
    answer = await admin.done("createTemplate", "template { id }", name="Shared", parentId=group, settings={})
    username = f"user-{uuid4().hex[:12]}"
    await a_user(house, username=username)
    account, payee = made
    return Stage(house, admin, group, other, account, payee, answer["template"]["id"], username)


Given = dict[str, Any]
Make = Callable[[Stage], Awaitable[Given]]
MUTATIONS: dict[str, tuple[frozenset[str], Make]] = {}


def mutation(name: str, allowed: frozenset[str]) -> Callable[[Make], Make]:
    """Registers the input of a mutation, which `allowed` may ask for."""

    def register(make: Make) -> Make:
        MUTATIONS[name] = (allowed, make)
        return make

    return register


@mutation("deposit", POSTING)
async def deposit(stage: Stage) -> Given:
    return {"accountId": stage.account, "amount": "1"}


@mutation("withdraw", POSTING)
async def withdraw(stage: Stage) -> Given:
    return {"accountId": stage.account, "amount": "1"}


@mutation("transfer", POSTING)
async def transfer(stage: Stage) -> Given:
    return {"fromId": stage.account, "toId": stage.payee, "amount": "1"}


@mutation("adjustCash", SHAPING)
async def adjust_cash(stage: Stage) -> Given:
    return {"accountId": stage.account, "amount": "-1", "reason": "It was counted twice"}


@mutation("postFee", SHAPING)
async def post_fee(stage: Stage) -> Given:
    return {"accountId": stage.account, "amount": "1"}


@mutation("postDividend", SHAPING)
async def post_dividend(stage: Stage) -> Given:
    return {"accountId": stage.account, "amount": "1", "symbol": "AAPL"}


@mutation("reverseEntry", SHAPING)
async def reverse_entry(stage: Stage) -> Given:
    made = await stage.admin.done("deposit", "transactions { id }", accountId=stage.account, amount="1")
    return {"transactionId": made["transactions"][0]["id"], "reason": "It was made twice"}


@mutation("placeOrder", POSTING)
async def place_order(stage: Stage) -> Given:
    return {"accountId": stage.account, "symbol": "AAPL", "side": "BUY", "quantity": "1"}


@mutation("cancelOrder", POSTING)
async def cancel_order(stage: Stage) -> Given:
    order = {"symbol": "AAPL", "side": "BUY", "quantity": "1", "limitPrice": "1"}
    placed = await stage.admin.done("placeOrder", accountId=stage.account, **order)
    assert placed["operation"]["state"] == "RUNNING"
    return {"orderOperationId": placed["operation"]["id"]}


@mutation("createGroup", SHAPING)
async def create_group(stage: Stage) -> Given:
    return {"name": "New", "parentId": stage.group}


@mutation("updateGroup", SHAPING)
async def update_group(stage: Stage) -> Given:
    return {"id": stage.other, "version": await stage.version("group", stage.other), "name": "New"}


@mutation("closeGroup", SHAPING)
async def close_group(stage: Stage) -> Given:
    return {"id": await stage.made("Empty"), "version": 1, "reason": "It is empty"}


@mutation("createTemplate", SHAPING)
async def create_template(stage: Stage) -> Given:
    return {"name": "New", "parentId": stage.group, "settings": {}}


@mutation("updateTemplate", SHAPING)
async def update_template(stage: Stage) -> Given:
    return {"id": stage.template, "version": await stage.version("template", stage.template), "name": "New"}


@mutation("createAccount", SHAPING)
async def create_account(stage: Stage) -> Given:
    return {"name": "New", "parentId": stage.group}


@mutation("updateAccount", SHAPING)
async def update_account(stage: Stage) -> Given:
    return {"id": stage.payee, "version": await stage.version("account", stage.payee), "name": "New"}


@mutation("changeAccountStatus", SHAPING)
async def change_account_status(stage: Stage) -> Given:
    made = await stage.admin.done("createAccount", "account { id }", name="Resting", parentId=stage.group)
    return {"id": made["account"]["id"], "version": 1, "status": "INACTIVE", "reason": "It rests"}


@mutation("move", SHAPING)
async def move(stage: Stage) -> Given:
    return {"id": await stage.made("Moving"), "parentId": stage.other, "rationale": "It belongs there"}


@mutation("configure", SHAPING)
async def configure(stage: Stage) -> Given:
    return {"id": stage.group, "settings": {"custom.colour": uuid4().hex}}


@mutation("decideOperation", SHAPING)
async def decide_operation(stage: Stage) -> Given:
    account = (await stage.admin.done("createAccount", "account { id }", name="Asks", parentId=stage.group))["account"]
    await stage.admin.done("configure", id=account["id"], settings={"approval.deposit": True})
    asker = await a_user(stage.house, ("OPERATOR", stage.group))
    asked = await asker.done("deposit", accountId=account["id"], amount="1")
    assert asked["operation"]["state"] == "AWAITING_APPROVAL"
    return {"targetOperationId": asked["operation"]["id"], "approve": True, "reason": "It is right"}


@mutation("grant", GRANTING)
async def grant(stage: Stage) -> Given:
    return {"username": stage.somebody, "nodeId": stage.group, "role": "VIEWER"}


@mutation("revoke", GRANTING)
async def revoke(stage: Stage) -> Given:
    await stage.admin.done("grant", username=stage.somebody, nodeId=stage.group, role="AUDITOR")
    return {"username": stage.somebody, "nodeId": stage.group, "role": "AUDITOR"}


@mutation("createUser", ADMINISTERING)
async def create_user(stage: Stage) -> Given:
    del stage
    return {"username": f"user-{uuid4().hex[:12]}", "password": "a long enough password"}


@mutation("setUserDisabled", ADMINISTERING)
async def set_user_disabled(stage: Stage) -> Given:
    return {"username": stage.somebody, "disabled": False}


@mutation("setAdministrator", ADMINISTERING)
async def set_administrator(stage: Stage) -> Given:
    return {"username": stage.somebody, "administrator": False}


@mutation("advanceMarketDate", ADMINISTERING)
async def advance_market_date(stage: Stage) -> Given:
    return {"date": (await stage.house.market.market_date()).isoformat()}


@mutation("haltSymbol", ADMINISTERING)
async def halt_symbol(stage: Stage) -> Given:
    del stage
    return {"symbol": "MSFT"}


@mutation("resumeSymbol", ADMINISTERING)
async def resume_symbol(stage: Stage) -> Given:
    del stage
    return {"symbol": "MSFT"}


# These are everybody's own affair.
OWN = {"signIn", "signOut", "changePassword"}
# A file is imported by who sent it: mutations/test_imports.py tries these for each role.
IMPORTS = {"bulkImport", "cancelImport", "resumeImport"}


async def test_every_mutation_is_tried(stage: Stage) -> None:
    data = await stage.admin.ask("{ __schema { mutationType { fields { name } } } }")
    assert {each["name"] for each in data["__schema"]["mutationType"]["fields"]} == MUTATIONS.keys() | OWN | IMPORTS


@pytest.mark.parametrize("role", [*ROLES, "administrator"])
async def test_who_may_may_and_who_may_not_changes_nothing(stage: Stage, role: str) -> None:
    client = stage.admin if role == "administrator" else await a_user(stage.house, (role, stage.house.root))
    for name, (allowed, make) in MUTATIONS.items():
        given = await make(stage)
        before = await stage.snapshot()
        result = await client.do(name, "__typename", **given)
        if role in allowed:
            assert result["__typename"].endswith("Payload"), (name, result)
        else:
            assert result.get("code") == "FORBIDDEN", (name, result)
            assert await stage.snapshot() == before, name


async def test_what_is_hidden_is_not_found_and_nothing_changed(stage: Stage) -> None:
    elsewhere = await a_user(stage.house, ("SUPER_ADMIN", stage.other))
    for name, (allowed, make) in MUTATIONS.items():
        given = await make(stage)
        if allowed == ADMINISTERING or stage.other in given.values():
            continue
        before = await stage.snapshot()
        unknown = {key: _other_id(value) for key, value in given.items()}
        hidden, missing = (
            await elsewhere.do(name, "__typename", **given),
            await elsewhere.do(name, "__typename", **unknown),
        )
        assert hidden == missing, name
        assert hidden["code"] == "NOT_FOUND", (name, hidden)
        assert await stage.snapshot() == before, name


def _other_id(value: Any) -> Any:
    """An id of the same form that names nothing."""
    is_id = isinstance(value, str) and value.startswith(("grp_", "acc_", "tpl_", "op_", "txn_"))
    return f"{value.partition('_')[0]}_01ARZ3NDEKTSV4RRFFQ69G5FAV" if is_id else value


async def test_a_mutation_on_several_nodes_needs_the_right_on_each(stage: Stage) -> None:
    client = await a_user(stage.house, ("MANAGER", stage.group), ("VIEWER", stage.other))
    before = await stage.snapshot()
    problem = await client.refused("move", id=stage.payee, parentId=stage.other, rationale="It belongs there")
    assert (problem["code"], problem["path"]) == ("FORBIDDEN", ["parentId"])
    made = await stage.admin.done("createAccount", "account { id }", name="Far", parentId=stage.other)
    problem = await client.refused("transfer", fromId=stage.account, toId=made["account"]["id"], amount="1")
    assert (problem["code"], problem["path"]) == ("FORBIDDEN", ["toId"])
    assert (await stage.snapshot())[2] == before[2]


async def test_roles_add_up_and_hold_for_the_subtree_alone(stage: Stage) -> None:
    client = await a_user(stage.house, ("AUDITOR", stage.house.root), ("OPERATOR", stage.account))
    await client.done("deposit", accountId=stage.account, amount="1")
    assert (await client.refused("deposit", accountId=stage.payee, amount="1"))["code"] == "FORBIDDEN"


async def test_a_tenant_is_the_administrators_to_make(stage: Stage) -> None:
    client = await a_user(stage.house, ("SUPER_ADMIN", stage.house.root))
    assert (await client.refused("createGroup", name="Mine"))["code"] == "FORBIDDEN"
    made = await stage.admin.done("createGroup", "group { name parent { id } }", name="Another")
    assert made["group"] == {"name": "Another", "parent": None}


async def test_a_revoked_role_is_gone_at_the_next_request(stage: Stage) -> None:
    client = await a_user(stage.house, ("OPERATOR", stage.group))
    viewer = await client.viewer()
    assert viewer is not None
    await client.done("deposit", accountId=stage.account, amount="1")
    gone = {"username": viewer.username, "nodeId": stage.group, "role": "OPERATOR"}
    await stage.admin.done("revoke", **gone)
    assert (await client.refused("deposit", accountId=stage.account, amount="1"))["code"] == "NOT_FOUND"
    assert (await stage.admin.refused("revoke", **gone))["code"] == "NOT_FOUND"
