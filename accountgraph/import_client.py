"""`accountgraph import`: sends a file to a running server, and follows its import through the public API."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import httpx

from accountgraph.application import PASSWORD_FILE
from accountgraph.data_folder import StartFailed
from accountgraph.settings import Settings

CHUNK_BYTES = 256 * 1024
LOOK_SECONDS = 0.5
MOST_SECONDS = 60
SHOWN = 20
"""How many lines with problems are shown."""
_FORMATS = {".csv": "text/csv", ".jsonl": "application/x-ndjson", ".ndjson": "application/x-ndjson"}
_PROBLEM = "... on Problem { code message path }"
_COUNTS = "id phase lines checked succeeded failed unprocessed operation { id state problems { message } }"
_SIGN_IN = f"""mutation ImportSignIn($input: SignInInput!) {{
  answer: signIn(input: $input) {{ ... on SignInPayload {{ accessToken }} {_PROBLEM} }}
}}"""
_BEGIN = f"""mutation Import($input: BulkImportInput!) {{
  answer: bulkImport(input: $input) {{ ... on BulkImportPayload {{ bulkImport {{ {_COUNTS} }} }} {_PROBLEM} }}
}}"""
_FOLLOW = f"query ImportProgress($id: ID!) {{ bulkImport(id: $id) {{ {_COUNTS} }} }}"
_FAILED = """query ImportProblems($id: ID!, $first: Int!) { bulkImport(id: $id) {
  outcomes(first: $first, outcome: FAILED) { totalCount nodes { number lineId problems { message path } } }
} }"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be imported where, and by whom."""

    file: Path
    group: str
    username: str
    password: str
    dry_run: bool = False
    skip_invalid: bool = False
    outcomes: Path | None = None


def run(url: str, asked: Asked) -> bool:
    """Imports the file; whether no line has a problem. Raises StartFailed where the server refuses, or is gone."""
    try:
        return asyncio.run(_run(url, asked))
    except httpx.HTTPError as error:
        message = (
            f"the server at {url} does not answer ({type(error).__name__}); an import that began goes on by itself"
        )
        raise StartFailed(message) from error


def password_of(settings: Settings, username: str, given: str | None) -> str:
    """The password: the one given, else that of the administrator where it is known here. Raises StartFailed."""
    if given:
        return given
    if username == settings.admin_username:
        if settings.admin_password is not None:
            return settings.admin_password.get_secret_value()
        file = settings.data_dir / PASSWORD_FILE
        if file.exists():
            return file.read_text(encoding="utf-8").strip()
    raise StartFailed(f"set ACCOUNTGRAPH_IMPORT_PASSWORD to the password of {username}")


async def _run(url: str, asked: Asked) -> bool:
    async with httpx.AsyncClient(base_url=url, timeout=MOST_SECONDS, trust_env=False) as http:
        signed_in = await _done(http, _SIGN_IN, input={"username": asked.username, "password": asked.password})
        http.headers["Authorization"] = f"Bearer {signed_in['accessToken']}"
        upload = await _upload(http, asked.file)
        click.echo(f"Sent {asked.file.name}: {upload['lines']:,} lines, {upload['bytes']:,} bytes")
        given = {
            "operationId": str(uuid4()),
            "groupId": asked.group,
            "uploadId": upload["uploadId"],
            "dryRun": asked.dry_run,
            "skipInvalid": asked.skip_invalid,
        }
        begun = (await _done(http, _BEGIN, input=given))["bulkImport"]
        click.echo(f"Import {begun['id']} goes on by itself, also where this command is stopped")
        ended = await _followed(http, begun)
        if asked.outcomes is not None:
            await _keep(http, ended["id"], asked.outcomes)
        return await _told(http, ended)


async def _upload(http: httpx.AsyncClient, file: Path) -> dict[str, Any]:
    packed = file.suffix == ".gz"
    suffix = file.with_suffix("").suffix if packed else file.suffix
    if suffix not in _FORMATS:
        raise StartFailed(f"{file.name} must end with .jsonl or .csv, or with .gz after that")
    headers = {"Content-Type": _FORMATS[suffix], **({"Content-Encoding": "gzip"} if packed else {})}
    size = await asyncio.to_thread(lambda: file.stat().st_size)
    with click.progressbar(length=size, label="Sending  ") as bar:
        answer = await http.post("/imports", content=_pieces(file, bar.update), headers=headers)
    content = answer.json()
    if answer.status_code != HTTPStatus.CREATED:
        raise StartFailed(f"the file is refused: {content['errors'][0]['message']}")
    return content


async def _pieces(file: Path, sent: Any) -> AsyncIterator[bytes]:
    with file.open("rb") as content:
        while piece := await asyncio.to_thread(content.read, CHUNK_BYTES):
            yield piece
            sent(len(piece))


async def _followed(http: httpx.AsyncClient, row: dict[str, Any]) -> dict[str, Any]:
    """The import once it rests: it ended, was cancelled, or waits for a person."""
    for label, phase, done in (("Checking ", "CHECKING", "checked"), ("Importing", "APPLYING", "succeeded")):
        if row["phase"] != phase:
            continue
        shown = 0
        with click.progressbar(length=row["lines"], label=label) as bar:
            while row["phase"] == phase and row["operation"]["state"] == "RUNNING":
                await asyncio.sleep(LOOK_SECONDS)
                row = (await _data(http, _FOLLOW, id=row["id"]))["bulkImport"]
                now = row[done] + (row["failed"] if done == "succeeded" else 0)
                bar.update(now - shown)
                shown = now
    return row


async def _told(http: httpx.AsyncClient, row: dict[str, Any]) -> bool:
    state = row["operation"]["state"]
    click.echo(f"{row['succeeded']:,} imported, {row['failed']:,} with problems, {row['unprocessed']:,} unprocessed")
    if state == "AWAITING_APPROVAL":
        click.echo(f"The import waits for a person's approval: operation {row['operation']['id']}")
    for problem in row["operation"]["problems"]:
        click.echo(problem["message"])
    if row["failed"]:
        found = (await _data(http, _FAILED, id=row["id"], first=SHOWN))["bulkImport"]["outcomes"]
        for line in found["nodes"]:
            words = "; ".join(problem["message"] for problem in line["problems"])
            click.echo(f"  line {line['number']} ({line['lineId'] or 'no id'}): {words}")
        if found["totalCount"] > len(found["nodes"]):
            click.echo(f"  and {found['totalCount'] - len(found['nodes']):,} more; --outcomes FILE keeps them all")
    return not row["failed"] and state in {"SUCCEEDED", "AWAITING_APPROVAL"}


async def _keep(http: httpx.AsyncClient, import_id: str, file: Path) -> None:
    form = "csv" if file.suffix == ".csv" else "jsonl"
    async with http.stream("GET", f"/imports/{import_id}/outcomes", params={"format": form}) as answer:
        answer.raise_for_status()
        with file.open("wb") as kept:
            async for piece in answer.aiter_bytes():
                kept.write(piece)


async def _done(http: httpx.AsyncClient, document: str, **variables: Any) -> dict[str, Any]:
    answer = (await _data(http, document, **variables))["answer"]
    if "code" in answer:
        where = f" at {'.'.join(answer['path'])}" if answer["path"] else ""
        raise StartFailed(f"the import is refused: {answer['code']}{where}: {answer['message']}")
    return answer


async def _data(http: httpx.AsyncClient, document: str, **variables: Any) -> dict[str, Any]:
    content = (await http.post("/graphql", json={"query": document, "variables": variables})).json()
    if content.get("errors") or not content.get("data"):
        raise StartFailed(f"the import stopped: {content.get('errors')}")
    return content["data"]
