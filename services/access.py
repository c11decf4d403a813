"""Who is asking, and whether they may: scope first (hidden is not found), then the right."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from graph import clock, users
from graph.database import Reader, Row
from graph.structure import Located, locate
from services.commands import Target
from services.permissions import Permission, Role, Viewer
from services.problems import Problem, ProblemCode, Refused, refuse

_BESIDE_MESSAGE = "this also changes what you cannot see, which needs the right there too"
NOT_FOUND_MESSAGE = "nothing that you can see has this id"


def token_hash(token: str) -> str:
    """What the graph keeps of an access token."""
    return hashlib.sha256(token.encode()).hexdigest()


async def viewer_of_token(reader: Reader, token: str) -> Viewer | None:
    """The viewer whose live session the token opens, or None."""
    row = await users.by_session(reader, token_hash(token), clock.to_text(clock.now()))
    return _viewer(row) if row else None


async def viewer_of_user(reader: Reader, user_id: str) -> Viewer | None:
    """The viewer that an enabled user is, without a session, or None."""
    row = await users.by_id(reader, user_id)
    return _viewer(row) if row else None


async def viewer_now(reader: Reader, viewer: Viewer) -> Viewer | None:
    """The same viewer with the rights of now, or None where the user is disabled or the session has ended.

    A viewer without a session, such as who asked for an approved operation, depends on the user alone.
    """
    return (await viewers_now(reader, [viewer])).get((viewer.user_id, viewer.session_id))


async def viewers_now(reader: Reader, viewers: Iterable[Viewer]) -> dict[users.Session, Viewer]:
    """As `viewer_now` for several, by user and session; who may not go on is left out."""
    sessions = {(viewer.user_id, viewer.session_id) for viewer in viewers}
    return viewers_of(await users.now_of(reader, sessions, clock.to_text(clock.now())))


def viewers_of(rows: Mapping[users.Session, Row]) -> dict[users.Session, Viewer]:
    """The viewers that rows of users tell, by user and session."""
    return {session: _viewer(row) for session, row in rows.items()}


def _viewer(row: Row) -> Viewer:
    grants: dict[str, frozenset[Role]] = {}
    for node_id, role in row["grants"]:
        grants[node_id] = grants.get(node_id, frozenset()) | {Role(role)}
    return Viewer(row["id"], row["username"], row["administrator"], row["session"], grants, row.get("tenant"))


async def authorise(reader: Reader, viewer: Viewer, targets: Sequence[Target]) -> dict[str, Located]:
    """Where each target stands. Raises Refused: NOT_FOUND for all that are named and hidden, else FORBIDDEN."""
    places = await locate(reader, (target.id for target in targets))
    hidden = [target for target in targets if not _visible(viewer, target, places)]
    named = [target for target in hidden if not target.beside]
    if named:
        raise Refused(*(Problem(ProblemCode.NOT_FOUND, NOT_FOUND_MESSAGE, target.path) for target in named))
    if hidden:
        raise refuse(ProblemCode.FORBIDDEN, _BESIDE_MESSAGE, *hidden[0].path)
    for target in targets:
        require(viewer, target.permission, places[target.id].path, target.path)
    return places


def _visible(viewer: Viewer, target: Target, places: Mapping[str, Located]) -> bool:
    place = places.get(target.id)
    return place is not None and place.kind in target.kinds and viewer.sees(place.path)


def require(viewer: Viewer, permission: Permission, path: Iterable[str], field: tuple[str, ...]) -> None:
    """Raises FORBIDDEN where the viewer lacks the permission on the node at `path`."""
    if permission not in viewer.permissions(path):
        raise refuse(ProblemCode.FORBIDDEN, "your role here does not allow this", *field)


def require_administrator(viewer: Viewer) -> None:
    """Raises FORBIDDEN for everybody but the installation's administrator."""
    if not viewer.administrator:
        raise refuse(ProblemCode.FORBIDDEN, "only the administrator of the installation may do this")


async def require_decider(reader: Reader, user_id: str, nodes: Sequence[str]) -> None:
    """Raises FORBIDDEN where the user who decided is disabled, or may not decide about one of the nodes any more."""
    viewer = await viewer_of_user(reader, user_id)
    places = await locate(reader, nodes)
    if viewer is None or any(Permission.DECIDE not in viewer.permissions(place.path) for place in places.values()):
        raise refuse(ProblemCode.FORBIDDEN, "the user who approved this may not decide it any more")
