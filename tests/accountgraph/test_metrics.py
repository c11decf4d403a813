"""The figures of /metrics, with labels that no caller can multiply."""

from prometheus_client.parser import text_string_to_metric_families

from accountgraph.metrics import MAX_NAMES, OTHER, UNNAMED, BoundedNames, Metrics


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    """One figure as /metrics tells it."""
    for family in text_string_to_metric_families(metrics.render().decode()):
        for each in family.samples:
            if each.name == name and each.labels == labels:
                return each.value
    return None


def test_a_request_is_counted_and_timed_by_its_name() -> None:
    metrics = Metrics()
    metrics.observe_request("Accounts", "query", "ok", 0.02)
    metrics.observe_request(None, "query", "errors", 0.5)
    counted = {"operation": "Accounts", "kind": "query", "outcome": "ok"}
    assert sample(metrics, "accountgraph_requests_total", **counted) == 1
    assert sample(metrics, "accountgraph_request_seconds_sum", operation="Accounts", kind="query") == 0.02
    unnamed = {"operation": UNNAMED, "kind": "query", "outcome": "errors"}
    assert sample(metrics, "accountgraph_requests_total", **unnamed) == 1


def test_a_caller_cannot_make_labels_without_end() -> None:
    metrics = Metrics()
    for number in range(1_000):
        metrics.observe_request(f"Name{number}", "query", "ok", 0.01)
    others = {"operation": OTHER, "kind": "query", "outcome": "ok"}
    assert sample(metrics, "accountgraph_requests_total", **others) == 1_000 - MAX_NAMES


def test_names_that_are_no_names_share_one_label() -> None:
    names = BoundedNames()
    assert {names.label(each) for each in ("a" * 65, 'x"} 1\nfake 2', "é", " ")} == {OTHER}
    assert names.label("") == UNNAMED
    assert names.label("account_by_id") == "account_by_id"


def test_a_query_is_counted_by_its_name_and_outcome() -> None:
    metrics = Metrics()
    metrics.observe_query("account_by_id", 0.003, "ok")
    metrics.observe_query("account_by_id", 0.003, "failed")
    assert sample(metrics, "accountgraph_queries_total", query="account_by_id", outcome="failed") == 1
    assert sample(metrics, "accountgraph_query_seconds_count", query="account_by_id") == 2


def test_the_reads_that_statements_answered_are_told() -> None:
    metrics = Metrics()
    metrics.observe_calls("accounts.find", 1)
    metrics.observe_calls("accounts.find", 5)
    assert sample(metrics, "accountgraph_query_calls_count", query="accounts.find") == 2
    assert sample(metrics, "accountgraph_query_calls_sum", query="accounts.find") == 6


def test_states_that_have_no_operations_any_more_are_gone() -> None:
    metrics = Metrics()
    metrics.set_operations({"PENDING": 2, "UNKNOWN": 1})
    metrics.set_operations({"PENDING": 1})
    assert sample(metrics, "accountgraph_operations", state="PENDING") == 1
    assert sample(metrics, "accountgraph_operations", state="UNKNOWN") is None


def test_engine_sessions_and_requests_at_present() -> None:
    metrics, sessions = Metrics(), ["one"]
    metrics.set_engine_up(up=True)
    metrics.count_sessions(lambda: len(sessions))
    sessions.append("two")
    metrics.set_requests_now(7, 2)
    metrics.observe_refusal("UNAUTHENTICATED")
    assert sample(metrics, "accountgraph_engine_up") == 1
    assert sample(metrics, "accountgraph_engine_sessions") == 2
    assert sample(metrics, "accountgraph_requests_now", state="waiting") == 2
    assert sample(metrics, "accountgraph_refusals_total", code="UNAUTHENTICATED") == 1
    metrics.set_engine_up(up=False)
    assert sample(metrics, "accountgraph_engine_up") == 0


def test_the_process_tells_of_itself() -> None:
    assert (sample(Metrics(), "process_resident_memory_bytes") or 0) > 0
