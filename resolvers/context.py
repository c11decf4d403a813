"""What the resolvers of one request work with."""

from dataclasses import dataclass, field

from resolvers.loaders import Loaders
from resolvers.reading import Reading
from resolvers.refusals import UNAUTHENTICATED, ReadRefused
from services.desk import Desk
from services.guard import Guard
from services.permissions import Permission, Viewer
from services.pipeline import Pipeline
from services.problems import Refused


@dataclass(slots=True, kw_only=True)
class Context:
    """One request: the services, who asks, and what has been read so far."""

    desk: Desk
    pipeline: Pipeline
    guard: Guard
    viewer: Viewer | None
    """Who is signed in; None where nobody is."""
    refusal: Refused | None = None
    """Why it cannot be told who asks."""
    request_id: str = ""
    address: str = ""
    reading: Reading = field(init=False)
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Forgets what has been read. A mutation calls it after its effect, so that its payload shows what is now."""
        self.reading = Reading(self.desk.database)
        self.loaders = Loaders(self.reading, self.desk.prices)

    @property
    def caller(self) -> Viewer:
        """Who is signed in. Raises ReadRefused where nobody is."""
        if self.viewer is None:
            raise ReadRefused(UNAUTHENTICATED, "sign in first")
        return self.viewer

    @property
    def scope(self) -> frozenset[str]:
        """The nodes whose subtrees the caller may read, by id; an administrator reads everything without it."""
        caller = self.caller
        return frozenset(node for node in caller.grants if Permission.READ in caller.permissions([node]))
