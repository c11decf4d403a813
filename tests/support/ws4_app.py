"""The market's (WS4's) HTTP face, and its control calls for tests."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import date
from typing import TypeAlias

from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Path
from starlette.types import ASGIApp, Receive, Scope, Send

from services.market.port import NotKnown, OrderReport, Quote
from tests.support.ws4_requests import EXECUTE, MARKET_DATA, Body, faults_of, order_of
from tests.support.ws4_venue import Fault, Route, Trade, Venue

TRADES = TypeAdapter(list[Trade])

_BEFORE: dict[Fault, tuple[int, Body]] = {
    Fault.ERROR_BEFORE: (500, {"detail": "it broke"}),
    Fault.BUSY: (429, {"detail": "too many orders"}),
    Fault.NO_LOOKUP: (501, {"detail": "orders cannot be looked up"}),
    Fault.FORGOTTEN: (404, {"detail": "no such order"}),
}
_LIES: dict[Fault, Body] = {
    Fault.OVERFILLED: {"status": "filled", "filled_quantity": "99999999", "avg_fill_price": "1"},
    Fault.OTHER_ORDER: {"order_id": "ord_of_somebody_else"},
    Fault.NO_PRICE: {"avg_fill_price": None},
    Fault.BEYOND_LIMIT: {"avg_fill_price": "99999"},
    Fault.FEE_BELOW_ZERO: {"commission": "-1.00"},
    Fault.ENDED_UNFILLED: {"status": "rejected"},
}


class Silence(Response):
    """No answer, until the caller goes away."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


class Drop(Silence):
    """The connection breaks without a byte of an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["transport"].abort()
        await super().__call__(scope, receive, send)


class Stalled(Silence):
    """An answer that begins and never ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _begin(send)
        await super().__call__(scope, receive, send)


class CutShort(Drop):
    """The connection breaks in the middle of an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _begin(send)
        await super().__call__(scope, receive, send)


async def _begin(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"500")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"order_id": "ord', "more_body": True})


def market_app(venue: Venue) -> ASGIApp:
    """The contract's calls on this venue, and those under /control that steer and read it."""
    app = Starlette(
        routes=[
            Path("/health", _faulty(venue, Route.HEALTH, _health)),
            Path("/market-data", _faulty(venue, Route.QUOTES, _quotes), methods=["POST"]),
            Path("/execute-trade", _faulty(venue, Route.EXECUTE, _execute), methods=["POST"]),
            Path("/orders/{name}", _faulty(venue, Route.ORDER, _order)),
            Path("/positions/{name}", _faulty(venue, Route.POSITIONS, _positions)),
            Path("/control/{act}", _control(venue), methods=["POST"]),
        ]
    )

    async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn gives an application no way to break a connection: its transport hangs on `send`.
        cycle = getattr(send, "__self__", None)
        await app({**scope, "transport": getattr(cycle, "transport", None)}, receive, send)

    return with_transport


Handler: TypeAlias = Callable[[Venue, Request, "Fault | None"], Awaitable[Response]]


def _faulty(venue: Venue, route: Route, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        name = request.path_params.get("name", "")
        if route is Route.EXECUTE:
            with suppress(KeyError, TypeError, ValueError):
                body = await request.json()
                name = body["trade_order"]["order_id"]
                venue.sent[name] += 1
                venue.accounts[name] = body["account_id"]
        fault = venue.next_fault(route, name)
        response = _before(fault) or _after(fault, await handler(venue, request, fault))
        if fault and venue.hear:
            venue.hear(route, name, fault)
        return response

    return answer


def _before(fault: Fault | None) -> Response | None:
    if fault and fault in _BEFORE:
        status, body = _BEFORE[fault]
        return JSONResponse(body, status)
    match fault:
        case Fault.SILENT_BEFORE:
            return Silence()
        case Fault.DROP_BEFORE:
            return Drop()
        case Fault.GARBAGE_BEFORE:
            return Response(b'{"order_id": ', media_type="application/json")
        case Fault.REDIRECT:
            return Response(status_code=307, headers={"Location": "/health"})
        case _:
            return None


def _after(fault: Fault | None, honest: Response) -> Response:
    match fault:
        case Fault.SILENT_AFTER | Fault.LATE:
            return Silence()
        case Fault.DROP_AFTER:
            return Drop()
        case Fault.CUT_SHORT:
            return CutShort()
        case Fault.STALLED:
            return Stalled()
        case Fault.ERROR_AFTER:
            return JSONResponse({"detail": "it broke"}, 500)
        case Fault.GARBAGE_AFTER:
            return Response(b"<html>all is well</html>", media_type="text/html")
        case _:
            return honest


async def _health(venue: Venue, request: Request, fault: Fault | None) -> Response:
    return JSONResponse({"status": "up"})


async def _quotes(venue: Venue, request: Request, fault: Fault | None) -> Response:
    body = await request.json()
    if wrong := faults_of(MARKET_DATA, body):
        return JSONResponse({"detail": wrong}, 422)
    quotes = await venue.broker.quotes(body["symbols"])
    return JSONResponse({"quotes": [_quote_body(quote) for quote in quotes.values()]})


async def _execute(venue: Venue, request: Request, fault: Fault | None) -> Response:
    body = await request.json()
    if wrong := faults_of(EXECUTE, body):
        return JSONResponse({"detail": wrong}, 422)
    order = order_of(body)
    if fault is Fault.LATE:
        venue.late[order.order_id] = order
        return Response()
    return _order_response(await venue.execute(order, fault), fault)


async def _order(venue: Venue, request: Request, fault: Fault | None) -> Response:
    if not venue.lookup:
        return JSONResponse({"detail": "orders cannot be looked up"}, 501)
    found = await venue.order(request.path_params["name"])
    if isinstance(found, OrderReport):
        return _order_response(found, fault)
    return JSONResponse(_not_known_body(venue, found), 404)


async def _positions(venue: Venue, request: Request, fault: Fault | None) -> Response:
    positions = await venue.broker.positions(request.path_params["name"])
    held = [{"symbol": symbol, "quantity": f"{quantity:f}"} for symbol, quantity in positions.items()]
    return JSONResponse({"positions": held})


def _not_known_body(venue: Venue, found: NotKnown) -> Body:
    body: Body = {"detail": "no such order"}
    return body if venue.caught_up is None else body | {"caught_up": found.final}


def _order_response(report: OrderReport, fault: Fault | None) -> Response:
    body: Body = {
        "order_id": report.order_id,
        "status": report.status.value,
        "filled_quantity": f"{report.filled_quantity:f}",
        "commission": f"{report.commission:f}",
    }
    if report.avg_fill_price is not None:
        body["avg_fill_price"] = f"{report.avg_fill_price:f}"
    if report.reason:
        body["reason"] = report.reason
    return JSONResponse(body | _lie(fault, report))


def _lie(fault: Fault | None, report: OrderReport) -> Body:
    if fault is Fault.ENDED_UNFILLED and not report.filled_quantity:
        return {}  # that it was rejected could be true of an order that has no fills
    return _LIES.get(fault, {}) if fault else {}


def _quote_body(quote: Quote) -> Body:
    return {
        "symbol": quote.symbol,
        "last": f"{quote.last:f}",
        "close": f"{quote.last:f}",
        "volume": 0,
        "halted": quote.halted,
        "timestamp": quote.at.isoformat(),
    }


def _control(venue: Venue) -> Callable[[Request], Awaitable[Response]]:
    async def act(request: Request) -> Response:
        return await _steer(venue, request.path_params["act"], await request.json())

    return act


async def _steer(venue: Venue, act: str, said: Body) -> Response:
    match act:
        case "plan":
            venue.plan(Route(said["route"]), map(Fault, said["faults"]))
        case "lookup":
            venue.lookup, venue.caught_up = said["lookup"], said["caught_up"]
        case "release":
            await venue.release()
        case "advance":
            await venue.broker.advance(date.fromisoformat(said["to"]))
        case "halt":
            await venue.broker.halt(said["symbol"])
        case "resume":
            await venue.broker.resume(said["symbol"])
        case "record":
            return JSONResponse({"trades": TRADES.dump_python(await venue.record(), mode="json"), "sent": venue.sent})
        case _:
            return JSONResponse({"detail": f"no such control: {act}"}, 404)
    return JSONResponse({})
