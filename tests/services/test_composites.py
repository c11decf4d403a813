"""Components of COMPOSITE accounts, through the pipeline on a real engine."""

import pytest

from services.composites import MAX_COMPONENTS
from services.groups import CreateGroup
from services.updating import UpdateAccount
from tests.support.api import InProcess
from tests.support.house import House, op
from tests.support.reads import place, viewer_with
from tests.support.trading import an_account, refusal
from tests.support.tree import account, create, edges, last_record, node_of, statements, status, told

pytestmark = pytest.mark.anyio


def update(node: str, version: int, components: list[str] | None) -> UpdateAccount:
    """The command that replaces an account's components."""
    return UpdateAccount.model_validate(
        {"operation_id": op(), "id": node, "version": version, "component_ids": components}
    )


async def parts(house: House, node: str) -> set[str]:
    """The present components of an account."""
    return {edge["node"] for edge in await edges(house, node, "AGGREGATES")}


async def test_a_composite_has_the_components_that_it_was_made_of(house: House) -> None:
    below = await house.group("Below")
    one, two = await account(house), await account(house, below)
    node = await account(house, kind="COMPOSITE", component_ids=[one, two])
    assert await parts(house, node) == {one, two}
    assert (await last_record(house))["nodes"] == [node, house.root, one, two]
    assert await parts(house, await account(house, kind="COMPOSITE")) == set()


async def test_an_update_replaces_the_set_and_keeps_what_was(house: House) -> None:
    one, two, three = [await account(house) for _ in range(3)]
    node = await account(house, kind="COMPOSITE", component_ids=[one, two])
    await house.do(update(node, 1, [three, two]))
    assert await parts(house, node) == {two, three}
    (ended,) = await edges(house, node, "AGGREGATED")
    row = await node_of(house, node)
    assert (ended["node"], ended["since"], ended["until"]) == (one, row["createdAt"], row["updatedAt"])
    record = await last_record(house)
    assert (record["before"]["components"], record["after"]["components"]) == (sorted([one, two]), [three, two])
    await house.do(update(node, 2, None))
    assert await parts(house, node) == set()
    assert [edge["node"] for edge in await edges(house, node, "AGGREGATED")] == [one, two, three]


async def test_closing_a_composite_ends_what_it_sums_up(house: House) -> None:
    funded = await an_account(house, "100")
    node = await account(house, kind="COMPOSITE", component_ids=[funded])
    await status(house, node, "SUSPENDED")
    assert await parts(house, node) == {funded}
    await status(house, node, "CLOSED")
    assert await parts(house, node) == set()
    (ended,) = await edges(house, node, "AGGREGATED")
    row = await node_of(house, node)
    assert (ended["node"], ended["until"], row["version"]) == (funded, row["updatedAt"], 3)
    record = await last_record(house)
    assert record["nodes"] == [node, funded]
    assert record["before"] == {"status": "SUSPENDED", "version": 2, "components": [funded]}
    assert record["after"] == {"status": "CLOSED", "version": 3, "components": [], "reason": "because"}
    shown = await InProcess(house, house.admin.user_id).ask(
        "query($id: ID!) { node(id: $id) { ... on Account { status cash { amount } components { totalCount } } } }",
        id=node,
    )
    assert shown["node"] == {"status": "CLOSED", "cash": {"amount": "0.00"}, "components": {"totalCount": 0}}
    assert told(await refusal(house, update(node, 3, [funded]))) == [("RULE_VIOLATION", ("id",))]


async def test_what_may_not_be_a_component_is_told_for_each(house: House) -> None:
    good, euros = await account(house), await account(house, currency="EUR")
    composite = await account(house, kind="COMPOSITE")
    paper = await place(house, simulated=True)
    other = (await house.do(CreateGroup(operation_id=op(), name="Other"))).payload["group"]
    foreign = await account(house, other)
    problems = await refusal(
        house, create(house, kind="COMPOSITE", component_ids=[good, euros, composite, paper, foreign])
    )
    assert [(problem.code.value, problem.path, problem.details["rule"]) for problem in problems] == [
        ("RULE_VIOLATION", ("componentIds", "1"), "ONE_CURRENCY"),
        ("RULE_VIOLATION", ("componentIds", "2"), "COMPONENT_KIND"),
        ("RULE_VIOLATION", ("componentIds", "3"), "REAL_OR_SIMULATED"),
        ("RULE_VIOLATION", ("componentIds", "4"), "ONE_TENANT"),
    ]
    node = await account(house, kind="COMPOSITE")
    assert told(await refusal(house, update(node, 1, [node]))) == [("RULE_VIOLATION", ("componentIds", "0"))]


async def test_only_a_composite_has_components(house: House) -> None:
    one, node = await account(house), await account(house)
    assert told(await refusal(house, update(node, 1, [one]))) == [("INVALID_INPUT", ("componentIds",))]
    wrong = create(house, component_ids=[one])
    assert told(await refusal(house, wrong)) == [("INVALID_INPUT", ("componentIds",))]


async def test_the_caller_sees_every_component(house: House) -> None:
    seen, hidden = await house.group("Seen"), await house.group("Hidden")
    one, two = await account(house, seen), await account(house, hidden)
    viewer = await viewer_with(house, seen)
    command = create(house, seen, kind="COMPOSITE", component_ids=[one, two, house.root])
    assert told(await refusal(house, command, viewer)) == [
        ("NOT_FOUND", ("componentIds", "1")),
        ("NOT_FOUND", ("componentIds", "2")),
    ]


async def test_the_list_is_bounded_and_names_each_once(house: House) -> None:
    many = [await account(house)] * (MAX_COMPONENTS + 1)
    for components in (many, many[:2]):
        command = create(house, kind="COMPOSITE", component_ids=components)
        assert told(await refusal(house, command)) == [("INVALID_INPUT", ("componentIds",))]


async def test_statements_do_not_grow_with_components(house: House) -> None:
    members = [await account(house) for _ in range(12)]
    node = await account(house, kind="COMPOSITE", component_ids=members[:1])
    few = await statements(house, update(node, 1, members[1:2]))
    many = await statements(house, update(node, 2, members[2:]))
    assert few == many
