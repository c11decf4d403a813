"""Files of imports over HTTP: POST /imports takes one, and GET /imports/<id>/outcomes tells what became of it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from accountgraph.callers import Callers
from accountgraph.errors import Code, as_refusal, body, internal, refused
from accountgraph.execution import UNAUTHENTICATED, Authenticate
from accountgraph.gate import Gate
from accountgraph.http import token_of
from accountgraph.incoming import DRAINED_BYTES, HttpRefused
from accountgraph.negotiation import is_utf8, parse_media_type
from graph.database import Database, Row
from services.importing.outcomes import exported, find_visible
from services.importing.reading import Format
from services.importing.splitting import MOST_BYTES
from services.importing.uploading import Intake
from services.permissions import Viewer
from services.problems import ProblemCode, Refused

MOST_AT_ONCE = 8
CHUNK_SECONDS = 30.0
"""How long the next bytes of a file may take."""
BODY_SECONDS = 1_800.0
"""How long a whole file may take: who sends slowly keeps a place from others."""
FORMATS = {
    "application/x-ndjson": Format.JSON_LINES,
    "application/jsonl": Format.JSON_LINES,
    "text/csv": Format.CSV,
}
_STATUS = {
    ProblemCode.LIMIT_EXCEEDED: 413,
    ProblemCode.UNAVAILABLE: 503,
    ProblemCode.UNAUTHENTICATED: 401,
}
_log = structlog.get_logger()


class Uploads:
    """The routes of files for imports. `gate` must be open before they take requests."""

    def __init__(
        self,
        database: Database,
        authenticate: Authenticate,
        gate: Gate,
        callers: Callers | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._database = database
        self._authenticate = authenticate
        self._gate = gate
        self._callers = callers or Callers()
        self._most_bytes = most_bytes
        self._running = 0
        self._senders: set[str] = set()

    def routes(self) -> Sequence[BaseRoute]:
        """The routes."""
        return (
            Route("/imports", self.upload, methods=["POST"]),
            Route("/imports/{import_id}/outcomes", self.outcomes, methods=["GET"]),
        )

    async def upload(self, request: Request) -> Response:
        """Takes a file: 201 with its upload id, or the errors of why it is not taken."""
        return await _answered(request, self._upload)

    async def outcomes(self, request: Request) -> Response:
        """What became of the lines of an import, as JSON Lines, or as CSV where `format=csv` asks for that."""
        return await _answered(request, self._outcomes)

    async def _upload(self, request: Request) -> Response:
        self._gate.check()
        viewer = await self._viewer(request)
        form, gzip = _format(request)
        if self._running >= MOST_AT_ONCE:
            message = "The server takes other files now. Try again in a moment."
            raise HttpRefused(503, body(message, Code.OVERLOADED), headers={"Retry-After": "5"})
        if viewer.user_id in self._senders:
            message = "Another file of yours is being taken. Send this one after it."
            raise HttpRefused(503, body(message, Code.OVERLOADED), headers={"Retry-After": "5"})
        self._running += 1
        self._senders.add(viewer.user_id)
        try:
            async with self._gate.entered(self._callers.of_viewer(viewer)):
                row = await self._taken(request, Intake(self._database, viewer, form, gzip=gzip, most=self._most_bytes))
        finally:
            self._running -= 1
            self._senders.discard(viewer.user_id)
        _log.info("uploaded", actor=viewer.username, upload=row["id"], lines=row["lines"], bytes=row["bytes"])
        told = {"uploadId": row["id"], "lines": row["lines"], "bytes": row["bytes"], "expiresAt": row["expiresAt"]}
        return JSONResponse(told, 201)

    async def _taken(self, request: Request, intake: Intake) -> Row:
        """The upload, once all of the body has come; one that fails is given up."""
        await intake.begin()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in _chunks(request, self._most_bytes):
                    await intake.take(chunk)
            return await intake.end()
        except TimeoutError:
            await intake.abandon()
            message = f"The body did not end within {BODY_SECONDS:.0f} seconds."
            raise HttpRefused(408, body(message, Code.REQUEST_TIMEOUT)) from None
        except Exception:
            await intake.abandon()
            raise

    async def _outcomes(self, request: Request) -> Response:
        self._gate.check()
        viewer = await self._viewer(request)
        row = await find_visible(self._database, viewer, request.path_params["import_id"])
        if row is None:
            raise HttpRefused(404, body("Nothing that you can see has this id.", ProblemCode.NOT_FOUND))
        form = Format.CSV if request.query_params.get("format") == "csv" else Format.JSON_LINES
        pieces = exported(self._database, row, form)
        first = await anext(pieces, b"")
        media = "text/csv; charset=utf-8" if form is Format.CSV else "application/x-ndjson"
        name = f"{row['id']}.{'csv' if form is Format.CSV else 'jsonl'}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(_joined(first, pieces), media_type=media, headers=headers)

    async def _viewer(self, request: Request) -> Viewer:
        token = token_of(request.headers.get("authorization"))
        viewer = await self._authenticate(token) if token is not None else None
        if viewer is None:
            raise HttpRefused(401, body(UNAUTHENTICATED, Code.UNAUTHENTICATED), headers={"WWW-Authenticate": "Bearer"})
        return viewer


async def _answered(request: Request, work: Callable[[Request], Awaitable[Response]]) -> Response:
    try:
        return await work(request)
    except ClientDisconnect:
        _log.info("caller_went_away", kind="import")
        return Response(status_code=499)
    except HttpRefused as error:
        answer = JSONResponse({"errors": error.errors}, error.status, headers=error.headers)
    except Exception as fault:
        refusal = as_refusal(fault)
        answer = _refused(refusal) if refusal else JSONResponse({"errors": [internal(fault)]}, 500)
    if request.method == "POST" and not getattr(request.state, "read_whole", False):
        answer.headers["Connection"] = "close"
        await _drain(request)
    return answer


def _refused(refusal: Refused) -> JSONResponse:
    status = _STATUS.get(refusal.problems[0].code, 400)
    return JSONResponse({"errors": [refused(refusal)]}, status)


def _format(request: Request) -> tuple[Format, bool]:
    """How the body is written, and whether it is compressed."""
    media_type, parameters = parse_media_type(request.headers.get("content-type", ""))
    form = FORMATS.get(media_type)
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if form is None or not is_utf8(parameters) or coding not in {"identity", "gzip"}:
        message = (
            "The body should be application/x-ndjson or text/csv in UTF-8, and Content-Type should say so;"
            " Content-Encoding may be gzip."
        )
        raise HttpRefused(415, body(message, Code.UNSUPPORTED_MEDIA_TYPE))
    return form, coding == "gzip"


async def _chunks(request: Request, most_bytes: int) -> AsyncIterator[bytes]:
    """The body as it arrives.

    Raises HttpRefused where it is too large or does not go on, ClientDisconnect where the caller goes.
    """
    chunks, received = request.stream(), 0
    while True:
        try:
            async with asyncio.timeout(CHUNK_SECONDS):
                chunk = await anext(chunks, None)
        except TimeoutError:
            message = f"The body did not go on within {CHUNK_SECONDS:.0f} seconds."
            raise HttpRefused(408, body(message, Code.REQUEST_TIMEOUT)) from None
        if chunk is None:
            request.state.read_whole = True
            return
        received += len(chunk)
        if received > most_bytes:
            raise HttpRefused(
                413, body(f"The file is too large: at most {most_bytes:,} bytes are taken.", Code.LIMIT_EXCEEDED)
            )
        if chunk:
            yield chunk


async def _drain(request: Request) -> None:
    """Reads on for a while, so that the caller, who still sends, gets to see the refusal."""
    length = 0
    try:
        async with asyncio.timeout(CHUNK_SECONDS):
            while length < DRAINED_BYTES:
                message = await request.receive()
                length += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return


async def _joined(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
