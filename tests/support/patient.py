"""A client that asks again while it is told UNAVAILABLE: a mutation with the same operation id, which tells."""

from typing import Any

from typing_extensions import override

from tests.support.api import Answer, Remote
from tests.support.house import op

TIMES = 10
"""How often it asks before it gives up. A server that waits for its engine answers only after a while."""


class Patient(Remote):
    """A client of a server whose engine may be slow to answer."""

    @override
    async def run(self, document: str, /, **variables: Any) -> Answer:
        for _ in range(TIMES - 1):
            answer = await super().run(document, **variables)
            if not answer.errors or {error["extensions"]["code"] for error in answer.errors} != {"UNAVAILABLE"}:
                return answer
        return await super().run(document, **variables)

    @override
    async def do(self, name: str, payload: str = "operation { id state }", /, **given: Any) -> dict[str, Any]:
        asked = {"operationId": op(), **given}
        for _ in range(TIMES - 1):
            answer = await super().do(name, payload, **asked)
            if answer.get("code") != "UNAVAILABLE":
                return answer
        return await super().do(name, payload, **asked)
