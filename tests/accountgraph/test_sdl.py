"""The rules that the schema's text keeps when it changes."""

from accountgraph.sdl import breaking_changes, poor_deprecations

OLD = "type Query { account(id: ID!): String, old: String } enum Status { ACTIVE CLOSED }"


def test_an_addition_breaks_nobody() -> None:
    assert breaking_changes(OLD, OLD.replace("old: String", "old: String new: Int")) == []


def test_each_breaking_change_is_told() -> None:
    new = "type Query { account(id: ID!, at: String!): String } enum Status { ACTIVE }"
    told = breaking_changes(OLD, new)
    assert len(told) == 3
    assert any("old" in each for each in told)


def test_a_deprecation_tells_a_date_and_a_reason() -> None:
    sdl = """
    type Query {
      good: Int @deprecated(reason: "Use better instead; it goes on 2027-06-30.")
      bare: Int @deprecated
      short: Int @deprecated(reason: "2027-06-30")
      undated: Int @deprecated(reason: "Use better instead, it is better.")
      unreal: Int @deprecated(reason: "Use better instead; it goes on 2027-13-45.")
      field(argument: Int @deprecated(reason: "unused")): Int
    }
    interface Node { id: ID @deprecated(reason: "none") }
    input Filter { old: Int @deprecated(reason: "none") }
    enum Status { GONE @deprecated(reason: "none") }
    """
    assert poor_deprecations(sdl) == [
        "Query.bare",
        "Query.short",
        "Query.undated",
        "Query.unreal",
        "Query.field(argument:)",
        "Node.id",
        "Filter.old",
        "Status.GONE",
    ]
