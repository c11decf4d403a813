"""Documents within the limits are taken, larger ones refused with a code, and hostile ones cost little."""

import pytest
from graphql import GraphQLError
from hypothesis import given, settings
from hypothesis import strategies as st

from accountgraph.documents import parse
from accountgraph.limits import LIMIT_EXCEEDED, Limits, check_document, find_cycle, fragments_of

LIMITS = Limits()


def refusal(text: str, limits: Limits = LIMITS) -> str | None:
    """Why the document is refused, or None where it is taken."""
    try:
        check_document(parse(text, limits), limits)
    except GraphQLError as error:
        assert error.extensions == {"code": LIMIT_EXCEEDED}
        return error.message
    return None


def nested(levels: int) -> str:
    """A document of so many levels."""
    return "{ a " * (levels - 1) + "{ id }" + " }" * (levels - 1)


def aliased(count: int) -> str:
    """A document with so many aliases of one field."""
    return "{" + " ".join(f"a{number}: accounts {{ id }}" for number in range(count)) + "}"


def doubling(levels: int) -> str:
    """Fragments that each spread the next one twice, so that the answer's shape doubles with each."""
    fragments = (f"fragment F{n} on T {{ x {{ ...F{n + 1} }} y {{ ...F{n + 1} }} }}" for n in range(levels))
    return f"{{ ...F0 }} {' '.join(fragments)} fragment F{levels} on T {{ id }}"


@pytest.mark.parametrize("text", [nested(20), nested(50), aliased(100), "{ id }", "query A { id } query B { id }"])
def test_what_is_always_taken_is_taken(text: str) -> None:
    assert refusal(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (nested(51), "too deep: at most 50 levels"),
        (nested(200), "too deep: at most 50 levels"),
        (aliased(1_000), "too many aliases: at most 250"),
        (doubling(16), "too many fields: at most 10,000"),
        ("{" + "... { " * 120 + "id" + " }" * 120 + "}", "too deep"),
        ("{ id " + "@skip(if: false) " * 501 + "}", "too many directives: at most 500"),
        ("query " + "@a " * 501 + "{ id }", "too many directives: at most 500"),
        (" ".join(f"query Q{n} {{ id }}" for n in range(21)), "too many operations: at most 20"),
        (" ".join(f"fragment F{n} on T {{ id }}" for n in range(201)), "too many fragments: at most 200"),
        ("query (" + " ".join(f"$v{n}: Int" for n in range(251)) + ") { id }", "too many variables"),
        ("{" + " ".join(f"field{n}" for n in range(251)) + "}", "too many root fields: at most 250"),
        ("{ a {" + " ".join(f"f(x: {n})" for n in range(400)) + "} }", "too many selections of the same field"),
    ],
)
def test_what_is_larger_is_refused_in_plain_words(text: str, words: str) -> None:
    assert words in (refusal(text) or "")


def test_selections_are_counted_as_they_are_written() -> None:
    limits = Limits(selections=100, root_fields=1_000)
    assert refusal("{" + " ".join(f"f{n}" for n in range(100)) + "}", limits) is None
    assert "too many selections: at most 100" in (
        refusal("{" + " ".join(f"f{n}" for n in range(101)) + "}", limits) or ""
    )


def test_an_unused_fragment_is_counted_too() -> None:
    repeats = " ".join(f"f(x: {n})" for n in range(400))
    assert "too many selections of the same field" in (refusal(f"{{ id }} fragment F on T {{ {repeats} }}") or "")


def test_words_that_repeat_others_beside_them_are_left_out() -> None:
    document = parse("{ id a { id id } a { id id } a { id } ...F ...F } fragment F on T { id }", LIMITS)
    first = document.definitions[0].to_dict()
    assert [each["kind"] for each in first["selection_set"]["selections"]] == [
        "field",
        "field",
        "field",
        "fragment_spread",
    ]
    assert refusal("{ a {" + "id " * 20_000 + "} }") is None


@pytest.mark.parametrize("cycle", ["...A", "x { ...A }", "... { ...A }", "x { ... on T { y { ...A } } }"])
def test_a_cycle_of_fragments_is_found_and_left_to_validation(cycle: str) -> None:
    text = f"{{ ...A }} fragment A on T {{ ...B }} fragment B on T {{ {cycle} }}"
    document = parse(text, LIMITS)
    assert find_cycle(fragments_of(document)) == "A"
    check_document(document, LIMITS)


def test_a_diamond_of_fragments_is_no_cycle() -> None:
    text = "{ ...A } fragment A on T { ...B ...C } fragment B on T { ...D } fragment C on T { ...D }"
    text += " fragment D on T { id }"
    assert find_cycle(fragments_of(parse(text, LIMITS))) is None


def test_a_fragment_that_does_not_exist_is_left_to_validation() -> None:
    assert refusal("{ ...Nowhere }") is None


@pytest.mark.parametrize("text", ["{ id }" + "#\n" * 10_001, "{ a(x: [" + "0 " * 70_000 + "]) }", nested(300)])
def test_the_parser_has_its_own_limits(text: str) -> None:
    with pytest.raises(GraphQLError, match=r"contains more than|too deep"):
        parse(text, LIMITS)


names = st.sampled_from(["a", "b", "id"])
spreads = st.sampled_from([f"...F{number}" for number in range(5)])


@st.composite
def selection_sets(draw: st.DrawFn, depth: int = 0) -> str:
    """Selections of fields, aliases, inline fragments and spreads, also cyclic ones."""
    parts: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        match draw(st.integers(0, 3 if depth < 4 else 1)):
            case 0:
                parts.append(draw(names))
            case 1:
                parts.append(draw(spreads))
            case 2:
                parts.append(f"{draw(names)}: {draw(names)} {draw(selection_sets(depth + 1))}")
            case _:
                parts.append(f"... on T {draw(selection_sets(depth + 1))}")
    return f"{{ {' '.join(parts)} }}"


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A document with five fragments that spread each other at will."""
    fragments = [f"fragment F{number} on T {draw(selection_sets())}" for number in range(5)]
    return " ".join([draw(selection_sets()), *fragments])


def shape_of(text: str) -> int | None:
    """The depth of the answer's shape, told plainly: fragments followed word for word. None for a cycle."""
    document = parse(text, LIMITS).to_dict()
    fragments = {each["name"]["value"]: each for each in document["definitions"] if each["kind"].startswith("frag")}

    def depth(selections: list[dict[str, object]], path: tuple[str, ...]) -> int:
        return max((below(each, path) for each in selections), default=0)

    def below(each: dict[str, object], path: tuple[str, ...]) -> int:
        if each["kind"] == "fragment_spread":
            name = each["name"]["value"]  # pyright: ignore[reportIndexIssue]
            if name in path:
                raise RecursionError
            return depth(fragments[name]["selection_set"]["selections"], (*path, name))
        inside = each["selection_set"]["selections"] if each["selection_set"] else []  # pyright: ignore[reportIndexIssue]
        return depth(inside, path) + (each["kind"] == "field")

    try:
        for name, fragment in fragments.items():
            depth(fragment["selection_set"]["selections"], (name,))
        return depth(document["definitions"][0]["selection_set"]["selections"], ())
    except RecursionError:
        return None


@settings(max_examples=150, deadline=None)
@given(documents(), st.integers(1, 12))
def test_the_depth_that_is_allowed_is_the_depth_of_the_answer(text: str, most: int) -> None:
    depth = shape_of(text)
    cycle = find_cycle(fragments_of(parse(text, LIMITS)))
    assert (cycle is None) == (depth is not None)
    said = refusal(text, Limits(depth=most, fields=10**6, steps=10**6, pairs=10**6))
    if depth is None:
        assert said is None or "too deep" in said
    elif depth > most:
        assert "too deep" in (said or "")


@settings(max_examples=100, deadline=None)
@given(documents())
def test_no_document_takes_more_steps_than_the_limits_say(text: str) -> None:
    said = refusal(text, Limits(steps=200))
    assert said is None or "at most" in said
