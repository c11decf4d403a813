"""The application's logs, as JSON, while a block runs; afterwards logging is as it was."""

import io
import json
import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import structlog

from accountgraph import logs


@contextmanager
def logged() -> Generator[io.StringIO]:
    """The stream that the logs go to."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("json", "info", stream)
    logs.clear()
    try:
        yield stream
    finally:
        logs.clear()
        logging.captureWarnings(capture=False)
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    """The events that were logged."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]
