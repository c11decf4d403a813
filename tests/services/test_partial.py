"""Inputs whose absent and null fields differ, and any JSON in them."""

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from graph.database import Reader, Transaction
from graph.journal import Recorder
from services.commands import Act, Effect, Target
from services.desk import Desk
from services.operations import digest
from services.partial import JsonInput, Partial


class Sample(Partial[None]):
    """A command with a field of each sort."""

    action: ClassVar[str] = "sample"
    name: str | None = None
    body: JsonInput = None
    marks: tuple[str, ...] = ()

    def targets(self) -> Sequence[Target]:
        return ()

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> None:
        del desk, reader, act

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: None) -> Effect:
        del transaction, recorder, act, plan
        return Effect({})


def sample(**given: Any) -> Sample:
    return Sample.model_validate({"operation_id": "o", **given})


def test_absent_fields_are_not_dumped_and_null_ones_are() -> None:
    assert sample().comparable() == {"marks": []}
    assert sample(name=None, body=None).comparable() == {"name": None, "body": None, "marks": []}
    assert sample(name="a").model_dump(mode="json") == {"operation_id": "o", "name": "a", "marks": []}


def test_a_default_that_is_given_is_the_same_input() -> None:
    assert digest(sample(marks=())) == digest(sample())
    assert digest(sample(name=None)) != digest(sample())


@pytest.mark.parametrize(
    "given", [{}, {"name": None}, {"name": "a", "body": {"x": [1, 0.25, None, {"y": "z"}]}}, {"body": None}]
)
def test_what_is_stored_is_the_same_command_again(given: dict[str, Any]) -> None:
    command = sample(**given)
    again = Sample.model_validate(command.model_dump(mode="json"))
    assert again.comparable() == command.comparable()
    assert [again.gives(field) for field in ("name", "body")] == [field in given for field in ("name", "body")]


@pytest.mark.parametrize("deep", [60, 300, 100_000])
def test_json_of_any_depth_can_be_compared(deep: int) -> None:
    value: Any = 1
    for _ in range(deep):
        value = [value]
    assert len(digest(sample(body=value))) == 64


@pytest.mark.parametrize("value", [10**400, float("nan"), float("inf"), "\ud800", {"\ud800": 1}, {1: 2}, object()])
def test_what_is_no_json_can_be_compared(value: object) -> None:
    assert sample(body=value).body is value
    assert sample(body=value).comparable()["body"] == "beyond every limit"
