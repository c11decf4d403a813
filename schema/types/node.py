"""The interface of everything that has an id of its own."""

import strawberry


@strawberry.interface(description="Anything that has an id of its own; `node(id)` finds it again.")
class Node:
    """Anything that has an id of its own."""

    id: strawberry.ID = strawberry.field(description="The id, unique in the installation. It never changes.")
