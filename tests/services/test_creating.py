"""New accounts, through the pipeline on a real engine."""

import pytest

from services.deciding import DecideOperation, decide
from services.groups import MAX_DEPTH, CloseGroup, CreateGroup
from services.ledger import Deposit
from services.permissions import Role
from services.protocol.port import ProtocolOperation
from tests.support.house import House, op
from tests.support.reads import chain, viewer_with
from tests.support.trading import refusal
from tests.support.tree import (
    account,
    configure,
    create,
    edges,
    last_record,
    listening,
    node_of,
    place_of,
    statements,
    template,
    told,
    values_of,
)

pytestmark = pytest.mark.anyio


async def other_tenant(house: House) -> str:
    """The root of another tenant."""
    return (await house.do(CreateGroup(operation_id=op(), name="Other"))).payload["group"]


async def test_an_account_has_what_was_given_and_a_record_of_it(house: House) -> None:
    shared = await template(house, custom__a=1)
    node = await account(
        house,
        name="Savings",
        description="for a\nhouse",
        kind="STRATEGY",
        tier="REV",
        currency="EUR",
        template_id=shared,
        settings={"limits.maxPositionShare": 0.25, "custom.gone": None},
        metadata={"owner": "desk 4"},
    )
    row = await node_of(house, node)
    assert {name: row[name] for name in ("name", "description", "kind", "tier", "currency", "status")} == {
        "name": "Savings",
        "description": "for a\nhouse",
        "kind": "STRATEGY",
        "tier": "REV",
        "currency": "EUR",
        "status": "ACTIVE",
    }
    assert (row["version"], row["cash"], row["held"], row["simulated"]) == (1, 0, 0, False)
    assert row["metadata"] == {"owner": "desk 4"}
    assert row["createdAt"] == row["updatedAt"]
    assert await values_of(house, node) == {"limits.maxPositionShare": 0.25}
    assert row["settings"]["limits.maxPositionShare"]["at"] == row["createdAt"]
    assert (await place_of(house, node)).path == (node, house.root)
    assert [edge["node"] for edge in await edges(house, node, "USES")] == [shared]
    record = await last_record(house)
    assert (record["kind"], record["at"], record["nodes"]) == (
        "ACCOUNT_CREATED",
        row["createdAt"],
        [node, house.root, shared],
    )
    assert record["before"] is None
    assert record["after"]["metadata"] == '{"owner":"desk 4"}'


async def test_all_faults_of_the_input_are_told_at_once(house: House) -> None:
    member = await account(house)
    problems = await refusal(
        house,
        create(
            house,
            name="",
            description="a\x00b",
            currency="usd",
            metadata=["no object"],
            settings={"limits.maxPositionShare": 2, "nonsense": 1},
            component_ids=(member, member),
        ),
    )
    assert told(problems) == [
        ("INVALID_INPUT", ("name",)),
        ("INVALID_INPUT", ("description",)),
        ("INVALID_INPUT", ("currency",)),
        ("INVALID_INPUT", ("componentIds",)),
        ("INVALID_INPUT", ("componentIds",)),
        ("INVALID_INPUT", ("metadata",)),
        ("INVALID_INPUT", ("settings", "limits.maxPositionShare")),
        ("INVALID_INPUT", ("settings", "nonsense")),
    ]


async def test_without_a_parent_it_is_a_tenant_of_its_own(house: House) -> None:
    node = (await house.do(create(house).model_copy(update={"parent_id": None}))).payload["account"]
    assert (await place_of(house, node)).path == (node,)
    assert (await node_of(house, node))["root"] == node
    assert (await last_record(house, node))["number"] == 1
    await house.do(Deposit(operation_id=op(), account_id=node, amount="5"))
    await house.do(configure(node, {"custom.a": 1}))
    assert (await last_record(house, node))["number"] == 3


async def test_without_a_parent_it_is_the_administrators_alone(house: House) -> None:
    manager = await viewer_with(house, house.root, role=Role.SUPER_ADMIN)
    alone = create(house).model_copy(update={"parent_id": None})
    assert told(await refusal(house, alone, manager)) == [("FORBIDDEN", ())]


async def test_scope_comes_before_right_and_right_before_the_rest(house: House) -> None:
    hidden, seen = await house.group("Hidden"), await house.group("Seen")
    shared = await template(house, hidden)
    viewer = await viewer_with(house, seen)
    wrong = create(house, seen, name="", template_id=shared)
    assert told(await refusal(house, wrong, viewer)) == [("NOT_FOUND", ("templateId",))]
    assert told(await refusal(house, create(house, seen, name=""), viewer)) == [("FORBIDDEN", ("parentId",))]
    assert told(await refusal(house, create(house, hidden), viewer)) == [("NOT_FOUND", ("parentId",))]
    nothing = create(house, "nothing at all", template_id=seen)
    assert told(await refusal(house, nothing)) == [("NOT_FOUND", ("parentId",)), ("NOT_FOUND", ("templateId",))]


async def test_nothing_crosses_tenants(house: House) -> None:
    foreign = await template(house, await other_tenant(house))
    problems = await refusal(house, create(house, template_id=foreign))
    assert told(problems) == [("RULE_VIOLATION", ("templateId",))]
    assert problems[0].details["rule"] == "ONE_TENANT"


async def test_what_a_group_above_locks_is_set_neither_here_nor_by_a_template(house: House) -> None:
    below = await house.group("Below")
    shared = await template(house, custom__a=1, custom__free=1)
    await house.do(configure(house.root, {"custom.a": 0}, lock=("custom.a", "limits.maxOrderValue")))
    problems = await refusal(
        house, create(house, below, template_id=shared, settings={"limits.maxOrderValue": "5", "custom.b": 1})
    )
    assert told(problems) == [
        ("INVALID_INPUT", ("templateId",)),
        ("INVALID_INPUT", ("settings", "limits.maxOrderValue")),
    ]


async def test_settings_agree_with_the_tier_the_template_and_the_groups_above(house: House) -> None:
    below = await house.group("Below")
    above_forty = {"policy.optionDeltaMin": 45}
    assert told(await refusal(house, create(house, tier="REV", settings=above_forty))) == [
        ("INVALID_INPUT", ("settings", "policy.optionDeltaMin"))
    ]
    shared = await template(house, policy__optionDeltaMin=45)
    assert told(await refusal(house, create(house, tier="REV", template_id=shared))) == [
        ("INVALID_INPUT", ("templateId",))
    ]
    await house.do(configure(house.root, above_forty))
    assert told(await refusal(house, create(house, below, tier="REV"))) == [("INVALID_INPUT", ("tier",))]
    await account(house, below, tier="GEN")
    await account(house, below, tier="REV", settings={"policy.optionDeltaMin": 30})


async def test_metadata_fits_the_schema_of_every_group_above(house: House) -> None:
    below = await house.group("Below")
    await house.do(configure(house.root, metadata_schema={"required": ["owner"]}))
    await house.do(configure(below, metadata_schema={"properties": {"desk": {"type": "integer"}}}))
    problems = await refusal(house, create(house, below, metadata={"desk": "4"}))
    assert told(problems) == [("INVALID_INPUT", ("metadata", "desk")), ("INVALID_INPUT", ("metadata", "owner"))]
    await account(house, below, metadata={"desk": 4, "owner": "me"})


async def test_a_closed_group_takes_nothing_in(house: House) -> None:
    closed = await house.group("Closed")
    await house.do(CloseGroup(operation_id=op(), id=closed, version=1, reason="empty"))
    for command in (create(house, closed), CreateGroup(operation_id=op(), name="G", parent_id=closed)):
        assert told(await refusal(house, command)) == [("RULE_VIOLATION", ("parentId",))]


async def test_the_tree_has_a_greatest_depth(house: House) -> None:
    groups = await chain(house, MAX_DEPTH - 1)
    assert len((await place_of(house, groups[-1])).path) == MAX_DEPTH
    assert told(await refusal(house, create(house, groups[-1]))) == [("LIMIT_EXCEEDED", ("parentId",))]
    await account(house, groups[-2], settings={"custom.a": 1})


async def test_statements_do_not_grow_with_depth_or_components(house: House) -> None:
    groups = await chain(house, 1_000)
    members = [await account(house) for _ in range(5)]
    few = await statements(house, create(house, kind="COMPOSITE", component_ids=members[:1], settings={"custom.a": 1}))
    many = await statements(
        house, create(house, groups[-1], kind="COMPOSITE", component_ids=members, settings={"custom.a": 1})
    )
    assert few == many


async def test_the_protocol_engine_is_asked_about_the_id_that_it_will_have(house: House) -> None:
    heard, protocol = listening(house)
    node = await account(heard, tier="GEN", settings={"policy.minimumInvestment": "20000"})
    (question,) = protocol.questions
    assert (question.account_id, question.operation) == (node, ProtocolOperation.CREATE)
    assert question.facts["account"]["tier"] == "GEN"  # pyright: ignore
    assert question.facts["policy"]["policy.minimumInvestment"] == "20000"  # pyright: ignore


async def test_an_account_that_needs_approval_comes_when_it_is_given(house: House) -> None:
    asking, _ = listening(house, asks=True)
    waiting = await asking.do(create(house, settings={"custom.a": 0.25}, metadata={"a": [1, {"b": None}]}))
    assert waiting.payload == {}
    decider = await viewer_with(house, house.root, role=Role.MANAGER)
    decision = DecideOperation(
        operation_id=op(), target_operation_id=waiting.operation, approve=True, reason="as asked"
    )
    await decide(house.pipeline, decider, decision)
    node = "acc_" + waiting.operation.partition("_")[2]
    assert await values_of(house, node) == {"custom.a": 0.25}
    assert (await node_of(house, node))["metadata"] == {"a": [1, {"b": None}]}


async def test_the_same_operation_id_makes_one_account_and_knows_another_input(house: House) -> None:
    command = create(house, settings={"custom.a": {"x": [1, 2.5]}})
    first = await house.do(command)
    assert await house.do(command.model_copy()) == first
    deep: list[object] = []
    for _ in range(20_000):
        deep = [deep]
    for other in ({"custom.a": {"x": [1, 2]}}, deep, {"custom.a": 10**40}, {"custom.a": "\ud800"}):
        again = command.model_copy(update={"settings": other})
        assert told(await refusal(house, again)) == [("OPERATION_ID_REUSED", ("operationId",))]
    hostile = create(house, settings={"custom.a": deep})
    assert {code for code, _ in told(await refusal(house, hostile))} == {"INVALID_INPUT"}
