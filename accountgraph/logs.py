"""Structured logs on stderr: our own events and the standard library's through one chain, without secrets."""

import json
import logging
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TextIO

import orjson
import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"
MAX_NESTING = 6
_SECRET_NAMES = re.compile(
    r"passw|passphrase|secret|token|authorization|cookie|credential|api_?key|private_?key|otp|salt$", re.IGNORECASE
)
_SUSPICIOUS = re.compile(r"bearer|basic|://|passw|secret|token", re.IGNORECASE)
"""What each of the secret texts has in it: most texts have none of it, and are not looked at again."""
_SECRET_TEXTS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{6,}"), rf"\1 {REDACTED}"),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s/:@]*):[^\s/@]+@"), rf"\1:{REDACTED}@"),
    (
        re.compile(r"""(?i)(passw(?:or)?d|secret|token)(["']?\s*[:=]\s*)(["'])(?:\\.|(?!\3).)*\3"""),
        rf"\1\2\3{REDACTED}\3",
    ),
)


def configure(log_format: str = "auto", level: str = "info", stream: TextIO | None = None) -> None:
    """Sends every log through one chain: JSON lines, or text for people where the format says so."""
    out = stream or sys.stderr
    wants_json = log_format == "json" or (log_format == "auto" and not out.isatty())
    number = getattr(logging, level.upper())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_last(wants_json)))
    _route(handler, number)


def bind(**facts: Any) -> None:
    """Adds facts, such as `request_id`, to every event of the present task and of those that it starts."""
    bind_contextvars(**{name: value for name, value in facts.items() if value is not None})


def clear() -> None:
    """Forgets the facts of the present task."""
    clear_contextvars()


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The event with every value under a secret's name, and every secret known by its form, blotted out."""
    return {name: REDACTED if _is_secret(name) else _clean(value, 0) for name, value in event.items()}


@lru_cache(maxsize=256)
def _is_secret(name: str) -> bool:
    return _SECRET_NAMES.search(name) is not None


def _clean(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _clean_text(value)
    if depth >= MAX_NESTING:
        return "[too deep]"
    if isinstance(value, Mapping):
        return {
            str(name): REDACTED if _is_secret(str(name)) else _clean(item, depth + 1) for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item, depth + 1) for item in value]
    return value


def _clean_text(text: str) -> str:
    if not _SUSPICIOUS.search(text):
        return text
    for pattern, replacement in _SECRET_TEXTS:
        text = pattern.sub(replacement, text)
    return text


def _last(wants_json: bool) -> list[Processor]:
    drop = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if wants_json:
        return [drop, structlog.processors.format_exc_info, redact, _to_json]
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    return [drop, structlog.processors.format_exc_info, redact, plain]


def _to_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    try:
        return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # An integer beyond 64 bits, or text that is no UTF-8.
        return json.dumps(event, default=str)


def _route(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "neo4j", "httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        # These say much at "info"; each request and each query has an event of ours.
        logger.setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)
