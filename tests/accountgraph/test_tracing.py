"""Spans where an endpoint is set, and nothing at all where none is."""

import subprocess
import sys
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from accountgraph.tracing import NoTracing, span_tracing, start
from tests.support.small_server import serving

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"


def by_name(spans: Sequence[ReadableSpan]) -> dict[str, ReadableSpan]:
    """The spans by their name."""
    return {span.name: span for span in spans}


def test_without_an_endpoint_nothing_is_traced_and_nothing_imported() -> None:
    tracing = start(None, "1")
    assert isinstance(tracing, NoTracing)
    with tracing.request({}) as facts:
        tracing.query("account_by_id", 0.1, "ok")
        facts["outcome"] = "ok"
    tracing.stop()
    program = "import sys, accountgraph.tracing as t; t.start(None, '1'); print('opentelemetry' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout == "False\n"


def test_a_query_is_a_span_below_its_request_and_that_below_the_caller() -> None:
    exporter = InMemorySpanExporter()
    tracing = span_tracing(exporter, "1.2.3")
    with tracing.request({"traceparent": TRACEPARENT}) as facts:
        tracing.query("account_by_id", 0.25, "failed")
        facts.update({"name": "query Accounts", "outcome": "failed", "http.status": 200})
    tracing.stop()
    spans = by_name(exporter.get_finished_spans())
    request, query = spans["query Accounts"], spans["account_by_id"]
    assert request.context is not None
    assert request.parent is not None
    assert query.parent is not None
    assert f"{request.context.trace_id:032x}" == TRACE
    assert f"{request.parent.span_id:016x}" == CALLER
    assert query.parent.span_id == request.context.span_id
    assert request.attributes == {"outcome": "failed", "http.status": 200}
    assert not request.status.is_ok
    assert query.start_time is not None
    assert query.end_time is not None
    assert query.end_time - query.start_time == 250_000_000


def test_an_endpoint_starts_the_exporter() -> None:
    tracing = start("http://127.0.0.1:9", "1")
    assert not isinstance(tracing, NoTracing)
    tracing.stop()


@pytest.mark.anyio
async def test_the_endpoint_traces_requests() -> None:
    exporter = InMemorySpanExporter()
    tracing = span_tracing(exporter, "1")
    async with serving(tracing=tracing) as server:
        await server.client.post(
            "/graphql", json={"query": "query Greet { hello }"}, headers={"traceparent": TRACEPARENT}
        )
    tracing.stop()
    (span,) = exporter.get_finished_spans()
    assert span.name == "query Greet"
    assert span.attributes == {"outcome": "ok", "http.status": 200}
