"""OpenTelemetry traces, where an endpoint is set; otherwise nothing is imported and nothing is done."""

import time
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

Facts = dict[str, str | int | float | bool]
_NANOSECONDS = 1_000_000_000


class Tracing(Protocol):
    """The spans that this application makes."""

    def request(self, headers: Mapping[str, str]) -> AbstractContextManager[Facts]:
        """A span around a request, below the caller's where `traceparent` names one.

        What is put into the facts it gives becomes the span's attributes; `name` becomes its name.
        """
        ...

    def query(self, name: str, seconds: float, outcome: str) -> None:
        """Records a statement that has just ended, below the present request's span."""
        ...

    def stop(self) -> None:
        """Sends what is left."""
        ...


class NoTracing:
    """Traces nothing."""

    def request(self, headers: Mapping[str, str]) -> AbstractContextManager[Facts]:
        """A context that does nothing."""
        return nullcontext({})

    def query(self, name: str, seconds: float, outcome: str) -> None:
        """Records nothing."""

    def stop(self) -> None:
        """Nothing is left."""


class SpanTracing:
    """Traces through OpenTelemetry's SDK."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("accountgraph")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def request(self, headers: Mapping[str, str]) -> Generator[Facts]:
        """A server span around the request; its attributes are the facts that are put into what it gives."""
        from opentelemetry.trace import SpanKind, Status, StatusCode

        facts: Facts = {}
        caller = self._propagator.extract(headers)
        with self._tracer.start_as_current_span(
            "graphql", context=caller, kind=SpanKind.SERVER, record_exception=False
        ) as span:
            yield facts
            span.update_name(str(facts.pop("name", "graphql")))
            span.set_attributes(facts)
            if facts.get("outcome") == "failed":
                span.set_status(Status(StatusCode.ERROR))

    def query(self, name: str, seconds: float, outcome: str) -> None:
        """A client span that ends now and began so many seconds ago."""
        from opentelemetry.trace import SpanKind

        ended = time.time_ns()
        span = self._tracer.start_span(
            name,
            kind=SpanKind.CLIENT,
            start_time=ended - int(seconds * _NANOSECONDS),
            attributes={"db.system.name": "neo4j", "db.operation.name": name, "outcome": outcome},
        )
        span.end(ended)

    def stop(self) -> None:
        """Sends what is left, and ends the exporter."""
        self._provider.shutdown()


def start(endpoint: str | None, version: str) -> Tracing:
    """Tracing that sends to the OpenTelemetry collector at this address; without one, tracing of nothing."""
    if endpoint is None:
        return NoTracing()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return span_tracing(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=5), version)


def span_tracing(exporter: "SpanExporter", version: str) -> SpanTracing:
    """Tracing that sends to this exporter, in batches, from a thread of its own."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": "accountgraph", "service.version": version})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return SpanTracing(provider)
