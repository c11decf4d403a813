"""What the documents say of each other, of the API and of its limits is so."""

import re
from pathlib import Path

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, build_schema, parse, validate

from accountgraph.sdl import current_sdl
from accountgraph.settings import load
from resolvers import filters, paging, quotes
from scripts.make_reference import reference
from services import names
from services.settings.metadata import METADATA_LIMITS
from tests.support.checkout import ROOT, tracked

DOCUMENTS = sorted(path for path in tracked() if path.endswith(".md"))
GUIDE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_ANCHOR = re.compile(r'<a id="([^"]+)">')
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors of a document: those it sets, and those of its headings."""
    headings = (re.sub(r"<[^>]*>|[^\w\s-]", "", each).strip().lower() for each in _HEADING.findall(text))
    return {*_ANCHOR.findall(text), *(each.replace(" ", "-") for each in headings)}


def leads(file: Path, anchor: str, text: str | None) -> bool:
    """Whether the file, or this text of it, is there and has the anchor; no anchor is the whole."""
    if not file.exists():
        return False
    return not anchor or anchor in anchors(text if text is not None else file.read_text(encoding="utf-8"))


def broken(document: Path, text: str) -> list[str]:
    """The links of a document that lead to no file, or to nothing in it."""
    found: list[str] = []
    for link in _LINK.findall(text):
        name, _, anchor = link.partition("#")
        file = document.parent / name if name else document
        if "://" not in link and not leads(file, anchor, text if not name else None):
            found.append(link)
    return found


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_link_leads_somewhere(path: str) -> None:
    assert broken(ROOT / path, (ROOT / path).read_text(encoding="utf-8")) == []


def test_a_link_to_what_is_not_there_would_be_found() -> None:
    guide = ROOT / "docs" / "api.md"
    text = "# A\n[a](#a) [b](#b) [c](none.md) [d](reference.md#Account.cash) [e](reference.md#Account.none)"
    assert broken(guide, text) == ["#b", "none.md", "reference.md#Account.none"]


def test_the_reference_is_not_stale() -> None:
    stale = "docs/reference.md is stale: write it anew with `make schema`, and commit it"
    assert (ROOT / "docs" / "reference.md").read_text("utf-8") == reference(current_sdl()), stale


def test_the_guide_s_documents_are_valid() -> None:
    documents = re.findall(r"^```graphql\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert documents
    assert [validate(build_schema(current_sdl()), parse(each)) for each in documents] == [[]] * len(documents)


def test_the_guide_has_every_state_and_every_code() -> None:
    schema = build_schema(current_sdl())
    for name in ("OperationState", "ProblemCode", "Role"):
        values = getattr(schema.type_map[name], "values", {})
        assert [value for value in values if f"`{value}`" not in GUIDE] == []


def test_all_mutations_but_two_take_an_operation_id() -> None:
    mutation = build_schema(current_sdl()).type_map["Mutation"]
    assert isinstance(mutation, GraphQLObjectType)
    without: list[str] = []
    for name, field in mutation.fields.items():
        given = field.args["input"].type if "input" in field.args else None
        named = getattr(given, "of_type", None)
        if not (isinstance(named, GraphQLInputObjectType) and "operationId" in named.fields):
            without.append(name)
    assert without == ["signIn", "signOut"]


def test_the_guide_s_limits_are_those_of_the_server() -> None:
    settings = load()
    limits = (
        f"{settings.max_body_bytes // 1024} KB",
        f"{settings.max_depth} levels, {settings.max_aliases} aliases, {settings.max_nodes:,} objects",
        f"values of an answer | {settings.max_answer_bytes // 1024**2} MiB | `LIMIT_EXCEEDED`",
        f"| {paging.MAX_PAGE} | `BAD_USER_INPUT`",
        f"{filters.MAX_CONDITIONS} parts in {filters.MAX_DEPTH} levels",
        f"{names.MAX_NAME}; {names.MAX_TEXT:,} characters; 16 KiB",
    )
    assert [each for each in limits if each not in GUIDE] == []
    assert quotes.MAX_SYMBOLS == paging.MAX_PAGE
    assert METADATA_LIMITS.size >= 16 * 1024
