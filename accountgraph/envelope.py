"""What every answer has, whatever it is about: a request id, and headers that keep browsers careful."""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from ulid import ULID

from accountgraph import logs

REQUEST_ID = b"x-request-id"
_SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]


class Envelope:
    """ASGI middleware around the whole application. A header that an answer sets itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request_id = _request_id(next((value for name, value in scope["headers"] if name == REQUEST_ID), b""))
        scope.setdefault("state", {})["request_id"] = request_id
        logs.clear()
        logs.bind(request_id=request_id)

        async def send_with_headers(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.accept"}:
                own = [header for header in message.get("headers", ()) if header[0].lower() != REQUEST_ID]
                named = {name.lower() for name, _ in own}
                added = [header for header in _RAW_HEADERS if header[0] not in named]
                message["headers"] = [*own, (REQUEST_ID, request_id.encode()), *added]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _request_id(given: bytes) -> str:
    return given.decode() if _SANE_ID.fullmatch(given) else str(ULID())
