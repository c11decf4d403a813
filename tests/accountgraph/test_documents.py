"""Documents are read once, and whatever is sent is either taken or refused with a code."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accountgraph.documents import MAX_KEPT_CHARACTERS, MAX_KEPT_LENGTH, DocumentRefused, Documents
from accountgraph.limits import Limits
from tests.support.small_server import SCHEMA

CODES = {
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "LIMIT_EXCEEDED",
    "OPERATION_RESOLUTION_FAILURE",
}
WORDS = (
    "query mutation subscription fragment on A B hello accounts nodes id name first helo paint colour RED REDD Query "
    'Account __typename __schema types signIn true null 1 -2 3.5 @skip @include if $x Int { } ( ) [ ] : ! = ... "s"'
).split()


def documents() -> Documents:
    """A new reader."""
    return Documents(SCHEMA, Limits())


def test_a_kept_document_is_the_same_one() -> None:
    reader = documents()
    first = reader.read("{ hello }")
    reader.validate(first)
    reader.keep(first)
    reader.keep(first)
    assert reader.read("{ hello }") is first
    assert reader.kept == 1


def test_what_is_kept_has_an_end() -> None:
    reader = documents()
    read = [reader.read(f'{{ hello(name: "{number:010000d}") }}') for number in range(100)]
    for document in read:
        reader.validate(document)
        reader.keep(document)
    last = read[-1]
    assert reader.kept == MAX_KEPT_CHARACTERS // len(last.text)
    assert reader.read(last.text) is last
    assert reader.read(read[0].text) is not read[0]
    long = reader.read(f'{{ hello(name: "{"x" * MAX_KEPT_LENGTH}") }}')
    reader.validate(long)
    reader.keep(long)
    assert reader.read(long.text) is not long


def test_the_operation_is_the_named_or_the_only_one() -> None:
    document = documents().read("query A { hello } mutation B { signIn }")
    assert document.operation("B").kind == "mutation"
    assert document.operation("B").is_open
    assert document.operation("A").root_fields == ("hello",)
    for name in (None, "C", ""):
        with pytest.raises(DocumentRefused) as refusal:
            document.operation(name)
        assert refusal.value.errors[0]["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"


def test_root_fields_are_found_in_fragments_that_lead_in_circles_too() -> None:
    text = "{ ...A } fragment A on Query { ...B ... { hello } } fragment B on Query { ...A x: who }"
    assert set(documents().read(text).operation(None).root_fields) == {"hello", "who"}


def test_what_validation_gives_up_on_exceeds_a_limit() -> None:
    uses = "$a " * 20_000
    queries = " ".join(f"query Q{number}($a: String) {{ ...F }}" for number in range(10))
    reader = documents()
    document = reader.read(f"{queries} fragment F on Query {{ echo(value: [{uses}]) }}")
    with pytest.raises(DocumentRefused) as refusal:
        reader.validate(document)
    assert refusal.value.errors[0]["extensions"]["code"] == "LIMIT_EXCEEDED"


def test_no_more_errors_are_told_than_help() -> None:
    reader = documents()
    document = reader.read("{" + " ".join(f"wrong{number}" for number in range(100)) + "}")
    with pytest.raises(DocumentRefused) as refusal:
        reader.validate(document)
    assert len(refusal.value.errors) == 21


def refusal_of(text: str) -> DocumentRefused | None:
    """Why the document is refused, if it is."""
    reader = documents()
    try:
        document = reader.read(text)
        document.operation(None)
        reader.validate(document)
    except DocumentRefused as refusal:
        return refusal
    return None


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join) | st.text(max_size=60))
def test_whatever_is_sent_is_taken_or_refused_with_a_code_and_no_suggestion(text: str) -> None:
    refusal = refusal_of(text)
    for error in refusal.errors if refusal else []:
        assert error["extensions"]["code"] in CODES
        assert "Did you mean" not in error["message"]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="acehilmnouAQ", min_size=1, max_size=8), st.sampled_from(range(6)))
def test_a_wrong_name_anywhere_gets_no_suggestion(name: str, place: int) -> None:
    text = (
        f"{{ {name} }}",
        f"{{ hello({name}: 1) }}",
        f"{{ paint(colour: {name}) }}",
        f"{{ ... on {name} {{ hello }} }}",
        f"query ($x: {name}) {{ hello(name: $x) }}",
        f"{{ hello @{name} }}",
    )[place]
    refusal = refusal_of(text)
    for error in refusal.errors if refusal else []:
        assert " mean" not in error["message"]
