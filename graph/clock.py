"""The one clock. Instants are UTC and are stored as text of one fixed width, so that text order is time order."""

from datetime import UTC, datetime, timedelta

TICK = timedelta(microseconds=1)
_LENGTH = 27


def now() -> datetime:
    """The present instant, UTC."""
    return datetime.now(UTC)


def to_text(at: datetime) -> str:
    """An instant as `2026-01-02T03:04:05.000006Z`: always six decimals, so that it sorts."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_text(text: str) -> datetime:
    """The instant that `to_text` wrote. Raises ValueError where the text is not one."""
    if len(text) == _LENGTH and text[10] == "T" and text[-1] == "Z" and text.isascii():
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # strptime says what is wrong
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
