"""The page at / and the schema as a page and as text. They need no sign-in, no script and no other host."""

import base64
import hashlib
import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from accountgraph.schemapage import schema_body

_STATIC = files("accountgraph") / "static"
_STYLE = (_STATIC / "page.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PICK = r"""pick() { tee /dev/stderr | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }"""
_SHELL_VARIABLE = re.compile(r'"\\\$([A-Z]+)"')
_NEW_ID = 'python3 -c "import uuid; print(uuid.uuid4())"'


@dataclass(frozen=True, slots=True)
class Facts:
    """What the start page tells of the server."""

    version: str
    engine: str
    base_url: str
    market_date: str | None = None
    admin_username: str = "admin"
    sign_in_hint: str = "the password that the first start printed"
    """Where the password is to be found; never the password itself."""
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    """Further links: a title for each address."""


@dataclass(frozen=True, slots=True)
class Step:
    """One first step: what it is for, its document, and its variables. `$NAME` in them is a shell variable."""

    title: str
    document: str
    variables: Mapping[str, object] = field(default_factory=dict[str, object])
    keeps: tuple[str, str] | None = None
    """The shell variable that a member of the answer goes into, and that member's name."""


SIGN_IN = """mutation SignIn($input: SignInInput!) {
  signIn(input: $input) {
    ... on SignInPayload { accessToken expiresAt }
    ... on Problem { code message }
  }
}"""
STEPS = (
    Step("List the groups and accounts that you can see.", "{ groups { nodes { id name } } accounts { totalCount } }"),
    Step(
        "Create a group.",
        """mutation CreateGroup($input: CreateGroupInput!) {
  createGroup(input: $input) {
    ... on CreateGroupPayload { group { id name } }
    ... on Problem { code message path }
  }
}""",
        {"input": {"operationId": "$ID", "name": "First group"}},
        keeps=("GROUP", "id"),
    ),
    Step(
        "Create an account in it.",
        """mutation CreateAccount($input: CreateAccountInput!) {
  createAccount(input: $input) {
    ... on CreateAccountPayload { account { id name currency } }
    ... on Problem { code message path }
  }
}""",
        {"input": {"operationId": "$ID", "name": "First account", "parentId": "$GROUP"}},
        keeps=("ACCOUNT", "id"),
    ),
    Step(
        "Deposit 1,000.00 into it.",
        """mutation Deposit($input: DepositInput!) {
  deposit(input: $input) {
    ... on PostPayload { transactions { amount { amount currency } balanceAfter { amount } } }
    ... on Problem { code message path }
  }
}""",
        {"input": {"operationId": "$ID", "accountId": "$ACCOUNT", "amount": "1000.00"}},
    ),
)


def routes(sdl: str, facts: Callable[[], Facts]) -> list[Route]:
    """The routes of /, /schema and /schema.graphql. `facts` is asked at each visit of /."""
    schema_page = _page("The schema of accountgraph", schema_body(sdl))

    async def start(_request: Request) -> Response:
        return _html(start_page(facts()))

    async def schema(_request: Request) -> Response:
        return _html(schema_page)

    async def schema_text(_request: Request) -> Response:
        return PlainTextResponse(sdl)

    return [Route("/", start), Route("/schema", schema), Route("/schema.graphql", schema_text)]


def start_page(facts: Facts) -> str:
    """The start page as HTML."""
    told = {
        "Version": facts.version,
        "Graph engine": facts.engine,
        "Market date": facts.market_date or "told by the market service",
        "GraphQL": f"{facts.base_url}/graphql",
    }
    links = {
        "The schema, to read": "/schema",
        "The schema, as text": "/schema.graphql",
        "Is it alive?": "/healthz",
        "Is it ready?": "/readyz",
        "Metrics": "/metrics",
        **facts.links,
    }
    return Template((_STATIC / "start.html").read_text(encoding="utf-8")).substitute(
        style=_STYLE,
        facts="\n".join(f"<dt>{escape(name)}</dt><dd>{escape(fact)}</dd>" for name, fact in told.items()),
        steps="\n".join(f"<li>{escape(title)}\n{_copyable(title, text)}</li>" for title, text in _shown(facts)),
        links="\n".join(f'<li><a href="{escape(to)}">{escape(title)}</a></li>' for title, to in links.items()),
    )


def _shown(facts: Facts) -> list[tuple[str, str]]:
    """Each step's title, and what goes into the shell."""
    post = f"curl -s {shlex.quote(facts.base_url)}/graphql -H 'Content-Type: application/json' --data-binary @-"
    ask = f'ask() {{ {post} -H "Authorization: Bearer $TOKEN"; echo; }}'
    title = f"Sign in as {facts.admin_username}, with {facts.sign_in_hint} in place of PASSWORD."
    variables = {"input": {"username": facts.admin_username, "password": "PASSWORD"}}
    sign_in = Step(title, SIGN_IN, variables, keeps=("TOKEN", "accessToken"))
    shown = [(title, f"{ask}\n{_PICK}\n{_command(sign_in)}")]
    return shown + [(step.title, _command(step)) for step in STEPS]


def _command(step: Step) -> str:
    fresh = f"ID=$({_NEW_ID})\n" if "$ID" in str(step.variables) else ""
    query, variables = json.dumps(" ".join(step.document.split())), json.dumps(step.variables)
    request = f'{{"query": {query},\n "variables": {variables}}}'
    if step.keeps is None:
        return f"{fresh}ask <<END\n{_quoted(request)}\nEND"
    name, member = step.keeps
    return f"{fresh}{name}=$(ask <<END | pick {member}\n{_quoted(request)}\nEND\n)"


def _quoted(request: str) -> str:
    # The shell fills $ID, $GROUP and $ACCOUNT in; GraphQL's own dollars stay.
    text = request.replace("\\", "\\\\").replace("$", "\\$")
    return _SHELL_VARIABLE.sub(r'"$\1"', text)


def _copyable(title: str, text: str) -> str:
    return f'<pre class="copy" tabindex="0" aria-label="{escape(title)}">{escape(text)}</pre>'


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _html(text: str) -> Response:
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY})
