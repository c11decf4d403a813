"""Imports: what becomes of lines, by the rules of single mutations, and that the books add up afterwards."""

from typing import Any

import pytest

from graph import accounts, groups, operations
from graph.query import Query
from graph.structure import locate
from services.checks import check_tenant
from services.configuring import Configure
from services.creating import CreateAccount
from services.deciding import DecideOperation, decide
from services.findings import Report
from services.importing.commands import BulkImport, CancelImport, ResumeImport
from services.importing.reading import Format
from services.importing.running import go_on
from services.ledger import Deposit
from services.order_checks import OrderCheck
from tests.support.api import a_user
from tests.support.house import House, op
from tests.support.importing import as_json_lines, begun, imported, outcomes, rested, seen, upload
from tests.support.tree import account

pytestmark = pytest.mark.anyio

RECORDS = Query(
    "test.import_records",
    "MATCH (c:Change {feed: $feed}) WHERE c.action = $action "
    "RETURN c.kind AS kind, c.payload AS payload, c.operation AS operation ORDER BY c.number",
)
ENTRIES = Query(
    "test.import_entries",
    "MATCH (e:Entry {ledger: $account}) RETURN e.kind AS kind, e.amount AS amount, e.state AS state",
)
TREE: list[dict[str, Any] | str] = [
    {"id": "g1", "type": "group", "name": "Desk", "settings": {"limits.maxOrderValue": "5000"}},
    {"id": "g2", "type": "group", "name": "Sub", "parentId": "g1"},
    {"id": "a1", "type": "account", "name": "One", "parentId": "g2", "openingBalance": "125.50", "tier": "GEN"},
    {"id": "a2", "name": "Two", "settings": {"limits.maxPositionShare": 0.5}},
]


async def add_up(house: House) -> None:
    report = Report()
    await check_tenant(house.desk, house.root, report, OrderCheck(house.desk, report))
    assert report.clean, report.findings


async def told(house: House, row: Any) -> dict[str, list[tuple[str, ...]]]:
    """The paths of each failed line's problems, by the line's id or number."""
    return {
        line["id"] or str(line["number"]): [tuple(problem["path"]) for problem in line["problems"]]
        for line in await outcomes(house, row)
        if "problems" in line
    }


async def test_groups_accounts_settings_and_balances_are_imported(house: House) -> None:
    row = await imported(house, TREE)
    assert (row["state"], row["succeeded"], row["failed"], row["lines"]) == ("SUCCEEDED", 4, 0, 4)
    made = {line["id"]: line["node"] for line in await outcomes(house, row)}
    found = await accounts.find(house.desk.database, [made["a1"], made["a2"]])
    assert [found[made[each]]["cash"] for each in ("a1", "a2")] == [12550, 0]
    places = await locate(house.desk.database, made.values())
    assert places[made["a1"]].path == (made["a1"], made["g2"], made["g1"], house.root)
    assert (await groups.find(house.desk.database, [made["g1"]]))[made["g1"]]["version"] == 2
    await add_up(house)


async def test_an_import_leaves_what_single_mutations_leave(house: House) -> None:
    row = await imported(house, [TREE[2] | {"parentId": house.root}])  # pyright: ignore[reportOperatorIssue]
    given: dict[str, Any] = {"name": "One", "parent_id": house.root, "tier": "GEN"}
    single = (await house.do(CreateAccount(operation_id=op(), **given))).payload["account"]
    await house.do(Deposit(operation_id=op(), account_id=single, amount="125.50"))
    (line,) = await outcomes(house, row)
    found = await accounts.find(house.desk.database, [line["node"], single])
    own = {"id", "createdAt", "updatedAt", "lock"}
    one, other = ({k: v for k, v in found[each].items() if k not in own} for each in (line["node"], single))
    assert one == other
    entries = [await house.desk.database.run(ENTRIES, account=each) for each in (line["node"], single)]
    assert entries[0] == entries[1] == [{"kind": "DEPOSIT", "amount": 12550, "state": "POSTED"}]
    records = await house.desk.database.run(RECORDS, feed=house.root, action="bulkImport")
    kinds = [record["kind"] for record in records]
    assert kinds == ["OPERATION_CHANGED", "ACCOUNT_CREATED", "POSTED", "OPERATION_CHANGED"]
    assert {record["operation"] for record in records} == {row["operation"]}


async def test_a_file_with_problems_changes_nothing_unless_it_may_be_imported_in_part(house: House) -> None:
    lines = [*TREE, {"id": "bad", "name": "", "parentId": "g1"}, {"id": "lost", "name": "x", "parentId": "bad-group"}]
    row = await imported(house, lines)
    assert (row["state"], row["succeeded"], row["failed"], row["lines"]) == ("FAILED", 0, 2, 6)
    assert await told(house, row) == {"bad": [("name",)], "lost": [("parentId",)]}
    assert not await groups.has_open_child(house.desk.database, house.root)
    row = await imported(house, lines, skip_invalid=True)
    assert (row["state"], row["succeeded"], row["failed"]) == ("SUCCEEDED", 4, 2)
    assert await told(house, row) == {"bad": [("name",)], "lost": [("parentId",)]}


async def test_a_dry_run_tells_each_problem_and_changes_nothing(house: House) -> None:
    row = await imported(house, [*TREE, {"id": "bad", "name": "x", "currency": "XXXX"}], dry_run=True)
    assert (row["state"], row["succeeded"], row["failed"], row["lines"]) == ("SUCCEEDED", 0, 1, 5)
    assert await told(house, row) == {"bad": [("currency",)]}
    assert not await groups.has_open_child(house.desk.database, house.root)


async def test_each_bad_line_has_its_own_problem(house: House) -> None:
    away = await house.group("Elsewhere")
    within = await house.group("Within")
    outside, composite = await account(house, away), await account(house, within, kind="COMPOSITE")
    lines = as_json_lines(
        [
            {
                "id": "ok",
                "type": "group",
                "name": "Locked",
                "settings": {"fork.maxPerDay": 3},
                "lock": ["fork.maxPerDay"],
            },
            {"id": "ok", "name": "Twice"},
            {"id": "locked", "name": "x", "parentId": "ok", "settings": {"fork.maxPerDay": 4}},
            {"id": "below-account", "name": "x", "parentId": "locked"},
            {"id": "later", "name": "x", "parentId": "after"},
            {"id": "after", "type": "group", "name": "After"},
            {"id": "outside", "name": "x", "parentId": away},
            {"id": "nowhere", "name": "x", "parentId": "grp_01ARZ3NDEKTSV4RRFFQ69G5FAV"},
            {"id": "decimals", "name": "x", "openingBalance": "1.005"},
            {"id": "huge", "name": "x", "openingBalance": "9" * 30},
            {"id": "zero", "name": "x", "openingBalance": 0},
            {"id": "both", "name": "", "currency": "ZZZ", "openingBalance": "x"},
            {"id": "theirs", "type": "balance", "accountId": outside, "amount": "5"},
            {"id": "composite", "type": "balance", "accountId": composite, "amount": "5"},
            {"id": "a-line", "type": "balance", "accountId": "after", "amount": "5"},
            {"id": "unknown", "type": "settings", "nodeId": within, "settings": {"no.such": 1}},
            "not json",
        ]
    )
    row = await imported(house, lines + b"\xff\xfe\n", group_id=within, skip_invalid=True)
    assert (row["state"], row["succeeded"], row["lines"]) == ("SUCCEEDED", 2, 18)
    assert await told(house, row) == {
        "ok": [("id",)],
        "locked": [("settings", "fork.maxPerDay")],
        "below-account": [("parentId",)],
        "later": [("parentId",)],
        "outside": [("parentId",)],
        "nowhere": [("parentId",)],
        "decimals": [("openingBalance",)],
        "huge": [("openingBalance",)],
        "zero": [("openingBalance",)],
        "both": [("name",), ("currency",)],
        "theirs": [("accountId",)],
        "composite": [("accountId",)],
        "a-line": [("accountId",)],
        "unknown": [("settings", "no.such")],
        "17": [()],
        "18": [()],
    }
    await add_up(house)


async def test_what_is_there_gets_settings_and_balances(house: House) -> None:
    group, one = await house.group("Group"), await account(house)
    other = await account(house, group)
    lines: list[dict[str, Any] | str] = [
        {"id": "s", "type": "settings", "nodeId": group, "settings": {"fork.maxPerDay": 2}, "lock": ["fork.maxPerDay"]},
        {"id": "n", "name": "New", "parentId": group, "settings": {"fork.maxPerDay": 1}},
        {"id": "t", "type": "settings", "nodeId": one, "settings": {"limits.maxPositionShare": 0.25}},
        {"id": "b1", "type": "balance", "accountId": one, "amount": "1.50", "note": "first"},
        {"id": "b2", "type": "balance", "accountId": one, "amount": 2},
        {"id": "b3", "type": "balance", "accountId": other, "amount": "3"},
    ]
    row = await imported(house, lines, skip_invalid=True)
    assert await told(house, row) == {"n": [("settings", "fork.maxPerDay")]}
    found = await accounts.find(house.desk.database, [one, other])
    assert [found[each]["cash"] for each in (one, other)] == [350, 300]
    assert "limits.maxPositionShare" in found[one]["settings"]
    assert (await groups.find(house.desk.database, [group]))[group]["locks"] == ["fork.maxPerDay"]
    await add_up(house)


async def test_csv_is_imported(house: House) -> None:
    content = b'id,type,name,parentId,openingBalance,settings\r\ng,group,Desk,,,"{""fork.maxPerDay"": 2}"\r\n'
    content += b"a,account,One,g,5.25,\r\nb,account,=cmd(),g,1,\r\n"
    row = await imported(house, content, form=Format.CSV, skip_invalid=True)
    assert (row["succeeded"], await told(house, row)) == (2, {"b": [("name",)]})


async def test_lines_of_many_parts_stand_on_each_other(house: House) -> None:
    lines: list[dict[str, Any] | str] = [{"id": "g0", "type": "group", "name": "0"}]
    for number in range(1, 601):
        lines.append({"id": f"g{number}", "type": "group", "name": str(number), "parentId": f"g{max(0, number - 100)}"})
        lines.append({"id": f"a{number}", "name": "x", "parentId": f"g{number}", "openingBalance": 1})
    row = await imported(house, lines)
    assert (row["state"], row["parts"], row["succeeded"]) == ("SUCCEEDED", 3, 1201)
    made = {line["id"]: line["node"] for line in await outcomes(house, row)}
    (place,) = (await locate(house.desk.database, [made["a600"]])).values()
    assert list(place.path[1:]) == [made[f"g{n}"] for n in (600, 500, 400, 300, 200, 100, 0)] + [house.root]
    await add_up(house)


async def test_each_line_needs_the_rights_of_its_mutations(house: House) -> None:
    group = await house.group("Group")
    client = await a_user(house, ("MANAGER", group))
    viewer = await client.viewer()
    assert viewer is not None
    row = await imported(house, [{"id": "a", "name": "x", "parentId": house.root}], viewer=viewer, group_id=group)
    assert (row["state"], await told(house, row)) == ("FAILED", {"a": [("parentId",)]})
    row = await imported(house, [{"id": "a", "name": "x", "openingBalance": 1}], viewer=viewer, group_id=group)
    assert row["state"] == "SUCCEEDED"


async def test_one_approval_covers_all_lines_of_an_import(house: House) -> None:
    group = await house.group("Careful")
    await house.do(Configure(operation_id=op(), id=group, settings={"approval.deposit": True}))
    client = await a_user(house, ("MANAGER", group))
    viewer = await client.viewer()
    assert viewer is not None
    lines: list[dict[str, Any] | str] = [{"id": f"a{n}", "name": "x", "openingBalance": 5} for n in range(3)]
    import_id = await begun(house, lines, viewer=viewer, group_id=group)
    row = await rested(house, import_id)
    assert (row["state"], row["phase"], row["succeeded"], row["failed"]) == ("AWAITING_APPROVAL", "APPROVAL", 0, 0)
    assert not await groups.has_open_child(house.desk.database, group)
    fields = {"operation_id": op(), "target_operation_id": row["operation"], "approve": True, "reason": "It is right"}
    await decide(house.pipeline, house.admin, DecideOperation.model_validate(fields))
    assert (await seen(house, import_id))["state"] == "RUNNING"
    row = await rested(house, import_id)
    assert (row["state"], row["succeeded"]) == ("SUCCEEDED", 3)
    await add_up(house)


async def test_what_was_refused_is_not_imported(house: House) -> None:
    group = await house.group("Careful")
    await house.do(Configure(operation_id=op(), id=group, settings={"approval.deposit": True}))
    row = await imported(house, [{"id": "a", "name": "x", "openingBalance": 5}], group_id=group)
    client = await a_user(house, ("MANAGER", group))
    viewer = await client.viewer()
    fields = {"operation_id": op(), "target_operation_id": row["operation"], "approve": False, "reason": "It is not"}
    await decide(house.pipeline, viewer, DecideOperation.model_validate(fields))
    row = await rested(house, row["id"])
    assert (row["state"], row["succeeded"]) == ("REJECTED", 0)
    assert not await groups.has_open_child(house.desk.database, group)


async def test_an_import_that_is_cancelled_while_it_waits_is_asked_about_again(house: House) -> None:
    group = await house.group("Careful")
    await house.do(Configure(operation_id=op(), id=group, settings={"approval.deposit": True}))
    row = await imported(house, [{"id": "a", "name": "x", "openingBalance": 5}], group_id=group)
    await house.do(CancelImport(operation_id=op(), import_id=row["id"]))
    assert (await seen(house, row["id"]))["state"] == "CANCELLED"
    await house.do(ResumeImport(operation_id=op(), import_id=row["id"]))
    row = await rested(house, row["id"])
    assert (row["state"], row["succeeded"]) == ("AWAITING_APPROVAL", 0)
    assert not await groups.has_open_child(house.desk.database, group)


async def test_an_approval_ends_with_a_cancellation(house: House) -> None:
    group = await house.group("Careful")
    await house.do(Configure(operation_id=op(), id=group, settings={"approval.deposit": True}))
    viewer = await (await a_user(house, ("MANAGER", group))).viewer()
    lines: list[dict[str, Any] | str] = [{"id": "a", "name": "x", "openingBalance": 5}]
    import_id = await begun(house, lines, viewer=viewer, group_id=group)

    async def approved() -> None:
        row = await rested(house, import_id)
        assert (row["state"], row["phase"], row["succeeded"]) == ("AWAITING_APPROVAL", "APPROVAL", 0)
        fields = {"operation_id": op(), "target_operation_id": row["operation"], "approve": True, "reason": "Yes"}
        await decide(house.pipeline, house.admin, DecideOperation.model_validate(fields))

    await approved()
    await house.do(CancelImport(operation_id=op(), import_id=import_id), viewer)
    await house.do(ResumeImport(operation_id=op(), import_id=import_id), viewer)
    await approved()
    row = await rested(house, import_id)
    assert (row["state"], row["succeeded"]) == ("SUCCEEDED", 1)


async def test_what_changed_since_the_check_fails_by_itself(house: House) -> None:
    group = await house.group("Group")
    lines: list[dict[str, Any] | str] = [
        {"id": "a", "name": "x", "parentId": group, "settings": {"fork.maxPerDay": 4}},
        {"id": "b", "name": "x", "parentId": group},
    ]
    import_id = await begun(house, lines)
    row = await seen(house, import_id)
    operation = (await operations.find(house.desk.database, [row["operation"]]))[row["operation"]]
    checked = iter([False, True])
    await go_on(house.desk, operation, lambda: next(checked))
    await house.do(Configure(operation_id=op(), id=group, settings={}, lock=("fork.maxPerDay",)))
    row = await rested(house, import_id)
    assert (row["state"], row["succeeded"], row["failed"]) == ("SUCCEEDED", 1, 1)
    assert await told(house, row) == {"a": [("settings", "fork.maxPerDay")]}


async def test_a_repeated_operation_id_is_the_same_import(house: House) -> None:
    sent = await upload(house, as_json_lines(TREE))
    command = BulkImport(operation_id=op(), group_id=house.root, upload_id=sent)
    first, second = await house.do(command), await house.do(command)
    assert first == second
    await rested(house, first.payload["import"])
    await rested(house, first.payload["import"])
    assert await house.do(command) == first
    rows = await house.desk.database.run(RECORDS, feed=house.root, action="bulkImport")
    assert [row["kind"] for row in rows].count("ACCOUNT_CREATED") == 2
