"""Every log goes through one chain, as JSON or as text, and holds no secret."""

import io
import json
import logging
import warnings
from collections.abc import Generator
from typing import Any

import pytest
import structlog

from accountgraph import logs
from tests.support.logged import events, logged

SECRET = "hunter2-hunter2"


@pytest.fixture
def stream() -> Generator[io.StringIO]:
    """Where the logs go, as JSON."""
    with logged() as out:
        yield out


def test_an_event_has_its_facts_its_time_and_its_request(stream: io.StringIO) -> None:
    logs.bind(request_id="r-1", operation=None)
    structlog.get_logger().info("account_created", account="acc_1")
    (event,) = events(stream)
    assert event["event"] == "account_created"
    assert event["account"] == "acc_1"
    assert event["request_id"] == "r-1"
    assert event["level"] == "info"
    assert event["at"].endswith("Z")
    assert "operation" not in event


def test_what_is_below_the_level_is_left_out(stream: io.StringIO) -> None:
    structlog.get_logger().debug("too_small")
    assert events(stream) == []


@pytest.mark.parametrize("name", ["password", "accessToken", "Authorization", "api_key", "client_secret", "Cookie"])
def test_a_value_under_a_secret_name_is_redacted_at_any_depth(stream: io.StringIO, name: str) -> None:
    structlog.get_logger().info("told", **{name: SECRET}, nested={"list": [{name: SECRET}]})
    (event,) = events(stream)
    assert SECRET not in json.dumps(event)
    assert event[name] == logs.REDACTED


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}",
        f"bolt://neo4j:{SECRET}@127.0.0.1:7687 refuses",
        f"found: {{'password': '{SECRET}'}}",
        f'{{"accessToken": "{SECRET}"}}',
    ],
)
def test_a_secret_that_is_known_by_its_form_is_redacted_in_text(stream: io.StringIO, text: str) -> None:
    structlog.get_logger().info("told", text=text)
    structlog.get_logger().error("failed", exc_info=ValueError(text))
    assert len(events(stream)) == 2
    assert SECRET not in stream.getvalue()
    assert logs.REDACTED in stream.getvalue()


@pytest.mark.filterwarnings("always")
def test_the_standard_librarys_logs_take_the_same_chain(stream: io.StringIO) -> None:
    logs.bind(request_id="r-2")
    logging.getLogger("uvicorn.error").error("it broke: %s", "here")
    logging.getLogger("neo4j.io").warning("Bearer %s", SECRET)
    warnings.warn("a warning", stacklevel=1)
    first, second, third = events(stream)
    assert first["event"] == "it broke: here"
    assert {first["request_id"], second["request_id"]} == {"r-2"}
    assert SECRET not in second["event"]
    assert "a warning" in third["event"]


def test_uvicorns_chatter_is_left_out(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info("Started server process")
    assert events(stream) == []


def test_what_json_cannot_hold_is_still_logged(stream: io.StringIO) -> None:
    structlog.get_logger().info("odd", number=2**80, text="\ud800", thing=object())
    (event,) = events(stream)
    assert event["number"] == 2**80


def test_deep_facts_are_cut(stream: io.StringIO) -> None:
    deep: dict[str, Any] = {}
    for _ in range(50):
        deep = {"below": deep}
    structlog.get_logger().info("deep", facts=deep)
    assert "too deep" in stream.getvalue()


def test_text_for_people_has_no_secret_either(stream: io.StringIO) -> None:
    out = io.StringIO()
    logs.configure("console", "info", out)
    structlog.get_logger().info("signed_in", password=SECRET, username="ada")
    assert "signed_in" in out.getvalue()
    assert "username=ada" in out.getvalue()
    assert SECRET not in out.getvalue()
    assert stream.getvalue() == ""
