"""What the viewer may not see is not there: not in a field, not in a list, not in a count."""

from typing import Any

import pytest

from graph.ids import Kind, new_id
from services.accounts import Tier
from services.configuring import Configure
from services.creating import CreateAccount
from services.ledger import Deposit, Transfer
from services.permissions import Role
from services.templates import CreateTemplate
from tests.support.house import House, op
from tests.support.reads import aggregate, ask, place, read, viewer_with

pytestmark = pytest.mark.anyio

NODE = "query($id: ID!) { node(id: $id) { __typename id } }"


async def node(house: House, viewer: Any, node_id: str) -> Any:
    return (await ask(house, NODE, viewer, id=node_id))["node"]


async def test_any_text_that_names_nothing_is_null(house: House) -> None:
    strange = [
        "", "x", "acc_", "acc_x", "acc_" + "7" * 26, new_id(Kind.ACCOUNT).lower(), new_id(Kind.GROUP), "grp_\u00e9" * 9,
        "usr_01ARZ3NDEKTSV4RRFFQ69G5FAV", "x" * 100_000, "acc_" + "\u0660" * 26, "\x00", "' OR 1=1 --", "{}", "null",
        house.admin.user_id, "pos_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    ]  # fmt: skip
    document = """
    query($id: ID!) { node(id: $id) { id } account(id: $id) { id } group(id: $id) { id } operation(id: $id) { id } }"""
    for text in strange:
        assert await ask(house, document, id=text) == dict.fromkeys(("node", "account", "group", "operation")), text
    found = await ask(house, "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[*strange, house.root])
    assert found["nodes"] == [*[None] * len(strange), {"id": house.root}]
    many = await read(house, "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["x"] * 101)
    assert many.codes == ["BAD_USER_INPUT"]


async def test_every_kind_of_node_is_found_by_those_who_see_it(house: House) -> None:
    group = await house.group("Seen")
    account = await place(house, group)
    template = CreateTemplate(operation_id=op(), name="T", parent_id=group, settings={"custom.a": 1})
    made = await house.do(template)
    deposit = await house.do(Deposit(operation_id=op(), account_id=account, amount="5"))
    nodes = {
        group: "Group",
        account: "Account",
        made.payload["template"]: "Template",
        deposit.operation: "Operation",
        deposit.payload["transactions"][0]: "Transaction",
    }
    inside = await viewer_with(house, group)
    outside = await viewer_with(house, await house.group("Other"))
    for node_id, name in nodes.items():
        for viewer in (house.admin, inside):
            assert await node(house, viewer, node_id) == {"__typename": name, "id": node_id}
        assert await node(house, outside, node_id) is None
    installation = house.desk.installation
    assert await node(house, house.admin, installation) == {"__typename": "Installation", "id": installation}
    assert await node(house, inside, installation) is None
    own = "{ installation { id } }"
    assert (await ask(house, own))["installation"] == {"id": installation}
    assert (await ask(house, own, inside))["installation"] is None
    wrong_kind = await ask(
        house, "query($a: ID!, $g: ID!) { account(id: $g) { id } group(id: $a) { id } }", a=account, g=group
    )
    assert wrong_kind == {"account": None, "group": None}


async def test_what_lies_above_the_scope_is_left_out(house: House) -> None:
    top = await house.group("Top")
    middle = await house.group("Middle", top)
    low = await house.group("Low", middle)
    account = await place(house, low)
    document = """
    query($a: ID!, $g: ID!) {
      account(id: $a) { parent { id } ancestors { id } }
      group(id: $g) { parent { id } ancestors { id } }
    }"""
    grants = {
        (house.root,): [low, middle, top, house.root],
        (middle,): [low, middle],
        (low, middle): [low, middle],
        (account, top): [low, middle, top],
        (account, low): [low],
    }
    for nodes, above in grants.items():
        found = await ask(house, document, await viewer_with(house, *nodes), a=account, g=low)
        assert [one["id"] for one in found["account"]["ancestors"]] == above
        assert found["account"]["parent"] == {"id": low}
        assert [one["id"] for one in found["group"]["ancestors"]] == above[1:]
        assert found["group"]["parent"] == ({"id": middle} if middle in above else None)
    alone = await ask(house, document, await viewer_with(house, account), a=account, g=low)
    assert alone == {"account": {"parent": None, "ancestors": []}, "group": None}


async def test_the_top_lists_begin_at_the_highest_nodes_that_were_granted(house: House) -> None:
    one, two = await house.group("One"), await house.group("Two")
    below = await house.group("Below", one)
    for parent in (one, two, below, house.root):
        await place(house, parent, name=parent)
    lone = await place(house, two, name="lone")
    document = "{ groups { totalCount nodes { id } } accounts { totalCount nodes { name } } }"
    expected: list[tuple[tuple[str, ...], list[str], list[str]]] = [
        ((one, below), [one], [one, below]),
        ((below, two), [two, below], [two, below, "lone"]),
        ((lone,), [], ["lone"]),
        ((one, lone), [one], [one, below, "lone"]),
        ((), [], []),
    ]
    for granted, groups, accounts in expected:
        found = await ask(house, document, await viewer_with(house, *granted))
        assert found["groups"]["totalCount"] == len(groups)
        assert {each["id"] for each in found["groups"]["nodes"]} == set(groups)
        assert found["accounts"]["totalCount"] == len(accounts)
        assert sorted(each["name"] for each in found["accounts"]["nodes"]) == sorted(accounts)


async def test_components_and_counterparties_beyond_the_scope_are_left_out(house: House) -> None:
    mine, theirs = await house.group("Mine"), await house.group("Theirs")
    seen = await place(house, mine, cash=100)
    hidden = await place(house, theirs, cash=200)
    composite = await place(house, mine, kind="COMPOSITE")
    await aggregate(house, composite, seen, hidden)
    await house.do(Deposit(operation_id=op(), account_id=hidden, amount="10"))
    moved = await house.do(Transfer(operation_id=op(), from_id=hidden, to_id=seen, amount="3"))
    viewer = await viewer_with(house, mine)
    document = """
    query($c: ID!, $a: ID!, $o: ID!) {
      account(id: $c) { cash { amount } components { totalCount nodes { id } } }
      seen: account(id: $a) { transactions { nodes { counterparty { id } operation { id names { id } } } } }
      operation(id: $o) { result { id } names { id } }
    }"""
    found = await ask(house, document, viewer, c=composite, a=seen, o=moved.operation)
    assert found["account"] == {"cash": {"amount": "13.00"}, "components": {"totalCount": 1, "nodes": [{"id": seen}]}}
    entry = found["seen"]["transactions"]["nodes"][0]
    assert entry["counterparty"] is None
    assert entry["operation"] == {"id": moved.operation, "names": [{"id": seen}]}
    assert found["operation"] == {"result": None, "names": [{"id": seen}]}
    whole = await ask(house, document, c=composite, a=seen, o=moved.operation)
    assert whole["account"]["components"]["totalCount"] == 2
    assert whole["seen"]["transactions"]["nodes"][0]["counterparty"] == {"id": hidden}


async def test_a_setting_shows_its_value_everywhere_and_its_source_to_those_who_see_it(house: House) -> None:
    group = await house.group("Sub")
    template = CreateTemplate(operation_id=op(), name="T", parent_id=house.root, settings={"custom.template": "t"})
    template_id = (await house.do(template)).payload["template"]
    given: dict[str, Any] = {"custom.own": 1}
    creating = CreateAccount(
        operation_id=op(), name="A", parent_id=group, template_id=template_id, settings=given, tier=Tier.GEN
    )
    account = (await house.do(creating)).payload["account"]
    await house.do(Configure(operation_id=op(), id=house.root, settings={"custom.root": [1, {"a": None}]}))
    await house.do(Configure(operation_id=op(), id=group, settings={"limits.minCashShare": "0.25"}))
    document = """
    query($a: ID!, $g: ID!) {
      account(id: $a) { template { id parent { id } settings } settings { key value source { id __typename } } }
      group(id: $g) { settings { key value source { id } } }
    }"""

    async def shown(viewer: Any) -> tuple[Any, dict[str, Any]]:
        found = await ask(house, document, viewer, a=account, g=group)
        rows = found["account"]["settings"]
        assert [row["key"] for row in rows] == sorted(row["key"] for row in rows)
        sources = {row["key"]: (row["value"], row["source"] and row["source"]["id"]) for row in rows}
        assert "custom.own" not in {row["key"] for row in found["group"]["settings"]}
        return found["account"]["template"], sources

    expected = {
        "custom.own": (1, account),
        "custom.template": ("t", template_id),
        "limits.minCashShare": ("0.25", group),
        "custom.root": ([1, {"a": None}], house.root),
    }
    used, values = await shown(house.admin)
    assert used == {"id": template_id, "parent": {"id": house.root}, "settings": {"custom.template": "t"}}
    assert {key: values[key] for key in expected} == expected
    assert values["approval.order"] == (True, None)
    used, values = await shown(await viewer_with(house, group))
    assert used is None
    hidden = {"custom.template", "custom.root"}
    assert {key: values[key] for key in expected} == {
        key: (value, None if key in hidden else source) for key, (value, source) in expected.items()
    }


async def test_operations_are_seen_by_whoever_sees_a_node_that_they_name(house: House) -> None:
    mine, theirs = await house.group("Mine"), await house.group("Theirs")
    a, b = await place(house, mine), await place(house, theirs)
    first = await house.do(Deposit(operation_id=op(), account_id=a, amount="5"))
    second = await house.do(Deposit(operation_id=op(), account_id=b, amount="5"))
    both = await house.do(Transfer(operation_id=op(), from_id=a, to_id=b, amount="1"))
    document = """
    query($where: OperationFilter) { operations(where: $where) { totalCount nodes { id } } }"""

    async def listed(viewer: Any, **where: Any) -> list[str]:
        found = (await ask(house, document, viewer, where=where or None))["operations"]
        ids = [each["id"] for each in found["nodes"]]
        assert ids == sorted(ids, reverse=True)
        assert found["totalCount"] >= len(ids)
        return [each for each in ids if each in {first.operation, second.operation, both.operation}]

    every = sorted((first.operation, second.operation, both.operation), reverse=True)
    assert await listed(house.admin, within=house.root) == every
    assert await listed(house.admin) == every
    assert await listed(await viewer_with(house, house.root)) == every
    for viewer in (await viewer_with(house, mine), await viewer_with(house, a)):
        assert await listed(viewer) == [each for each in every if each != second.operation]
        assert await listed(viewer, within=theirs) == []
        assert await listed(viewer, within=house.root) == []
        assert await listed(viewer, within=a) == [each for each in every if each != second.operation]
        found = await ask(house, "query($id: ID!) { operation(id: $id) { id } }", viewer, id=second.operation)
        assert found["operation"] is None
    assert await listed(await viewer_with(house)) == []
    assert await listed(house.admin, within=theirs) == [each for each in every if each != first.operation]
    assert await listed(house.admin, within=a, kind=["transfer"]) == [both.operation]
    assert await listed(house.admin, within=a, kind=["transfer"], state=["AWAITING_APPROVAL"]) == []
    assert await listed(house.admin, within=a, state=["SUCCEEDED"], kind=[]) == []


async def test_operations_page_from_the_newest_to_the_oldest(house: House) -> None:
    account = await place(house)
    made = [(await house.do(Deposit(operation_id=op(), account_id=account, amount="1"))).operation for _ in range(5)]
    document = """
    query($id: ID!, $after: String) {
      operations(where: {within: $id}, first: 2, after: $after) {
        nodes { id kind state actor problems { code } finishedAt expiresAt }
        pageInfo { hasNextPage endCursor }
      }
    }"""
    found: list[str] = []
    cursor: str | None = None
    page: Any = None
    for _ in range(3):
        page = (await ask(house, document, id=account, after=cursor))["operations"]
        found += [each["id"] for each in page["nodes"]]
        cursor = page["pageInfo"]["endCursor"]
        assert all(each["state"] == "SUCCEEDED" and each["finishedAt"] for each in page["nodes"])
    assert found == sorted(made, reverse=True)
    assert page["pageInfo"]["hasNextPage"] is False


async def test_the_viewer_is_told_what_they_may_do_where(house: House) -> None:
    group = await house.group("Sub")
    account = await place(house, group)
    other = await place(house)
    viewer = await viewer_with(house, group, role=Role.OPERATOR)
    document = """
    query($a: ID!, $o: ID!) {
      viewer {
        username administrator grants { role permissions node { id } }
        here: permissions(id: $a) there: permissions(id: $o) nowhere: permissions(id: "x")
      }
    }"""
    found = (await ask(house, document, viewer, a=account, o=other))["viewer"]
    rights = ["POST", "READ", "TRADE"]
    assert found == {
        "username": viewer.username,
        "administrator": False,
        "grants": [{"role": "OPERATOR", "permissions": rights, "node": {"id": group}}],
        "here": rights,
        "there": [],
        "nowhere": [],
    }
    admin = (await ask(house, document, a=account, o=other))["viewer"]
    assert admin["administrator"] is True
    assert "GRANT" in admin["there"]
    assert admin["nowhere"] == []
