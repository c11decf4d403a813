"""Groups, templates, accounts, moves and settings, as their mutations answer."""

import pytest

from tests.support.api import InProcess, a_user
from tests.support.house import House

pytestmark = pytest.mark.anyio

UNKNOWN = "grp_01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture
def admin(house: House) -> InProcess:
    return InProcess(house, house.admin.user_id)


async def an_account(client: InProcess, **given: object) -> str:
    made = await client.done(
        "createAccount", "account { id }", **{"name": "One", "parentId": client.house.root, **given}
    )
    return made["account"]["id"]


async def test_a_group_is_made_renamed_and_closed(admin: InProcess) -> None:
    made = await admin.done(
        "createGroup", "group { id name version parent { id } } operation { state kind result { id } }",
        name="Desk", parentId=admin.house.root,
    )  # fmt: skip
    group = made["group"]["id"]
    assert made["group"] == {"id": group, "name": "Desk", "version": 1, "parent": {"id": admin.house.root}}
    assert made["operation"] == {"state": "SUCCEEDED", "kind": "createGroup", "result": {"id": group}}
    renamed = await admin.done("updateGroup", "group { name version }", id=group, version=1, name="Desk 2")
    assert renamed["group"] == {"name": "Desk 2", "version": 2}
    assert (await admin.refused("updateGroup", id=group, version=1, name="Desk 3"))["code"] == "STALE_VERSION"
    account = await an_account(admin, parentId=group)
    assert (await admin.refused("closeGroup", id=group, version=2, reason="Done"))["code"] == "RULE_VIOLATION"
    await admin.done("changeAccountStatus", id=account, version=1, status="CLOSED", reason="Done")
    closed = await admin.done("closeGroup", "group { version closedAt }", id=group, version=2, reason="Done")
    assert closed["group"]["version"] == 3
    assert closed["group"]["closedAt"] is not None
    assert (await admin.refused("createGroup", name="Late", parentId=group))["code"] == "RULE_VIOLATION"


async def test_a_template_is_made_used_configured_and_renamed(admin: InProcess) -> None:
    made = await admin.done(
        "createTemplate", "template { id name settings version parent { id } }",
        name="Careful", parentId=admin.house.root, settings={"limits.maxPositionShare": 0.2},
    )  # fmt: skip
    template = made["template"]["id"]
    assert made["template"]["settings"] == {"limits.maxPositionShare": 0.2}
    assert made["template"]["parent"] == {"id": admin.house.root}
    account = await an_account(admin, templateId=template)
    configured = await admin.done(
        "configure", "settings { key value source { id } }", id=template, settings={"limits.maxPositionShare": 0.1}
    )
    assert configured["settings"] == [{"key": "limits.maxPositionShare", "value": 0.1, "source": {"id": template}}]
    shown = await admin.ask("query($id: ID!) { account(id: $id) { settings { key value source { id } } } }", id=account)
    found = {each["key"]: each for each in shown["account"]["settings"]}
    assert found["limits.maxPositionShare"] == configured["settings"][0]
    renamed = await admin.done("updateTemplate", "template { name }", id=template, version=2, name="Calm")
    assert renamed["template"] == {"name": "Calm"}


async def test_settings_are_set_inherited_overridden_removed_and_locked(admin: InProcess) -> None:
    account = await an_account(admin)
    key, selection = "limits.maxOrderValue", "settings { key value source { id } }"

    async def configure(node: str, value: object, **more: object) -> dict[str, object] | None:
        done = await admin.done("configure", selection, id=node, settings={key: value}, **more)
        return next((each for each in done["settings"] if each["key"] == key), None)

    assert await configure(admin.house.root, "5000") == {
        "key": key,
        "value": "5000",
        "source": {"id": admin.house.root},
    }
    assert await configure(account, "100") == {"key": key, "value": "100", "source": {"id": account}}
    assert await configure(account, None) == {"key": key, "value": "5000", "source": {"id": admin.house.root}}
    await admin.done("configure", id=admin.house.root, settings={}, lock=[key])
    problem = await admin.refused("configure", id=account, settings={key: "100"})
    assert (problem["code"], problem["path"]) == ("INVALID_INPUT", ["settings", key])
    await admin.done("configure", id=admin.house.root, settings={}, unlock=[key])
    assert await configure(admin.house.root, None) is None


@pytest.mark.parametrize("settings", [[1], "text", 5, None, {"limits.maxPositionShare": 2}, {"no.such": 1}, {"": 1}])
async def test_settings_that_are_none_are_refused_by_name(admin: InProcess, settings: object) -> None:
    if settings is None:
        answer = await admin.run(
            'mutation($id: ID!) { configure(input: {operationId: "1", id: $id, settings: null}) { __typename } }',
            id=admin.house.root,
        )
        assert answer.errors
        return
    problem = await admin.refused("configure", id=admin.house.root, settings=settings)
    assert problem["code"] == "INVALID_INPUT"
    assert problem["path"] == (["settings", *settings] if isinstance(settings, dict) else ["settings"])


async def test_accounts_and_groups_move_but_never_into_themselves(admin: InProcess) -> None:
    house = admin.house
    one = await house.group("One")
    two = await house.group("Two", one)
    account = await an_account(admin)
    selection = "node { __typename id ... on Account { parent { id } version } ... on Group { parent { id } } }"
    moved = await admin.done("move", selection, id=account, parentId=two, rationale="It belongs there")
    assert moved["node"] == {"__typename": "Account", "id": account, "parent": {"id": two}, "version": 2}
    moved = await admin.done("move", selection, id=two, parentId=house.root, rationale="It belongs there")
    assert moved["node"] == {"__typename": "Group", "id": two, "parent": {"id": house.root}}
    await admin.done("move", id=one, parentId=two, rationale="It belongs there")
    for parent in (one, two):
        problem = await admin.refused("move", id=two, parentId=parent, rationale="A cycle")
        assert (problem["code"], problem["path"]) == ("INVALID_INPUT", ["parentId"])
    assert (await admin.refused("move", id=house.root, parentId=one, rationale="A root"))["code"] == "RULE_VIOLATION"
    assert (await admin.refused("move", id=two, parentId=UNKNOWN, rationale="Nowhere"))["code"] == "NOT_FOUND"


async def test_nothing_crosses_tenants(admin: InProcess) -> None:
    other = (await admin.done("createGroup", "group { id }", name="Another tenant"))["group"]["id"]
    here, there = await an_account(admin), await an_account(admin, parentId=other)
    template = await admin.done("createTemplate", "template { id }", name="Theirs", parentId=other, settings={})
    await admin.done("deposit", accountId=here, amount="10")
    for name, given in (
        ("move", {"id": here, "parentId": other, "rationale": "No"}),
        ("transfer", {"fromId": here, "toId": there, "amount": "1"}),
        ("updateAccount", {"id": here, "version": 1, "templateId": template["template"]["id"]}),
    ):
        assert (await admin.refused(name, **given))["code"] == "RULE_VIOLATION", name
    given = {"name": "Sum", "parentId": other, "kind": "COMPOSITE", "componentIds": [here]}
    assert (await admin.refused("createAccount", **given))["code"] in {"RULE_VIOLATION", "INVALID_INPUT"}


async def test_an_account_changes_its_status_and_ends_closed(admin: InProcess) -> None:
    account = await an_account(admin)
    await admin.done("deposit", accountId=account, amount="10")
    selection = "account { status version }"
    given = {"id": account, "reason": "As planned"}
    rests = await admin.done("changeAccountStatus", selection, **given, version=1, status="SUSPENDED")
    assert rests["account"] == {"status": "SUSPENDED", "version": 2}
    assert (await admin.refused("deposit", accountId=account, amount="1"))["code"] == "RULE_VIOLATION"
    for status, code in (("FORKING", "INVALID_INPUT"), ("MERGING", "INVALID_INPUT"), ("CLOSED", "RULE_VIOLATION")):
        assert (await admin.refused("changeAccountStatus", **given, version=2, status=status))["code"] == code
    await admin.done("changeAccountStatus", **given, version=2, status="ACTIVE")
    await admin.done("withdraw", accountId=account, amount="10")
    closed = await admin.done("changeAccountStatus", selection, **given, version=3, status="CLOSED")
    assert closed["account"] == {"status": "CLOSED", "version": 4}
    for name, more in (
        ("updateAccount", {"id": account, "version": 4, "name": "New"}),
        ("changeAccountStatus", {**given, "version": 4, "status": "ACTIVE"}),
        ("configure", {"id": account, "settings": {"custom.a": 1}}),
        ("deposit", {"accountId": account, "amount": "1"}),
    ):
        assert (await admin.refused(name, **more))["code"] == "RULE_VIOLATION", name


async def test_a_transfer_answers_the_entries_that_the_viewer_sees(admin: InProcess) -> None:
    one, two = await an_account(admin), await an_account(admin)
    await admin.done("deposit", accountId=one, amount="10")
    selection = "transactions { kind amount { amount currency } balanceAfter { amount } counterparty { id } note }"
    same = {"operationId": "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "fromId": one, "toId": two, "amount": "4"}
    client = await a_user(admin.house, ("OPERATOR", one), ("OPERATOR", two))
    done = await client.done("transfer", selection, **same, note="Rent")
    assert done["transactions"] == [
        {
            "kind": "TRANSFER",
            "amount": {"amount": amount, "currency": "USD"},
            "balanceAfter": {"amount": balance},
            "counterparty": {"id": other},
            "note": "Rent",
        }
        for amount, balance, other in (("-4.00", "6.00", two), ("4.00", "4.00", one))
    ]
    viewer = await client.viewer()
    assert viewer is not None
    await admin.done("revoke", username=viewer.username, nodeId=two, role="OPERATOR")
    again = await client.done("transfer", selection, **same, note="Rent")
    assert [(entry["amount"]["amount"], entry["counterparty"]) for entry in again["transactions"]] == [("-4.00", None)]
