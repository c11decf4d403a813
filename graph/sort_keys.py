"""The one rule for names that the engines would sort differently."""

_LATE = {"\ufffe": "\ufffe0", "\uffff": "\ufffe1"}


def sort_key(name: str) -> str | None:
    """What a node's `nameKey` must be: None where the name itself sorts by code point on every engine.

    UTF-16 puts characters beyond U+FFFF before U+E000; in the key they follow U+FFFF, as their code points do.
    """
    if all(character < "\ufffe" for character in name):
        return None
    return "".join(_late(character) for character in name)


def _late(character: str) -> str:
    return f"\uffff{character}" if character > "\uffff" else _LATE.get(character, character)
