"""What the database can answer instead of rows."""


class GraphError(Exception):
    """A statement or a transaction did not take effect as asked."""


class EngineUnavailable(GraphError):
    """The engine cannot be reached or does not answer; nothing of this transaction took effect."""


class CommitUnknown(GraphError):
    """The connection broke while the commit was under way: it may have taken effect, or not."""


class Duplicate(GraphError):
    """A uniqueness constraint refused the transaction."""
