"""Which media types a request brings and takes, as GraphQL over HTTP has them."""

import re
from functools import lru_cache

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
MAX_HEADER = 4_096
_WILDCARDS = {"*/*": JSON, "application/*": JSON}
_PARAMETER = re.compile(r"""\s*([!#$%&'*+.^_`|~0-9a-z-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s"]*)\s*""", re.IGNORECASE)


def choose_answer_type(accept: str | None) -> str | None:
    """The media type to answer in: what the caller likes best, the first of equals; None where it takes neither."""
    return JSON if accept is None or not accept.strip() else _chosen(accept[:MAX_HEADER])


@lru_cache(maxsize=64)
def _chosen(accept: str) -> str | None:
    best: tuple[float, str] | None = None
    refused: set[str] = set()
    for item in accept.split(","):
        media_type, parameters = parse_media_type(item)
        offered = media_type if media_type in {JSON, RESPONSE_JSON} else _WILDCARDS.get(media_type)
        quality = _quality(parameters.get("q"))
        if offered is None or not is_utf8(parameters):
            continue
        if quality == 0:
            refused.add(media_type)
        elif best is None or quality > best[0]:
            best = (quality, offered)
    if best and best[1] in refused:
        return None if RESPONSE_JSON in refused else RESPONSE_JSON
    return best[1] if best else None


def parse_media_type(text: str) -> tuple[str, dict[str, str]]:
    """A media type in small letters, and its parameters."""
    media_type, *rest = text.split(";")
    parameters: dict[str, str] = {}
    for part in rest:
        if match := _PARAMETER.fullmatch(part):
            parameters[match[1].lower()] = match[2].strip('"').lower()
    return media_type.strip().lower(), parameters


def is_utf8(parameters: dict[str, str]) -> bool:
    """Whether a media type's parameters leave its text in UTF-8."""
    return parameters.get("charset", "utf-8") in {"utf-8", "utf8"}


def is_json(content_type: str | None) -> bool:
    """Whether a request's body is JSON in UTF-8, the one type that is taken."""
    return content_type == JSON or _is_json((content_type or "")[:MAX_HEADER])


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    media_type, parameters = parse_media_type(content_type)
    return media_type == JSON and is_utf8(parameters)


def _quality(text: str | None) -> float:
    if text is None:
        return 1.0
    return min(float(text), 1.0) if re.fullmatch(r"[01](\.[0-9]{0,3})?", text) else 0.0
