"""signIn and signOut."""

from typing import Annotated, TypeAlias

import strawberry

from graph import clock
from resolvers.context import Context
from resolvers.performing import answered, viewer_of
from schema.fields import Info
from schema.mutations.answers import Given, told
from schema.problems import InvalidInput, LimitExceeded, Unauthenticated, Unavailable
from schema.scalars import DateTime
from services.signing_in import sign_in, sign_out


@strawberry.input(description="A user's name and password.")
class SignInInput:
    """signIn's input."""

    username: str = strawberry.field(description="The name, in any case.")
    password: str = strawberry.field(description="The password.")


@strawberry.type(description="A session that has begun.")
class SignInPayload:
    """signIn's payload."""

    access_token: str = strawberry.field(
        description="What opens the session: send it in the header Authorization, after the word Bearer."
    )
    expires_at: DateTime = strawberry.field(description="When the session ends by itself.")


SignInResult: TypeAlias = Annotated[
    SignInPayload | InvalidInput | Unauthenticated | Unavailable | LimitExceeded,
    strawberry.union("SignInResult", description="A session, or what stands in its way."),
]


@strawberry.type
class SignInMutations:
    """The mutations of sessions."""

    @strawberry.mutation(
        description="Begins a session. It needs no sign-in. After several failures for a name, answers take longer."
    )
    async def sign_in(self, info: Info, given: Given[SignInInput]) -> SignInResult:
        """Begins a session."""
        return await told(_session(info.context, given))

    @strawberry.mutation(description="Ends the session that the request was made with, and no other; true.")
    async def sign_out(self, info: Info) -> bool:
        """Ends this session."""
        context = info.context
        await answered(sign_out(context.desk, viewer_of(context)))
        context.viewer = None
        return True


async def _session(context: Context, given: SignInInput) -> SignInPayload:
    session = await sign_in(context.desk, context.guard, given.username, given.password, context.address)
    return SignInPayload(access_token=session.token, expires_at=DateTime(clock.to_text(session.expires_at)))
