"""The tree: where nodes stand, and the locks that a change of the tree takes."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from graph.database import Reader, Row, Transaction
from graph.errors import EngineUnavailable
from graph.ids import Kind, kind_of
from graph.query import Query

LOCATE_GROUPS = Query(
    "structure.locate_groups",
    "UNWIND $ids AS id MATCH (n:Group {id: id}) "
    "OPTIONAL MATCH p = (n)<-[:CONTAINS*1..]-(top:Group) WHERE NOT EXISTS { (top)<-[:CONTAINS]-(:Group) } "
    "RETURN id, n.root AS root, [x IN nodes(p) | x.id] AS path",
    by="ids",
)
LOCATE_ACCOUNTS = Query(
    "structure.locate_accounts",
    "UNWIND $ids AS id MATCH (n:Account {id: id}) "
    "OPTIONAL MATCH p = (n)<-[:CONTAINS*1..]-(top:Group) WHERE NOT EXISTS { (top)<-[:CONTAINS]-(:Group) } "
    "RETURN id, n.root AS root, [x IN nodes(p) | x.id] AS path",
    by="ids",
)
LOCATE_TEMPLATES = Query(
    "structure.locate_templates",
    "UNWIND $ids AS id MATCH (n:Template {id: id})<-[:DEFINES]-(g:Group) "
    "OPTIONAL MATCH p = (g)<-[:CONTAINS*1..]-(top:Group) WHERE NOT EXISTS { (top)<-[:CONTAINS]-(:Group) } "
    "RETURN id, n.root AS root, CASE WHEN p IS NULL THEN [id, g.id] ELSE [id] + [x IN nodes(p) | x.id] END AS path",
    by="ids",
)
FOUND = Query("structure.found", "CREATE (s:Structure {id: $root, revision: 0})")
LOCK_ACCOUNTS = Query(
    "structure.lock_accounts",
    "UNWIND $ids AS id MATCH (a:Account {id: id}) SET a.lock = $token RETURN id, a {.*} AS node",
)

_LOCATE = {Kind.GROUP: LOCATE_GROUPS, Kind.ACCOUNT: LOCATE_ACCOUNTS, Kind.TEMPLATE: LOCATE_TEMPLATES}


ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Located:
    """Where a node stands: its tenant's root, and the ids from the node itself up to that root."""

    id: str
    kind: Kind
    root: str
    path: tuple[str, ...]


async def locate(reader: Reader, ids: Iterable[str]) -> dict[str, Located]:
    """Where each group, account and template stands, by id; an id that names none of them is left out."""
    by_kind: dict[Kind, list[str]] = {}
    for node_id in dict.fromkeys(ids):
        kind = kind_of(node_id)
        if kind is not None and kind in _LOCATE:
            by_kind.setdefault(kind, []).append(node_id)
    found: dict[str, Located] = {}
    for kind, wanted in by_kind.items():
        found |= {place.id: place for place in await _located(reader, kind, wanted)}
    return found


async def _located(reader: Reader, kind: Kind, ids: list[str]) -> list[Located]:
    """Where nodes of one kind stand. A way up that a move crosses ends below the root, or twice: it is read again."""
    for _ in range(ATTEMPTS):
        places = placed(kind, await reader.run(_LOCATE[kind], ids=ids))
        if places is not None:
            return places
    raise EngineUnavailable("the tree moves all the time")


def placed(kind: Kind, rows: Sequence[Row]) -> list[Located] | None:
    """The places that rows of a locating query tell, or None where a move crossed them."""
    places = [Located(row["id"], kind, row["root"], tuple(row["path"] or (row["id"],))) for row in rows]
    once = len({place.id for place in places}) == len(places)
    return places if once and all(place.path[-1] == place.root for place in places) else None


async def found(transaction: Transaction, root: str) -> None:
    """Creates the structure node of a new tenant."""
    await transaction.run(FOUND, root=root)


async def lock_accounts(transaction: Transaction, ids: Collection[str], token: str) -> None:
    """Takes the accounts' locks until the commit, in the order of their ids."""
    if ids:
        await transaction.run(LOCK_ACCOUNTS, ids=sorted(ids), token=token)
