"""What /metrics tells, in Prometheus's text form, from a registry of this application alone."""

import re
from collections.abc import Callable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
MAX_NAMES = 200
MAX_NAME_LENGTH = 64
OTHER = "other"
UNNAMED = "unnamed"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]*", re.ASCII)
_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_CALLS = (1, 2, 4, 8, 16, 32, 64)
_QUERY_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 20.0)


class BoundedNames:
    """The label values that a caller may make: the first so many names, each short; the rest are `other`."""

    def __init__(self, most: int = MAX_NAMES) -> None:
        self._most = most
        self._known: set[str] = set()

    def label(self, name: str | None) -> str:
        """The name itself while there is room for it, else `other`; `unnamed` for none."""
        if not name:
            return UNNAMED
        if name in self._known:
            return name
        if len(self._known) >= self._most or len(name) > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
            return OTHER
        self._known.add(name)
        return name


class Metrics:
    """The application's figures. Each instance has a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry(auto_describe=True)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self._operation_names = BoundedNames()
        self._query_names = BoundedNames(500)
        self._requests = Counter(
            "accountgraph_requests", "GraphQL requests.", ("operation", "kind", "outcome"), registry=registry
        )
        self._request_seconds = Histogram(
            "accountgraph_request_seconds",
            "Time from a GraphQL request's arrival to its answer, in seconds.",
            ("operation", "kind"),
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._refusals = Counter(
            "accountgraph_refusals", "HTTP requests that were refused before execution.", ("code",), registry=registry
        )
        self._queries = Counter(
            "accountgraph_queries", "Cypher statements by their name.", ("query", "outcome"), registry=registry
        )
        self._query_seconds = Histogram(
            "accountgraph_query_seconds",
            "Time of a Cypher statement, in seconds.",
            ("query",),
            buckets=_QUERY_SECONDS,
            registry=registry,
        )
        self._query_calls = Histogram(
            "accountgraph_query_calls",
            "Reads that one statement of a shared query answered.",
            ("query",),
            buckets=_CALLS,
            registry=registry,
        )
        self._operations = Gauge("accountgraph_operations", "Operations by their state.", ("state",), registry=registry)
        self._engine_up = Gauge("accountgraph_engine_up", "1 while the graph engine answers.", registry=registry)
        self._sessions = Gauge(
            "accountgraph_engine_sessions", "Sessions with the graph engine that are open.", registry=registry
        )
        requests_now = Gauge(
            "accountgraph_requests_now", "Requests at present, running and waiting.", ("state",), registry=registry
        )
        self._running, self._waiting = requests_now.labels("running"), requests_now.labels("waiting")

    def observe_request(self, operation: str | None, kind: str, outcome: str, seconds: float) -> None:
        """Counts a request of a valid document; `kind` is query, mutation or subscription."""
        name = self._operation_names.label(operation)
        self._requests.labels(name, kind, outcome).inc()
        self._request_seconds.labels(name, kind).observe(seconds)

    def observe_refusal(self, code: str) -> None:
        """Counts a request that was refused before its execution, by its code."""
        self._refusals.labels(code).inc()

    def observe_query(self, name: str, seconds: float, outcome: str) -> None:
        """Counts a Cypher statement, by the name that it has in the code."""
        label = self._query_names.label(name)
        self._queries.labels(label, outcome).inc()
        self._query_seconds.labels(label).observe(seconds)

    def observe_calls(self, name: str, calls: int) -> None:
        """Tells how many reads a statement of a shared query carries, by the name that it has in the code."""
        self._query_calls.labels(self._query_names.label(name)).observe(calls)

    def set_operations(self, by_state: Mapping[str, int]) -> None:
        """Sets the number of operations in each state; a state that is absent has none."""
        self._operations.clear()
        for state, count in by_state.items():
            self._operations.labels(state).set(count)

    def set_engine_up(self, up: bool) -> None:
        """Says whether the engine answers."""
        self._engine_up.set(1 if up else 0)

    def count_sessions(self, count: Callable[[], int]) -> None:
        """Tells from now on the sessions with the engine as `count` has them whenever the figures are read."""
        self._sessions.set_function(count)

    def set_requests_now(self, running: int, waiting: int) -> None:
        """Sets the number of requests at present."""
        self._running.set(running)
        self._waiting.set(waiting)

    def render(self) -> bytes:
        """All figures as text; its content type is `CONTENT_TYPE`."""
        return generate_latest(self.registry)
