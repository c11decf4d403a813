"""The number of objects that a request asks for, from its pages, defaults and variables."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from accountgraph.cost import MOST, plan
from accountgraph.limits import fragments_of

SCHEMA = build_schema("""
interface Node { id: ID! }
type Query {
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  accounts(first: Int, last: Int): AccountConnection!
  groups(first: Int = 20): GroupConnection!
}
type Group implements Node {
  id: ID! parent: Group ancestors: [Group!]! tags: [String!]!
  accounts(first: Int = 100): AccountConnection!
  groups(first: Int = 100): GroupConnection!
}
type Account implements Node { id: ID! parent: Group positions(first: Int = 50): PositionConnection! }
type Position { symbol: String! }
type AccountEdge { node: Account! }
type AccountConnection { edges: [AccountEdge!]! nodes: [Account!]! totalCount: Int! }
type GroupConnection { nodes: [Group!]! totalCount: Int! }
type PositionConnection { nodes: [Position!]! totalCount: Int! }
""")


def nodes(text: str, variables: dict[str, Any] | None = None, sizes: dict[str, int] | None = None) -> int:
    """The objects that the first operation of the document asks for."""
    document = parse(text)
    operation = next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    return plan(SCHEMA, fragments_of(document), operation, sizes).nodes(variables or {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ node(id: 1) { id } }", 0),
        ("{ __typename }", 0),
        ("{ accounts(first: 7) { nodes { id } } }", 7),
        ("{ accounts(last: 8) { nodes { id } } }", 8),
        ("{ accounts { totalCount } }", 100),
        ("{ groups { nodes { id } } }", 20),
        ("{ groups(first: 10) { nodes { accounts(first: 20) { nodes { id } } } } }", 10 + 200),
        ("{ accounts(first: 100) { nodes { positions(first: 100) { nodes { symbol } } } } }", 10_100),
        ("{ accounts(first: 5) { edges { node { positions { nodes { symbol } } } } } }", 5 + 250),
        ("{ nodes(ids: [1, 2, 3]) { ... on Group { accounts(first: 2) { nodes { id } } } } }", 3 + 6),
        ("{ groups(first: 3) { nodes { ancestors { id } tags } } }", 3 + 30),
        ("{ a: accounts(first: 5) { nodes { id } } b: accounts(first: 6) { nodes { id } } }", 11),
        ("{ accounts(first: -1) { nodes { id } } }", 0),
    ],
)
def test_pages_multiply_and_add(text: str, expected: int) -> None:
    assert nodes(text) == expected


def test_what_is_asked_twice_is_counted_once() -> None:
    text = """{ accounts(first: 9) { nodes { id } } ...A ... on Query { accounts(first: 9) { nodes { id } } } }
    fragment A on Query { accounts(first: 9) { totalCount nodes { parent { id } } } }"""
    assert nodes(text) == 9


def test_a_variable_gives_the_size() -> None:
    text = "query ($first: Int = 30, $ids: [ID!]!) { accounts(first: $first) { nodes { id } } nodes(ids: $ids) { id } }"
    assert nodes(text, {"first": 12, "ids": ["a", "b"]}) == 14
    assert nodes(text, {"ids": []}) == 30


@pytest.mark.parametrize("value", [-1, 2.5, "7", True, {}])
def test_a_value_that_is_no_size_counts_nothing(value: object) -> None:
    assert nodes("query ($n: Int) { accounts(first: $n) { nodes { id } } }", {"n": value}) == 0


def test_null_is_counted_as_the_default() -> None:
    assert nodes("query ($n: Int) { groups(first: $n) { nodes { id } } }", {"n": None}) == 20


def test_lists_without_pages_have_the_size_that_is_told() -> None:
    text = "{ groups(first: 3) { nodes { ancestors { id } } } }"
    assert nodes(text, sizes={"Group.ancestors": 1_000}) == 3_003


def test_numbers_without_end_stay_small_integers() -> None:
    below = "nodes { positions(first: 2147483647) { totalCount } }"
    text = f"{{ accounts(first: 999999999999999999999999999999) {{ {below} }} }}"
    assert nodes(text) == MOST


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=6))
def test_a_chain_of_pages_is_the_sum_of_the_products(sizes: list[int]) -> None:
    text = "id"
    for size in reversed(sizes):
        text = f"groups(first: {size}) {{ nodes {{ {text} }} }}"
    expected, product = 0, 1
    for size in sizes:
        product *= size
        expected += product
    assert nodes(f"{{ {text} }}") == min(expected, MOST)
