"""The scalars: exact text in and out."""

from decimal import Decimal as Number
from typing import Any

import pytest
import strawberry
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

from accountgraph import incoming
from schema.scalars import SCALARS, Date, DateTime, Decimal, decimal, fraction


@strawberry.type
class Query:
    @strawberry.field
    def instant(self, value: DateTime) -> DateTime:
        return value

    @strawberry.field
    def day(self, value: Date) -> Date:
        return value

    @strawberry.field
    def number(self, value: Decimal) -> Decimal:
        return value

    @strawberry.field
    def json(self, value: JSON) -> JSON:
        return value


SCHEMA = strawberry.Schema(query=Query, config=StrawberryConfig(scalar_map=SCALARS))


def echo(field: str, kind: str, value: Any) -> Any:
    """The value, given as a variable; the first error's words where it is refused."""
    document = f"query($value: {kind}!) {{ {field}(value: $value) }}"
    result = SCHEMA.execute_sync(document, variable_values={"value": value})
    return result.errors[0].message if result.errors else (result.data or {})[field]


def literal(field: str, text: str) -> Any:
    """The value, written into the document; None where it is refused."""
    result = SCHEMA.execute_sync(f"{{ {field}(value: {text}) }}")
    return None if result.errors else (result.data or {})[field]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31t12:00:00.5z", "2026-01-31T12:00:00.500000Z"),
        ("2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123456Z"),
        ("2026-01-31T12:00:00+05:30", "2026-01-31T06:30:00.000000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_an_instant_is_kept_in_utc(given: str, kept: str) -> None:
    assert echo("instant", "DateTime", given) == kept
    assert literal("instant", f'"{given}"') == kept


@pytest.mark.parametrize(
    "bad",
    [
        "", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z", "2026-02-30T00:00:00Z", "2026-01-31T25:00:00Z",
        "0001-01-01T00:00:00+23:59", "20260131T120000Z", "\u0662026-01-31T12:00:00Z", 1_700_000_000, True, {}, [],
        "2026-01-31T12:00:00+99:99",
    ],
)  # fmt: skip
def test_no_other_instant_is_taken(bad: Any) -> None:
    assert "RFC 3339" in echo("instant", "DateTime", bad)


def test_a_date_is_a_calendar_date() -> None:
    assert echo("day", "Date", "2024-02-29") == "2024-02-29"
    bad_dates: list[Any] = [
        "2023-02-29",
        "2024-2-9",
        "20240229",
        "2024-02-29T00:00:00Z",
        "",
        20240229,
        "\u0662024-02-29",
    ]
    for bad in bad_dates:
        assert "calendar date" in echo("day", "Date", bad)


def test_a_decimal_is_kept_as_its_text() -> None:
    for text in ("1250.50", "0", "-1.000", "9" * 60, "1e5", " 1", "\u0661", ""):
        assert echo("number", "Decimal", text) == text
        assert literal("number", f'"{text}"') == text
    assert echo("number", "Decimal", 12) == "12"
    assert literal("number", "-12") == "-12"
    refused: list[Any] = [1.5, True, None, {}, []]
    for bad in refused:
        assert "Decimal" in echo("number", "Decimal", bad)
    for text in ("1.5", "1e3", "true", "[]", "{}"):
        assert literal("number", text) is None


def test_a_decimal_goes_out_without_an_exponent() -> None:
    assert decimal(Number("1E+3")) == "1000"
    assert decimal(Number("0.00000001")) == "0.00000001"


def test_json_is_any_json() -> None:
    values: list[Any] = [{"a": [1, 2.5, None, True, "x"]}, [], "text", 0, False]
    for value in values:
        assert echo("json", "JSON", value) == value
    assert literal("json", '{a: [1, {b: "c"}], d: null}') == {"a": [1, {"b": "c"}], "d": None}


NUMBERS = [
    "0.1", "-2.50", "1e20", "1E-7", "0.30000000000000004", "0.12345678901234567890", "1.00000000000000000001",
    "1234567890123456.789", "-0.0", "1e-99999999999999999999", "0.00000000000000000001e-99999999999999999999",
    "9223372036854775808", "12",
]  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_in_a_document_is_what_it_is_among_the_variables(text: str) -> None:
    variable = incoming._json(b"[1111111111111111111, %s]" % text.encode(), "it")[1]
    for written, wrapped in ((text, variable), (f"[{text}]", [variable]), (f"{{a: [{text}]}}", {"a": [variable]})):
        found = literal("json", written)
        assert (repr(found), type(found)) == (repr(wrapped), type(wrapped))


def test_a_fraction_is_a_float_where_one_holds_it() -> None:
    assert [repr(fraction(text)) for text in ("0.10", "1e3", "-0.0")] == ["0.1", "1000.0", "-0.0"]
    assert [fraction(text) for text in ("0.1000000000000000001", "1e999")] == [
        Number("0.1000000000000000001"), Number("1e999"),
    ]  # fmt: skip
    assert [str(fraction(text)) for text in ("1e99999999999999999999", "0e-99999999999999999999")] == ["NaN", "NaN"]


def test_a_variable_inside_a_literal_is_taken_as_it_is() -> None:
    document = "query($there: JSON, $absent: JSON) { json(value: {a: $there, b: [$there, $absent], c: $absent}) }"
    result = SCHEMA.execute_sync(document, variable_values={"there": [0.5]})
    assert result.data == {"json": {"a": [0.5], "b": [[0.5], None]}}


def test_a_default_in_a_document_is_exact_too() -> None:
    result = SCHEMA.execute_sync("query($v: JSON = [0.12345678901234567890, 0.5]) { json(value: $v) }")
    assert result.data == {"json": [Number("0.12345678901234567890"), 0.5]}
