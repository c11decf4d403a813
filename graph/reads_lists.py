"""The lists of the API: where their nodes come from, and how they are sorted."""

from collections.abc import Collection
from typing import LiteralString

from graph.filters import CASH
from graph.listing import Condition, Ordering, Source

# An edge counts at an instant from its beginning on, and until its end (exclusive).
_THEN = "r.since <= $at AND (r.until IS NULL OR r.until > $at)"

_OF_GROUP = "MATCH (t:Group {id: parent}) WITH t.root AS tenant"
_OF_ACCOUNT = "MATCH (t:Account {id: parent}) WITH t.root AS tenant"
_STARTS = (
    "UNWIND $roots AS root OPTIONAL MATCH (g:Group {id: root}) OPTIONAL MATCH (a:Account {id: root}) "
    "WITH coalesce(g, a) AS start"
)

# What may be many times as long as the rest of a node, and most lists do not show.
_LONG_OF_ACCOUNT: tuple[LiteralString, ...] = ("metadata", "settings")
_LONG_OF_GROUP: tuple[LiteralString, ...] = ("metadataSchema", "settings")

REACHABLE_ACCOUNTS = Source(
    "lists.reachable_accounts",
    f"{_STARTS} MATCH (start)-[:CONTAINS*0..]->(n:Account)",
    tenants=f"{_STARTS} WITH start.root AS tenant",
    without=_LONG_OF_ACCOUNT,
)
"""The accounts in the subtrees of `$roots`, none of which contains another."""
HOSTED_ACCOUNTS = Source(
    "lists.hosted_accounts",
    "MATCH (:Installation {id: parent})-[:HOSTS]->(t) MATCH (n:Account {root: t.id})",
    "n.id > 'acc_'",
    without=_LONG_OF_ACCOUNT,
)
CHILD_ACCOUNTS = Source(
    "lists.child_accounts", "MATCH (:Group {id: parent})-[:CONTAINS]->(n:Account)", without=_LONG_OF_ACCOUNT
)
SUBTREE_ACCOUNTS = Source(
    "lists.subtree_accounts",
    "MATCH (:Group {id: parent})-[:CONTAINS*1..]->(n:Account)",
    tenants=_OF_GROUP,
    without=_LONG_OF_ACCOUNT,
)
PAST_CHILD_ACCOUNTS = Source(
    "lists.past_child_accounts",
    "MATCH (:Group {id: parent})-[r:CONTAINS|CONTAINED]->(n:Account)",
    _THEN,
    _OF_GROUP,
    without=_LONG_OF_ACCOUNT,
)
PAST_SUBTREE_ACCOUNTS = Source(
    "lists.past_subtree_accounts",
    f"MATCH (:Group {{id: parent}}) (()-[r:CONTAINS|CONTAINED WHERE {_THEN}]->()){{1,}} (n:Account)",
    tenants=_OF_GROUP,
    without=_LONG_OF_ACCOUNT,
)
# What of them is seen depends on where they stand.
COMPONENTS = Source(
    "lists.components",
    "MATCH (:Account {id: parent})-[:AGGREGATES]->(n:Account)",
    tenants=_OF_ACCOUNT,
    without=_LONG_OF_ACCOUNT,
)

REACHABLE_GROUPS = Source(
    "lists.reachable_groups", "UNWIND $roots AS root MATCH (n:Group {id: root})", without=_LONG_OF_GROUP
)
HOSTED_GROUPS = Source(
    "lists.hosted_groups", "MATCH (:Installation {id: parent})-[:HOSTS]->(n:Group)", without=_LONG_OF_GROUP
)
CHILD_GROUPS = Source(
    "lists.child_groups", "MATCH (:Group {id: parent})-[:CONTAINS]->(n:Group)", without=_LONG_OF_GROUP
)
PAST_CHILD_GROUPS = Source(
    "lists.past_child_groups",
    "MATCH (:Group {id: parent})-[r:CONTAINS|CONTAINED]->(n:Group)",
    _THEN,
    _OF_GROUP,
    without=_LONG_OF_GROUP,
)
TEMPLATES = Source("lists.templates", "MATCH (:Group {id: parent})-[:DEFINES]->(n:Template)")

# An index of two properties is used where both are asked for, so these ask for what is always so.
_ENTRY = "MATCH (n:Entry {ledger: parent})"
ENTRIES = Source(
    "lists.entries",
    _ENTRY,
    ends="OPTIONAL MATCH (a:Account {id: parent}) WITH parent, 0 AS low, a.place AS high",
)
ENTRIES_OF_PERIOD = Source(
    "lists.entries_of_period",
    _ENTRY,
    ends="UNWIND $spans AS span OPTIONAL MATCH (t:PeriodTotal) "
    "WHERE t.ledger = parent AND t.period >= span[0] AND t.period < span[1] "
    "WITH parent, min(t.first) AS low, max(t.last) AS high",
)
"""The entries between the first and the last one with a value date in `$spans`; not all of them have one there."""
OPEN_ORDERS = Source("lists.open_orders", "MATCH (n:Order {account: parent, open: true})")
OPERATIONS = Source("lists.operations", "MATCH (n:Operation)", "n.id > 'op_' AND n.id < 'op_~'")
OPERATIONS_OF_ROOTS = Source(
    "lists.operations_of_roots", "UNWIND $roots AS root MATCH (n:Operation {root: root})", "n.id > 'op_'"
)
OPERATIONS_IN_STATES = Source(
    "lists.operations_in_states", "UNWIND $states AS state MATCH (n:Operation {state: state})", "n.id > 'op_'"
)
OPERATIONS_OF_ROOTS_IN_STATES = Source(
    "lists.operations_of_roots_in_states",
    "UNWIND $roots AS root UNWIND $states AS state MATCH (n:Operation {root: root, state: state})",
    "n.id > 'op_'",
)
"""The operations in `$states`, each named once: for states that few operations are in, as all of them are sorted."""

BY_CREATION = Ordering("CREATED_AT", ("n.createdAt", "n.id"), (str, str))
BY_CREATION_DESCENDING = Ordering("CREATED_AT", ("n.createdAt", "n.id"), (str, str), descending=True)
# Neo4j compares the code units of some strings and the code points of others; a name where that makes a
# difference has a sort key that is the same in both.
BY_NAME = Ordering("NAME", ("coalesce(n.nameKey, n.name)", "n.id"), (str, str))
BY_NAME_DESCENDING = Ordering("NAME", ("coalesce(n.nameKey, n.name)", "n.id"), (str, str), descending=True)
BY_CASH = Ordering("CASH", ("whole", "part", "n.id"), (int, int, str), prelude=CASH)
BY_CASH_DESCENDING = Ordering("CASH", ("whole", "part", "n.id"), (int, int, str), descending=True, prelude=CASH)
NEWEST_ENTRY_FIRST = Ordering("PLACE", ("n.place",), (int,), descending=True, lead=("n.ledger",))
OLDEST_ID_FIRST = Ordering("ID", ("n.id",), (str,))
NEWEST_ID_FIRST = Ordering("ID", ("n.id",), (str,), descending=True)

_SCOPED = "EXISTS { MATCH (n)<-[:CONTAINS*0..]-(s) WHERE s.id IN $scope }"
_NAMES = (
    "(any(x IN n.nodes WHERE x IN $scope) "
    "OR EXISTS { UNWIND n.nodes AS x MATCH (:Account {id: x})<-[:CONTAINS*1..]-(s) WHERE s.id IN $scope RETURN s } "
    "OR EXISTS { UNWIND n.nodes AS x MATCH (:Group {id: x})<-[:CONTAINS*1..]-(s) WHERE s.id IN $scope RETURN s } "
    "OR EXISTS { UNWIND n.nodes AS x MATCH (:Template {id: x})<-[:DEFINES]-(g:Group)<-[:CONTAINS*0..]-(s) "
    "WHERE s.id IN $scope RETURN s })"
)


def in_scope(scope: Collection[str]) -> Condition:
    """That a group or an account is now in one of these subtrees."""
    return Condition(_SCOPED, (("scope", tuple(sorted(scope))),))


def names_in_scope(scope: Collection[str]) -> Condition:
    """That an operation names a node that is now in one of these subtrees."""
    return Condition(_NAMES, (("scope", tuple(sorted(scope))),))
