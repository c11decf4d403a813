"""Answers that are kept while the tenant that they are about does not move: the same bytes for the same question."""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from graph.compiled import MOST_RIGHTS
from graph.recent import remember

KEPT_BYTES = 16_777_216
MOST_BYTES = 1_000_000
"""The largest answer that is kept."""
MOST_SCOPES = 8
"""How many scopes' answers to one question are kept."""
MOST_ASKED = 10_000
"""How many questions are remembered to have been asked."""
LEAST_ASKED = 3
"""The time of asking from which on an answer is kept."""
Scope = tuple[str, ...] | None
"""The nodes that a viewer sees with all that is below them; None for everything."""


def scope_of(rights: Sequence[bool | list[str]]) -> Scope:
    """The scope that a row tells: whether its viewer is an administrator, and the nodes granted to them."""
    administrator, granted = rights
    assert isinstance(granted, list)
    return None if administrator else tuple(sorted(granted))


@dataclass(slots=True)
class Question:
    """One question: the feed of the tenant that it is about, the feed's end, and the answer as of then by scope."""

    feed: str
    head: str
    answers: dict[Scope, bytes] = field(default_factory=dict["Scope", bytes])

    @property
    def size(self) -> int:
        """The bytes of its answers."""
        return sum(len(answer) for answer in self.answers.values())


class Kept:
    """Questions with their answers, as many as fit in so many bytes: those asked last."""

    def __init__(self, most: int = KEPT_BYTES) -> None:
        self._most = most
        self._bytes = 0
        self._kept: OrderedDict[Hashable, Question] = OrderedDict()
        self._asked: OrderedDict[Hashable, int] = OrderedDict()

    def find(self, key: Hashable) -> Question | None:
        """The question, where answers to it are kept."""
        question = self._kept.get(key)
        if question is not None:
            self._kept.move_to_end(key)
        return question

    def is_due(self, key: Hashable) -> bool:
        """Counts that this is asked; whether it was asked often enough for its answer to be kept."""
        asked = self._asked.get(key, 0) + 1
        remember(self._asked, key, asked, MOST_ASKED)
        return asked >= LEAST_ASKED

    def keep(self, key: Hashable, feed: str, head: str, scope: Scope, answer: bytes) -> None:
        """Keeps an answer that was read when the feed ended there, or later."""
        if len(answer) > MOST_BYTES or len(scope or ()) > MOST_RIGHTS:
            return
        question = self._kept.get(key)
        if question is None or question.head != head or len(question.answers) >= MOST_SCOPES:
            self.drop(key)
            question = self._kept[key] = Question(feed, head)
        self._bytes -= question.size
        question.answers[scope] = answer
        self._bytes += question.size
        while self._bytes > self._most:
            self.drop(next(iter(self._kept)))

    def drop(self, key: Hashable) -> None:
        """Forgets the answers to a question, which has to be asked often again."""
        question = self._kept.pop(key, None)
        if question is not None:
            self._bytes -= question.size
        self._asked.pop(key, None)
