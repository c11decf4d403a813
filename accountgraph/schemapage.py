"""The schema as a page to read: every definition with its description, each named type a link to its own."""

import re
from html import escape

from graphql import (
    DirectiveDefinitionNode,
    EnumTypeDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    print_ast,
)

Named = TypeDefinitionNode | DirectiveDefinitionNode
_ROOTS = ("Query", "Mutation", "Subscription")
_BEGIN = "Where to begin"
_SECTIONS: dict[type[Named], str] = {
    ObjectTypeDefinitionNode: "Objects",
    InterfaceTypeDefinitionNode: "Interfaces",
    UnionTypeDefinitionNode: "Unions",
    InputObjectTypeDefinitionNode: "Inputs",
    EnumTypeDefinitionNode: "Enums",
    ScalarTypeDefinitionNode: "Scalars",
    DirectiveDefinitionNode: "Directives",
}
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Descriptions and other strings are text, and hold no links.
_TEXT = re.compile(r'("""(?:[^"]|"(?!""))*"""|"(?:[^"\\\n]|\\.)*")')


def schema_body(sdl: str) -> str:
    """The body of the page, from the schema's text."""
    named = [each for each in parse(sdl).definitions if isinstance(each, Named)]
    types = {each.name.value for each in named if isinstance(each, TypeDefinitionNode)}
    contents: list[str] = []
    parts: list[str] = []
    for title in (_BEGIN, *_SECTIONS.values()):
        if nodes := sorted((each for each in named if _section(each) == title), key=_order):
            contents.append(f"<h3>{title}</h3>\n<ul>\n{''.join(map(_entry, nodes))}</ul>")
            shown = "".join(_definition(node, types) for node in nodes)
            parts.append(f"<section>\n<h2>{title}</h2>\n{shown}</section>")
    return (
        "<header>\n<h1>The schema</h1>\n"
        '<p><a href="/">Start</a> · <a href="/schema.graphql">The same as text</a></p>\n</header>\n'
        f'<main>\n<nav aria-label="Contents">\n{_lines(contents)}\n</nav>\n{_lines(parts)}\n</main>'
    )


def _lines(parts: list[str]) -> str:
    return "\n".join(parts)


def _section(node: Named) -> str:
    return _BEGIN if node.name.value in _ROOTS else _SECTIONS[type(node)]


def _order(node: Named) -> tuple[int, str]:
    name = node.name.value
    return (_ROOTS.index(name) if name in _ROOTS else len(_ROOTS), name)


def _anchor(node: Named) -> str:
    return f"{'directive-' if isinstance(node, DirectiveDefinitionNode) else ''}{node.name.value}"


def _entry(node: Named) -> str:
    return f'<li><a href="#{_anchor(node)}">{node.name.value}</a></li>\n'


def _definition(node: Named, types: set[str]) -> str:
    name = node.name.value
    return f'<h3 id="{_anchor(node)}">{name}</h3>\n<pre tabindex="0">{_linked(print_ast(node), types)}</pre>\n'


def _linked(text: str, types: set[str]) -> str:
    def link(match: re.Match[str]) -> str:
        word = match[0]
        return f'<a href="#{word}">{word}</a>' if word in types else word

    pieces = _TEXT.split(text)
    return "".join(
        f'<span class="said">{escape(piece, quote=False)}</span>' if number % 2 else _WORD.sub(link, piece)
        for number, piece in enumerate(pieces)
    )
