"""Imports under way: by several processes, by a worker, stopped and gone on with, with WS2 over a wire, or gone."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar

import orjson
import pytest
from typing_extensions import override

from graph import accounts, clock, groups, imports, operations, uploads
from graph.database import Row
from graph.structure import locate
from services.checks import check_tenant
from services.configuring import Configure
from services.findings import Report
from services.importing.commands import BulkImport
from services.importing.reading import Format
from services.importing.running import _apply, go_on
from services.importing.uploading import Intake, drop_expired
from services.order_checks import OrderCheck
from services.pipeline import Pipeline
from services.problems import ProblemCode, Refused
from services.protocol.embedded import EmbeddedProtocol
from services.protocol.port import ProtocolOperation, Question
from services.protocol.verdict import OverallStatus, ProtocolUnavailable, Verdict, Violation
from services.users import SetUserDisabled
from services.worker import Worker
from tests.support.api import a_user
from tests.support.conditions import until
from tests.support.house import Address, House, op
from tests.support.importing import as_json_lines, begun, imported, outcomes, rested, seen, upload
from tests.support.tree import account, beside

pytestmark = pytest.mark.anyio

LINES: list[dict[str, Any] | str] = [
    {"id": "g", "type": "group", "name": "Desk"},
    *(
        {"id": f"a{number}", "name": f"Account {number}", "parentId": "g", "openingBalance": 1}
        for number in range(1200)
    ),
]


async def operation_of(house: House, import_id: str) -> Row:
    row = await seen(house, import_id)
    return (await operations.find(house.desk.database, [row["operation"]]))[row["operation"]]


async def accounts_below(house: House) -> int:
    made = await groups.has_open_child(house.desk.database, house.root)
    return int(made)


async def test_two_processes_do_each_line_once(house: House, engine: Address) -> None:
    there = await account(house)
    paid = [{"id": f"b{number}", "type": "balance", "accountId": there, "amount": 1} for number in range(500)]
    import_id = await begun(house, [*paid, *LINES])
    operation = await operation_of(house, import_id)
    async with beside(house, engine) as other:
        while (await seen(house, import_id))["phase"] != "ENDED":
            await asyncio.gather(*(go_on(each.desk, operation, lambda: False) for each in (house, other)))
    row = await seen(house, import_id)
    assert (row["state"], row["succeeded"], row["failed"]) == ("SUCCEEDED", 1701, 0)
    made = [line["node"] for line in await outcomes(house, row)][500:]
    assert len(await locate(house.desk.database, made)) == len(set(made)) == 1201
    assert (await accounts.find(house.desk.database, [there]))[there]["cash"] == 50_000


async def test_of_two_who_do_the_same_part_at_once_one_does_it(house: House, engine: Address) -> None:
    there = await account(house)
    paid = [{"id": f"b{number}", "type": "balance", "accountId": there, "amount": 1} for number in range(501)]
    import_id = await begun(house, paid)
    answers = iter([False, True])
    await go_on(house.desk, await operation_of(house, import_id), lambda: next(answers))
    row = (await imports.find(house.desk.database, [import_id]))[import_id]
    async with beside(house, engine) as other:
        done = await asyncio.gather(*(_apply(each.desk, row) for each in (house, other)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Overtaken", "dict"]
    assert (await accounts.find(house.desk.database, [there]))[there]["cash"] == 50_000
    assert (await seen(house, import_id))["succeeded"] == 500


async def test_a_worker_goes_on_with_an_import_beside_other_work(house: House) -> None:
    import_id = await begun(house, LINES[:20])
    worker = Worker(house.pipeline)
    running = asyncio.create_task(worker.run())

    async def has_ended() -> bool:
        return (await seen(house, import_id))["phase"] == "ENDED"

    await until(has_ended, 60)
    worker.stop()
    await running
    assert (await seen(house, import_id))["succeeded"] == 20


async def test_an_import_that_is_stopped_between_parts_is_whole_afterwards(house: House) -> None:
    import_id = await begun(house, LINES)
    answers = iter([False, False, False, False, True])
    await go_on(house.desk, await operation_of(house, import_id), lambda: next(answers))
    row = await seen(house, import_id)
    assert (row["state"], row["succeeded"], row["failed"]) == ("RUNNING", 500, 0)
    assert [len(line) for line in await outcomes(house, row)].count(3) == 500
    row = await rested(house, import_id)
    assert (row["state"], row["succeeded"]) == ("SUCCEEDED", 1201)


@dataclass
class Wired(EmbeddedProtocol):
    """The embedded rules as if they answered over a wire; it may be gone, refuse a name, or ask for a person."""

    immediate: ClassVar[bool] = False
    gone: bool = False
    refuses: str = ""
    asks: str = ""
    questions: list[Question] = field(default_factory=list[Question])

    def __post_init__(self) -> None:
        super().__init__()

    @override
    async def validate(self, question: Question) -> Verdict:
        await asyncio.sleep(0)
        if self.gone:
            raise ProtocolUnavailable("it is gone")
        self.questions.append(question)
        verdict = await super().validate(question)
        if question.facts.get("name") == self.refuses:
            broken = Violation(rule_id="NAME", priority="P0", description="not this name", severity="HIGH")
            refused = {"valid": False, "can_proceed": False, "violations": (broken,)}
            return verdict.model_copy(update={"overall_status": OverallStatus.REJECTED, **refused})
        if question.facts.get("name") == self.asks:
            return verdict.model_copy(update={"overall_status": OverallStatus.WARNING, "requires_approval": True})
        return verdict


def wired(house: House, **given: Any) -> tuple[House, Wired]:
    """The same house with the protocol engine at the end of a wire."""
    protocol = Wired(**given)
    desk = replace(house.desk, protocol=protocol)
    return House(desk, Pipeline(desk), house.admin, house.market, house.root), protocol


async def test_ws2_is_asked_of_each_line_as_of_a_single_mutation(house: House) -> None:
    house, protocol = wired(house)
    row = await imported(house, LINES[:3])
    assert (row["state"], row["succeeded"]) == ("SUCCEEDED", 3)
    kinds = [question.operation for question in protocol.questions]
    create, deposit = ProtocolOperation.CREATE, ProtocolOperation.DEPOSIT
    once = [create, create, deposit, create, deposit]
    assert sorted(kinds) == sorted([*once, *once])


async def test_what_ws2_refuses_fails_with_the_lines_below_it(house: House) -> None:
    house, _ = wired(house, refuses="Desk")
    row = await imported(house, [*LINES[:3], {"id": "z", "name": "Free"}], skip_invalid=True)
    assert (row["state"], row["succeeded"], row["failed"]) == ("SUCCEEDED", 1, 3)
    codes = [[problem["code"] for problem in line.get("problems", ())] for line in await outcomes(house, row)]
    assert codes == [["RULE_VIOLATION"], ["INVALID_INPUT"], ["INVALID_INPUT"], []]


async def test_a_line_that_needs_approval_only_since_the_check_fails(house: House) -> None:
    house, protocol = wired(house)
    import_id = await begun(house, LINES[:3])
    answers = iter([False, True])
    await go_on(house.desk, await operation_of(house, import_id), lambda: next(answers))
    protocol.asks = "Account 1"
    row = await rested(house, import_id)
    assert (row["state"], row["succeeded"], row["failed"]) == ("SUCCEEDED", 2, 1)
    (failed,) = [line for line in await outcomes(house, row) if "problems" in line]
    assert (failed["id"], failed["problems"][0]["details"]["rule"]) == ("a1", "APPROVAL")


async def test_an_import_waits_while_ws2_is_gone(house: House) -> None:
    house, protocol = wired(house, gone=True)
    import_id = await begun(house, LINES[:3])
    row = await rested(house, import_id)
    assert (row["state"], row["succeeded"], row["failed"]) == ("RUNNING", 0, 0)
    protocol.gone = False
    answers = iter([False, True])
    await go_on(house.desk, await operation_of(house, import_id), lambda: next(answers))
    protocol.gone = True
    assert (await rested(house, import_id))["succeeded"] == 0
    protocol.gone = False
    assert (await rested(house, import_id))["succeeded"] == 3


async def test_an_import_of_who_is_disabled_ends_without_an_effect(house: House) -> None:
    client = await a_user(house, ("MANAGER", house.root))
    viewer = await client.viewer()
    assert viewer is not None
    import_id = await begun(house, LINES[:3], viewer=viewer)
    answers = iter([False, True])
    await go_on(house.desk, await operation_of(house, import_id), lambda: next(answers))
    await house.do(SetUserDisabled(operation_id=op(), username=viewer.username, disabled=True))
    row = await rested(house, import_id)
    assert (row["state"], row["succeeded"], row["failed"]) == ("CANCELLED", 0, 0)
    assert [problem["code"] for problem in row["problems"]] == ["FORBIDDEN"]
    assert await accounts_below(house) == 0


async def test_an_upload_is_its_sender_s_and_is_dropped_once_it_is_checked(house: House) -> None:
    sent = await upload(house, as_json_lines(LINES[:3]))
    client = await a_user(house, ("MANAGER", house.root))
    viewer = await client.viewer()
    with pytest.raises(Refused) as refused:
        await house.do(BulkImport(operation_id=op(), group_id=house.root, upload_id=sent), viewer)
    assert [(problem.code, problem.path) for problem in refused.value.problems] == [
        (ProblemCode.NOT_FOUND, ("uploadId",))
    ]
    made = await house.do(BulkImport(operation_id=op(), group_id=house.root, upload_id=sent))
    await rested(house, made.payload["import"])
    while await drop_expired(house.desk.database):
        pass
    assert await uploads.find(house.desk.database, sent) is None
    assert await uploads.part(house.desk.database, sent, 0) is None


async def test_an_upload_that_is_gone_before_the_check_fails_the_import(house: House) -> None:
    sent = await upload(house, as_json_lines(LINES[:3]))
    made = await house.do(BulkImport(operation_id=op(), group_id=house.root, upload_id=sent))
    past = clock.to_text(clock.now() - timedelta(hours=1))
    await house.desk.database.write(
        lambda transaction: uploads.change(transaction, sent, {"expiresAt": past}), queue="test"
    )
    while await drop_expired(house.desk.database):
        pass
    row = await rested(house, made.payload["import"])
    assert (row["state"], [problem["path"] for problem in row["problems"]]) == ("FAILED", [["uploadId"]])


async def test_an_import_that_makes_too_many_groups_fails_and_makes_none(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.importing.running.MOST_GROUPS", 3)
    few = [{"id": f"g{number}", "type": "group", "name": "Group"} for number in range(3)]
    assert (await imported(house, few))["state"] == "SUCCEEDED"
    other = await house.group("Other")
    row = await imported(house, [*few, {"id": "g3", "type": "group", "name": "Group"}], group_id=other)
    assert (row["state"], [problem["code"] for problem in row["problems"]]) == ("FAILED", ["LIMIT_EXCEEDED"])
    assert not await groups.has_open_child(house.desk.database, other)


async def test_a_file_of_too_many_lines_and_one_upload_too_many_are_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await a_user(house, ("MANAGER", house.root))
    viewer = await client.viewer()
    assert viewer is not None
    monkeypatch.setattr("services.importing.uploading.MOST_LINES", 3)
    await upload(house, as_json_lines(LINES[:3]), viewer=viewer)
    monkeypatch.setattr("services.importing.uploading.MOST_UPLOADS", 2)
    for lines in (LINES[:4], LINES[:1]):
        with pytest.raises(Refused) as refused:
            await upload(house, as_json_lines(lines), viewer=viewer)
        assert [problem.code for problem in refused.value.problems] == [ProblemCode.LIMIT_EXCEEDED]


async def stopped_after_the_check(house: House, lines: list[dict[str, Any] | str]) -> str:
    """An import of these lines that is checked, and not yet done; its id."""
    import_id = await begun(house, lines, skip_invalid=True)
    turns = iter([False])
    await go_on(house.desk, await operation_of(house, import_id), lambda: next(turns, True))
    assert (await seen(house, import_id))["phase"] == "APPLYING"
    return import_id


async def test_what_a_refused_line_would_have_paid_is_not_there_for_the_next_one(house: House) -> None:
    there = await account(house)
    import_id = await stopped_after_the_check(
        house,
        [
            {"id": "first", "type": "balance", "accountId": there, "amount": "1000"},
            {"id": "rule", "type": "settings", "nodeId": there, "settings": {"approval.deposit": None}},
            {"id": "second", "type": "balance", "accountId": there, "amount": "1"},
        ],
    )
    await house.do(Configure(operation_id=op(), id=there, settings={"approval.deposit": True}))
    row = await rested(house, import_id)
    assert (row["succeeded"], row["failed"]) == (2, 1)
    assert (await accounts.find(house.desk.database, [there]))[there]["cash"] == 100
    report = Report()
    await check_tenant(house.desk, house.root, report, OrderCheck(house.desk, report))
    assert report.findings == []


@pytest.mark.parametrize("kind", ["account", "group"])
async def test_what_a_refused_line_would_have_set_is_not_set_by_the_next_one(house: House, kind: str) -> None:
    node = await (account(house) if kind == "account" else house.group("Desk"))
    asked = {"on": False}

    class Asking(EmbeddedProtocol):
        @override
        async def validate(self, question: Question) -> Verdict:
            verdict = await super().validate(question)
            if not asked["on"] or "limits.maxOrderValue" not in str(question.facts.get("settings")):
                return verdict
            return verdict.model_copy(update={"overall_status": OverallStatus.WARNING, "requires_approval": True})

    house.desk = replace(house.desk, protocol=Asking())
    import_id = await stopped_after_the_check(
        house,
        [
            {"id": "first", "type": "settings", "nodeId": node, "settings": {"limits.maxOrderValue": "9999"}},
            {"id": "second", "type": "settings", "nodeId": node, "settings": {"fork.maxPerDay": 4}},
        ],
    )
    asked["on"] = True
    row = await rested(house, import_id)
    assert (row["succeeded"], row["failed"]) == (1, 1)
    found = await (accounts if kind == "account" else groups).find(house.desk.database, [node])
    assert list(orjson.loads(found[node]["settings"])) == ["fork.maxPerDay"]


async def test_an_upload_that_is_gone_takes_no_more_and_leaves_no_part(house: House) -> None:
    intake = Intake(house.desk.database, house.admin, Format.JSON_LINES, gzip=False)
    await intake.begin()
    await intake.take(b'{"id": "a"}\n' * 600)
    await intake.abandon()
    while await drop_expired(house.desk.database):
        pass
    with pytest.raises(Refused) as refused:
        await intake.take(b'{"id": "a"}\n' * 600)
    assert refused.value.problems[0].code is ProblemCode.LIMIT_EXCEEDED
    with pytest.raises(Refused):
        await intake.end()
    assert [await uploads.part(house.desk.database, intake.id, number) for number in range(3)] == [None] * 3
