"""The one rule for names and other short texts that people give."""

import unicodedata

from services.problems import Problem, invalid

MAX_NAME = 200
MAX_TEXT = 2_000


def check_name(name: str, *path: str) -> list[Problem]:
    """The problem of a name that is not 1 to 200 characters without control characters."""
    return check_text(name, MAX_NAME, *path)


def check_text(text: str, longest: int, *path: str) -> list[Problem]:
    """The problem of a text that is blank, longer than `longest` characters, or has control characters."""
    field = path[-1]
    if not text.strip():
        return [invalid(f"{field} must not be empty", *path)]
    if len(text) > longest:
        return [invalid(f"{field} must have at most {longest} characters; this one has {len(text)}", *path)]
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        return [invalid(f"{field} must not have control characters", *path)]
    return []


def check_note(note: str | None) -> list[Problem]:
    """The problem of a note that is there and is no text; none is right too."""
    return [] if note is None else check_text(note, MAX_TEXT, "note")
