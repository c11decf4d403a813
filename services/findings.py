"""What a check of the books finds."""

from dataclasses import dataclass, field

MAX_LINES = 1_000


@dataclass(slots=True)
class Report:
    """The findings, each one plain line that names its node, with how much was looked at.

    `notes` tell what could not be proved. Lines beyond `most` are counted in `more` alone.
    """

    findings: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    more: int = 0
    accounts: int = 0
    records: int = 0
    orders: int = 0
    market_answers: bool = True
    most: int = MAX_LINES

    def add(self, *lines: str) -> None:
        """Adds findings."""
        room = self.most - len(self.findings)
        self.findings += lines[:room]
        self.more += len(lines[room:])

    def take(self, other: "Report") -> None:
        """Adds the findings of another report."""
        self.add(*other.findings)
        self.more += other.more

    def note(self, line: str) -> None:
        """Adds a note."""
        if len(self.notes) < self.most:
            self.notes.append(line)

    @property
    def clean(self) -> bool:
        """Whether everything that was looked at adds up."""
        return not self.findings and not self.more
