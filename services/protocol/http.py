"""WS2 over HTTP: one time budget for each call, bounded answers and connections, and errors of one type."""

import asyncio
import ssl
from collections.abc import Mapping
from datetime import date, datetime
from http import HTTPStatus
from typing import Final

import httpx
import structlog
from typing_extensions import override

from graph.clock import to_text
from services.protocol.port import Json, ProtocolPort, Question
from services.protocol.verdict import ProtocolUnavailable, Verdict
from services.protocol.weeks import Week
from services.protocol.wire import read_review, read_verdict, read_week

BUDGET_SECONDS: Final = 2.0
MAX_BODY_BYTES: Final = 256 * 1024
MAX_CONNECTIONS: Final = 32
KEEPALIVE_SECONDS: Final = 15.0

_log = structlog.get_logger()


class HttpProtocol(ProtocolPort):
    """The engine at a base URL. `budget` is the seconds that one call may take in all, its retry included.

    Raises ValueError where the URL is not one of http or https with a host.
    """

    def __init__(self, url: str, budget: float = BUDGET_SECONDS) -> None:
        self._budget = budget
        self._client = httpx.AsyncClient(
            base_url=_checked(url),
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "accountgraph"},
            timeout=budget,
            limits=httpx.Limits(
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=MAX_CONNECTIONS,
                keepalive_expiry=KEEPALIVE_SECONDS,
            ),
            follow_redirects=False,
            trust_env=False,
            verify=ssl.create_default_context(),
        )

    @override
    async def validate(self, question: Question) -> Verdict:
        body = {
            "account_id": question.account_id,
            "timestamp": to_text(question.at),
            "trade_data": {**question.facts, "operation": question.operation.value},
        }
        # A question changes nothing, so asking it twice is safe.
        return read_verdict(await self._call("POST", "/validate-protocol", body, attempts=2))

    @override
    async def classify_week(self, day: date) -> Week:
        return read_week(await self._call("GET", f"/week-classification/{day.isoformat()}", None, attempts=2))

    @override
    async def request_review(self, account_id: str, reason: str, data: Mapping[str, Json], at: datetime) -> str:
        body = {"account_id": account_id, "reason": reason, "data": dict(data), "timestamp": to_text(at)}
        # Never sent twice: each arrival may ask a person.
        return read_review(await self._call("POST", "/hitl-review", body, attempts=1))

    @override
    async def healthy(self) -> bool:
        try:
            await self._call("GET", "/health", None, attempts=1)
        except ProtocolUnavailable:
            return False
        return True

    @override
    async def aclose(self) -> None:
        await self._client.aclose()

    async def _call(self, method: str, path: str, body: Mapping[str, Json] | None, *, attempts: int) -> bytes:
        try:
            async with asyncio.timeout(self._budget):
                return await self._attempt(method, path, body, attempts)
        except (TimeoutError, httpx.HTTPError) as fault:
            _log.warning("protocol_unavailable", method=method, path=path, fault=type(fault).__name__)
            raise ProtocolUnavailable("The protocol engine does not answer; nothing was done.") from fault

    async def _attempt(self, method: str, path: str, body: Mapping[str, Json] | None, attempts: int) -> bytes:
        if self._client.is_closed:
            raise ProtocolUnavailable("The connection to the protocol engine is closed.")
        try:
            async with self._client.stream(method, path, json=body) as response:
                return await _answer(response)
        except httpx.TransportError:
            if attempts <= 1:
                raise
        return await self._attempt(method, path, body, attempts - 1)


async def _answer(response: httpx.Response) -> bytes:
    if response.status_code != HTTPStatus.OK:
        raise ProtocolUnavailable(f"The protocol engine answered with status {response.status_code}.")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise ProtocolUnavailable("The protocol engine's answer is too long; nothing was done.")
    return bytes(body)


def _checked(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as fault:
        raise ValueError("the protocol engine's address must be an http or https URL") from fault
    if parsed.scheme not in {"http", "https"} or not parsed.host or parsed.query or parsed.fragment:
        raise ValueError("the protocol engine's address must be an http or https URL with a host and no query")
    return parsed
