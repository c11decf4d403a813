"""`accountgraph demo`: fills a running server with an organisation to look at, through the public API.

Doing it again changes nothing: each step has an operation id that follows from its name, and the plan of the year is
kept with the organisation, so that an interrupted demo goes on where it stopped.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import click
import httpx

from accountgraph.application import PASSWORD_FILE
from accountgraph.data_folder import StartFailed
from accountgraph.demo_client import AT_ONCE, MOST_SECONDS, Client
from accountgraph.settings import Settings

HOUSEHOLDS = 100
WEEKS = 52
ORDERS_WAITING = 4
LAST_DAY = date(2022, 12, 28)
"""The last day of the embedded market's prices."""
WEDNESDAY, THURSDAY = 2, 3
PLAN = "custom.demo"
TRADER = "demo.trader"
REGIONS = ("North", "East", "South", "West")
ADVISERS = ("Adams", "Brandt", "Costa", "Diallo", "Evans", "Fischer", "Greco", "Hansen")
TIERS = ("GEN", "REV", "COM")
SYMBOLS = {"GEN": ("AMD", "AAPL"), "REV": ("AAPL", "MSFT"), "COM": ("MSFT", "AAPL")}
TEMPLATES: dict[str, dict[str, Any]] = {
    "GEN": {"limits.maxOrderValue": "15000", "limits.minCashShare": 0.05, "custom.style": "income"},
    "REV": {"limits.maxOrderValue": "10000", "limits.minCashShare": 0.1, "custom.style": "growth"},
    "COM": {"limits.maxOrderValue": "8000", "limits.minCashShare": 0.1, "custom.style": "compounding"},
}
FOR_A_YEAR = "ACCOUNTGRAPH_MARKET_DATE=2021-12-28 make run"


@dataclass(frozen=True, slots=True)
class Household:
    """A household's number, its region, and its account of each tier."""

    number: int
    region: str
    accounts: dict[str, str]


def run(settings: Settings, url: str, households: int = HOUSEHOLDS) -> int:
    """Fills the server at `url`; 0. Raises StartFailed where it does not answer or refuses."""
    try:
        asyncio.run(_run(settings, url, households))
    except httpx.HTTPError as error:
        raise StartFailed(f"no server answers at {url}; start it with make run ({type(error).__name__})") from error
    return 0


async def _run(settings: Settings, url: str, households: int) -> None:
    password = _password(settings)
    async with httpx.AsyncClient(base_url=url, timeout=MOST_SECONDS, trust_env=False) as http:
        client = await Client(http, asyncio.Semaphore(AT_ONCE)).sign_in(settings.admin_username, password)
        market = await client.market()
        root = await _group(client, "organisation", "Meadow Wealth (demo)", None)
        made = await _organisation(client, root, households)
        click.echo(f"{households} households with {households * len(TIERS)} accounts, each with money in it")
        await _trade(client, root, market, [each for each in made if each.region != REGIONS[-1]])
        await _wait(client, [each for each in made if each.region == REGIONS[-1]], password)
    click.echo(f"Done: {url}/ shows where to look.")


def _password(settings: Settings) -> str:
    if settings.admin_password is not None:
        return settings.admin_password.get_secret_value()
    try:
        return (settings.data_dir / PASSWORD_FILE).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StartFailed("set ACCOUNTGRAPH_ADMIN_PASSWORD to the administrator's password") from error


async def _organisation(client: Client, root: str, households: int) -> list[Household]:
    """Regions with advisers, and households below each adviser."""
    await client.do("configure", "trust", id=root, settings={"approval.order": False})
    templates = await _templates(client, root)
    regions = [await _group(client, f"region-{name}", name, root) for name in REGIONS]
    careful = {"approval.order": True, "approval.orderExpiryMinutes": 7 * 24 * 60}
    await client.do("configure", "careful", id=regions[-1], settings=careful)
    advisers = [
        await _group(client, f"adviser-{name}", f"{name}, adviser", regions[place % len(regions)])
        for place, name in enumerate(ADVISERS)
    ]
    work = (_household(client, advisers[number % len(advisers)], number, templates) for number in range(households))
    return await asyncio.gather(*work)


async def _templates(client: Client, root: str) -> dict[str, str]:
    made: dict[str, str] = {}
    for tier, settings in TEMPLATES.items():
        named = {"parentId": root, "name": f"{tier.title()} accounts", "settings": settings}
        made[tier] = (await client.do("createTemplate", f"template-{tier}", **named))["template"]["id"]
    return made


async def _household(client: Client, adviser: str, number: int, templates: dict[str, str]) -> Household:
    name = f"Household {number + 1:03}"
    group = await _group(client, f"household-{number}", name, adviser)
    accounts: dict[str, str] = {}
    for tier in TIERS:
        step = f"account-{number}-{tier}"
        shown = {"name": f"{name} {tier.title()}", "tier": tier, "templateId": templates[tier]}
        made = await client.do("createAccount", step, parentId=group, metadata={"household": number + 1}, **shown)
        accounts[tier] = made["account"]["id"]
        amount = f"{20_000 + 500 * (number % 40)}.00"
        await client.do("deposit", f"first-{step}", accountId=accounts[tier], amount=amount, note="First funding")
    if number % 4 == 0:
        together = {"kind": "COMPOSITE", "componentIds": list(accounts.values())}
        await client.do("createAccount", f"composite-{number}", name=f"{name} together", parentId=group, **together)
    return Household(number, REGIONS[number % len(REGIONS)], accounts)


async def _group(client: Client, step: str, name: str, parent: str | None) -> str:
    place = {} if parent is None else {"parentId": parent}
    return (await client.do("createGroup", step, name=name, **place))["group"]["id"]


async def _trade(client: Client, root: str, market: dict[str, Any], households: list[Household]) -> None:
    """A year, a week at a time, as far as the market's date can move on; else everything on its present date."""
    plan = await _plan(client, root, market)
    if plan["weeks"] == 0:
        click.echo(
            f"The market's date stays, so all trades are of one day. For a year, on a fresh folder: {FOR_A_YEAR}"
        )
    first, today = date.fromisoformat(plan["from"]), date.fromisoformat(market["date"])
    monday = first - timedelta(days=first.weekday())
    weeks = plan["weeks"] or WEEKS
    for week in range(weeks):
        if plan["weeks"]:
            monday += timedelta(days=7)
        for weekday, tiers in ((WEDNESDAY, TIERS[1:]), (THURSDAY, TIERS[:1])):
            day = monday + timedelta(days=weekday)
            if plan["weeks"] and today < day:
                await client.do("advanceMarketDate", f"date-{day}", date=day.isoformat())
                today = day
            await asyncio.gather(*_orders(client, households, week, tiers))
        await _cash(client, households, week)
        if week % 13 == 12 or week + 1 == weeks:
            click.echo(f"{week + 1} of {weeks} weeks of orders and transfers")


async def _plan(client: Client, root: str, market: dict[str, Any]) -> dict[str, Any]:
    """From which date on, and for how many weeks the market's date moves, as the first demo found it."""
    plan = await client.setting(root, PLAN)
    if plan is None:
        first = date.fromisoformat(market["date"])
        # The last week's Thursday, on which the demo still trades, has a price too.
        left = (LAST_DAY - first + timedelta(days=first.weekday() - THURSDAY)).days // 7
        plan = {"from": market["date"], "weeks": min(WEEKS, max(0, left)) if market["embedded"] else 0}
        settings: dict[str, Any] = {PLAN: plan}
        if plan["weeks"] == 0:
            # Everything falls on one day, whichever day of the week it is.
            settings["policy.entryDays"] = ["MON", "TUE", "WED", "THU", "FRI"]
        await client.do("configure", "plan", id=root, settings=settings)
    return plan


def _orders(
    client: Client, households: list[Household], week: int, tiers: tuple[str, ...]
) -> list[Coroutine[Any, Any, Any]]:
    """Two households' orders of a week: each buys, and sells a part of it when its turn comes again."""
    work: list[Coroutine[Any, Any, Any]] = []
    for turn in range(2 * week, 2 * week + 2):
        round_, place = divmod(turn, max(1, len(households)))
        for tier in tiers if households else ():
            buys = round_ % 2 == 0
            order = {
                "accountId": households[place].accounts[tier],
                "symbol": SYMBOLS[tier][round_ // 2 % 2],
                "side": "BUY" if buys else "SELL",
                "quantity": "6" if buys else "4",
            }
            work.append(client.do("placeOrder", f"order-{turn}-{tier}", **order))
    return work


async def _cash(client: Client, households: list[Household], week: int) -> None:
    """A deposit each week; each month a transfer in every tenth household."""
    if not households:
        return
    gen = households[week % len(households)].accounts["GEN"]
    await client.do("deposit", f"deposit-{week}", accountId=gen, amount="750.00", note="Savings")
    if week % 4 == 3:
        await asyncio.gather(
            *(
                client.do(
                    "transfer",
                    f"transfer-{week}-{each.number}",
                    fromId=each.accounts["GEN"],
                    toId=each.accounts["COM"],
                    amount="250.00",
                    note="Monthly",
                )
                for each in households[::10]
            )
        )


async def _wait(client: Client, households: list[Household], password: str) -> None:
    """A few orders of a user of the demo's own, which the administrator can decide."""
    own = hmac.new(password.encode(), b"accountgraph demo", hashlib.sha256).hexdigest()
    if not households or not await client.do_unless_done("createUser", "trader", username=TRADER, password=own):
        return
    for each in households[:ORDERS_WAITING]:
        step = f"grant-{each.number}"
        await client.do("grant", step, username=TRADER, nodeId=each.accounts["COM"], role="OPERATOR")
    trader = await client.another().sign_in(TRADER, own, client.installation)
    for each in households[:ORDERS_WAITING]:
        order = {"accountId": each.accounts["COM"], "symbol": "AAPL", "side": "BUY", "quantity": "5"}
        await trader.do("placeOrder", f"waiting-{each.number}", **order)
    click.echo(f"Orders of {TRADER} that wait for a decision: {len(households[:ORDERS_WAITING])}")
