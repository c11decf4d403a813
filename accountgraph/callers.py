"""Whom a request is counted to, before anything is read for it: the tenant of who holds its token."""

from collections import OrderedDict

from graph.recent import remember
from services.access import token_hash
from services.permissions import Viewer

MOST = 10_000


class Callers:
    """Remembers of tokens whose they were. It decides about turns and nothing else: no right follows from it."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[str, str] = OrderedDict()

    def of(self, token: str | None, address: str | None) -> str:
        """Whom a request with this token is counted to; all tokens of an address that nobody knows are one caller."""
        known = self._known.get(token_hash(token)) if token is not None else None
        return known or f"address:{address}"

    def knows(self, token: str) -> bool:
        """Whether it is remembered whose this token was."""
        return token_hash(token) in self._known

    def learn(self, token: str, viewer: Viewer) -> None:
        """Remembers whose token this is."""
        remember(self._known, token_hash(token), self.of_viewer(viewer), self._most)

    def of_viewer(self, viewer: Viewer) -> str:
        """Whom this viewer's requests are counted to: who has no role in a tenant, or in all of them, is a caller."""
        tenant = None if viewer.administrator else viewer.tenant
        return tenant or viewer.user_id
