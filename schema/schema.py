"""The schema as a whole."""

from typing import get_args

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.mutations.mutation import Mutation
from schema.problems import AnyProblem
from schema.query import Query
from schema.scalars import SCALARS
from schema.types.node import NODE_TYPES


def build_schema() -> strawberry.Schema:
    """The schema that clients see, with every type that an interface may stand for."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        types=[*NODE_TYPES.values(), *get_args(AnyProblem)],
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
    )
