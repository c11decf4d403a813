"""What does not settle is tried again for a while from its first failure on, however long that was in coming."""

import pytest

from graph.errors import CommitUnknown, Duplicate
from services import retrying
from services.commands import Outdated
from services.problems import ProblemCode, Refused

pytestmark = pytest.mark.anyio


class Work:
    """Work that fails with these errors, one at a try."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.tries = 0

    async def __call__(self) -> str:
        self.tries += 1
        if self._errors:
            raise self._errors.pop(0)
        return "done"


@pytest.mark.parametrize("error", [Duplicate("taken"), CommitUnknown("lost"), Outdated()])
async def test_work_that_used_all_patience_before_it_failed_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(retrying, "PATIENCE_SECONDS", 0.0)
    work = Work(error)
    assert await retrying.settled(work, "deposit") == "done"
    assert work.tries == 2


async def test_work_that_does_not_settle_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "PATIENCE_SECONDS", 0.0)
    work = Work(Outdated(), Outdated(), Outdated())
    with pytest.raises(Refused) as refused:
        await retrying.settled(work, "deposit")
    assert [problem.code for problem in refused.value.problems] == [ProblemCode.UNAVAILABLE]
    assert work.tries == 2
