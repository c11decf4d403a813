"""A line of an import as commands: those of single mutations, which make nodes whose ids the line's number gives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graph.database import Row
from graph.ids import Kind, following, kind_of
from services.commands import Act, Command
from services.configuring import Configure
from services.creating import CreateAccount
from services.groups import CreateGroup
from services.importing.fields import LineType
from services.importing.index import Known, LineIndex
from services.importing.reading import Asked
from services.ledger import Deposit
from services.problems import Problem, invalid

_ID = "the line's"


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a line, and by which field of the line it is told what is wrong with one of the command's."""

    command: Command[Any]
    fields: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class LineAct(Act):
    """The performance of a line's command, whose new node has the id that belongs to the line."""

    line: str = ""
    """The ULID that follows from the import and the line's number."""

    def new_id(self, kind: Kind) -> str:
        return f"{kind.value}_{self.line}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be done: its number from 1 on, its own id, and what it asks for, in which other lines are node ids."""

    number: int
    line_id: str
    kind: LineType
    fields: Mapping[str, Any]
    below: str | None = None
    """The id of the line whose group it comes into, where its parent is a line."""

    def row(self) -> Row:
        """The line as its part keeps it until it is done."""
        row: Row = {"number": self.number, "id": self.line_id, "type": self.kind.value, "fields": self.fields}
        return row if self.below is None else {**row, "below": self.below}

    @classmethod
    def of(cls, row: Row) -> "Line":
        """The line that a part keeps."""
        return cls(row["number"], row["id"], LineType(row["type"]), row["fields"], row.get("below"))

    def made(self, import_id: str) -> str | None:
        """The id of the node that it makes; None where it makes none."""
        match self.kind:
            case LineType.GROUP:
                return f"{Kind.GROUP.value}_{following(import_id, self.number)}"
            case LineType.ACCOUNT:
                return f"{Kind.ACCOUNT.value}_{following(import_id, self.number)}"
            case _:
                return None

    def named(self) -> str | None:
        """The id of the node that is there and that it changes; None where it changes none."""
        return self.fields.get("nodeId") or self.fields.get("accountId")

    def steps(self, import_id: str) -> Iterator[Step]:
        """Its commands, in the order in which they are done."""
        match self.kind:
            case LineType.GROUP:
                yield from self._group(self.made(import_id) or "")
            case LineType.ACCOUNT:
                yield from self._account(self.made(import_id) or "")
            case LineType.SETTINGS:
                given = self._given("settings", "lock", "unlock")
                yield Step(_configure(self.fields["nodeId"], given), {"id": "nodeId"})
            case LineType.BALANCE:
                yield self._deposit(self.fields["accountId"], "amount")

    def _group(self, node: str) -> Iterator[Step]:
        yield Step(CreateGroup(operation_id=_ID, name=self.fields["name"], parent_id=self.fields["parentId"]))
        given = self._given("settings", "lock", "metadataSchema")
        if given:
            yield Step(_configure(node, {"settings": {}, **given}))

    def _account(self, node: str) -> Iterator[Step]:
        given = self._given(
            "name",
            "description",
            "kind",
            "tier",
            "currency",
            "parentId",
            "templateId",
            "settings",
            "metadata",
            "componentIds",
        )
        yield Step(CreateAccount(operation_id=_ID, **given))
        if "openingBalance" in self.fields:
            yield self._deposit(node, "openingBalance")

    def _deposit(self, account: str, amount: str) -> Step:
        text = str(self.fields[amount])
        command = Deposit(operation_id=_ID, account_id=account, amount=text, note=self.fields.get("note"))
        return Step(command, {"amount": amount})

    def _given(self, *names: str) -> dict[str, Any]:
        return {_SNAKE.get(name, name): self.fields[name] for name in names if name in self.fields}


def _configure(node: str, given: Mapping[str, Any]) -> Configure:
    return Configure.model_validate({"operation_id": _ID, "id": node, **given})


_SNAKE = {
    "parentId": "parent_id",
    "templateId": "template_id",
    "componentIds": "component_ids",
    "metadataSchema": "metadata_schema",
}


class Placing:
    """Gives each line its place: what it names among the lines before it becomes the id of the node to be."""

    def __init__(self, import_id: str, group: str, lines: int) -> None:
        self._import = import_id
        self._group = group
        self._index = LineIndex(lines)

    def place(self, number: int, asked: Asked) -> Line | Sequence[Problem]:
        """The line to be done, or why it cannot be. Its id then belongs to it, for the lines after it."""
        problems = list(asked.problems)
        if asked.line_id is None:
            return problems
        earlier = self._index.find(asked.line_id)
        if earlier is not None:
            return [*problems, invalid(f"id must be unique; line {earlier.number} has it already", "id")]
        fields, below = dict(asked.fields), None
        if asked.kind in (LineType.GROUP, LineType.ACCOUNT) and isinstance(fields.get("parentId", ""), str):
            below, found = self._parent(fields)
            problems += found
        problems += _named_lines(asked)
        self._index.add(asked.line_id, Known(number, asked.kind is LineType.GROUP, bool(problems)))
        if problems or asked.kind is None:
            return problems
        return Line(number, asked.line_id, asked.kind, fields, below)

    def refuse(self, line_id: str) -> None:
        """Says that a line which was placed is not to be done after all."""
        self._index.refuse(line_id)

    def _parent(self, fields: dict[str, Any]) -> tuple[str | None, list[Problem]]:
        given = fields.setdefault("parentId", self._group)
        if kind_of(given) is not None:
            return None, []
        known = self._index.find(given)
        if known is None:
            words = "parentId must be the id of a group that is there, or of a line before this one"
            return None, [invalid(words, "parentId")]
        if not known.makes_group:
            return None, [invalid(f"parentId must name a group; line {known.number} makes none", "parentId")]
        if known.refused:
            return None, [parent_refused(given)]
        fields["parentId"] = f"{Kind.GROUP.value}_{following(self._import, known.number)}"
        return given, []


def parent_refused(line_id: str) -> Problem:
    """The problem of a line whose parent is a line that is not done."""
    return invalid(f"the line {line_id}, which parentId names, cannot be done", "parentId")


def _named_lines(asked: Asked) -> list[Problem]:
    """A node that is changed is there already: what a line makes gets its settings and balance by the line itself."""
    name = {LineType.SETTINGS: "nodeId", LineType.BALANCE: "accountId"}.get(asked.kind or LineType.GROUP)
    given = asked.fields.get(name) if name else None
    if name is None or not isinstance(given, str) or kind_of(given) in (Kind.GROUP, Kind.ACCOUNT):
        return []
    words = (
        f"{name} must be the id of a node that is there; what a line makes gets its settings and balance by that line"
    )
    return [invalid(words, name)]
