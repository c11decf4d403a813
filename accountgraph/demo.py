"""`accountgraph demo`: fills a running server with an organisation to look at, through the public API.

Each piece of work has an operation id that follows from its name, so that doing it again changes nothing.
"""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import click
import httpx

from accountgraph.application import PASSWORD_FILE
from accountgraph.data_folder import StartFailed
from accountgraph.settings import Settings

HOUSEHOLDS = 100
AT_ONCE = 8
WEEKS = 52
LAST_DAY = date(2022, 12, 28)
_TIERS = (("GEN", "AMD"), ("REV", "AAPL"), ("COM", "MSFT"))
_PROBLEM = "... on Problem { code message }"
_GROUP = f"mutation DemoGroup($input: CreateGroupInput!) {{ answer: createGroup(input: $input) {{ \
... on CreateGroupPayload {{ group {{ id }} }} {_PROBLEM} }} }}"
_ACCOUNT = f"mutation DemoAccount($input: CreateAccountInput!) {{ answer: createAccount(input: $input) {{ \
... on CreateAccountPayload {{ account {{ id }} }} {_PROBLEM} }} }}"
_CONFIGURE = f"mutation DemoSettings($input: ConfigureInput!) {{ answer: configure(input: $input) {{ \
... on ConfigurePayload {{ operation {{ id }} }} {_PROBLEM} }} }}"
_DEPOSIT = f"mutation DemoDeposit($input: DepositInput!) {{ answer: deposit(input: $input) {{ \
... on PostPayload {{ operation {{ id }} }} {_PROBLEM} }} }}"
_TRANSFER = f"mutation DemoTransfer($input: TransferInput!) {{ answer: transfer(input: $input) {{ \
... on PostPayload {{ operation {{ id }} }} {_PROBLEM} }} }}"
_ORDER = f"mutation DemoOrder($input: PlaceOrderInput!) {{ answer: placeOrder(input: $input) {{ \
... on PlaceOrderPayload {{ operation {{ id }} }} {_PROBLEM} }} }}"
_ADVANCE = f"mutation DemoDate($input: AdvanceMarketDateInput!) {{ answer: advanceMarketDate(input: $input) {{ \
__typename {_PROBLEM} }} }}"
_SIGN_IN = f"mutation DemoSignIn($input: SignInInput!) {{ answer: signIn(input: $input) {{ \
... on SignInPayload {{ accessToken }} {_PROBLEM} }} }}"


def run(settings: Settings, url: str, households: int = HOUSEHOLDS) -> int:
    """Fills the server at `url`; 0. Raises StartFailed where it does not answer or refuses the administrator."""
    try:
        asyncio.run(_run(settings, url, households))
    except httpx.HTTPError as error:
        raise StartFailed(f"no server answers at {url}; start it with make run ({type(error).__name__})") from error
    return 0


async def _run(settings: Settings, url: str, households: int) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        demo = _Demo(client)
        await demo.sign_in(settings.admin_username, _password(settings))
        await demo.fill(households)


def _password(settings: Settings) -> str:
    if settings.admin_password is not None:
        return settings.admin_password.get_secret_value()
    try:
        return (settings.data_dir / PASSWORD_FILE).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StartFailed("set ACCOUNTGRAPH_ADMIN_PASSWORD to the administrator's password") from error


class _Demo:
    """One filling of a server."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def sign_in(self, username: str, password: str) -> None:
        """Signs in for all that follows."""
        answer = await self._ask(_SIGN_IN, {"username": username, "password": password})
        self._client.headers["Authorization"] = f"Bearer {answer['accessToken']}"

    async def fill(self, households: int) -> None:
        """The organisation, its money, and what it trades."""
        root = await self._group("organisation", "Meadow Wealth (demo)", None)
        quiet = {"approval.order": False, "policy.entryDays": ["MON", "TUE", "WED", "THU", "FRI"]}
        await self._do(_CONFIGURE, "settings", id=root, settings=quiet)
        regions = [await self._group(f"region-{name}", name, root) for name in ("North", "East", "South", "West")]
        made = await asyncio.gather(*(self._household(regions, number) for number in range(households)))
        click.echo(f"{households} households with {households * len(_TIERS)} accounts, each with money in it")
        await self._year(made)

    async def _household(self, regions: list[str], number: int) -> list[str]:
        name = f"Household {number + 1:03}"
        group = await self._group(f"household-{number}", name, regions[number % len(regions)])
        accounts: list[str] = []
        for tier, _ in _TIERS:
            step = f"account-{number}-{tier}"
            answer = await self._do(_ACCOUNT, step, name=f"{name} {tier.title()}", tier=tier, parentId=group)
            accounts.append(answer["account"]["id"])
            amount = f"{20_000 + 500 * (number % 40)}.00"
            await self._do(_DEPOSIT, f"first-deposit-{step}", accountId=accounts[-1], amount=amount)
        together = {"kind": "COMPOSITE", "componentIds": accounts}
        await self._do(_ACCOUNT, f"composite-{number}", name=f"{name} together", parentId=group, **together)
        return accounts

    async def _year(self, households: list[list[str]]) -> None:
        """A week at a time as long as the market's date can move on, else everything on its present date."""
        day = await self._market_date()
        if day is None or day >= LAST_DAY:
            click.echo("The market stands on its last day, so all trades are of one date. For a year of them, begin")
            click.echo("with a fresh data folder: ACCOUNTGRAPH_MARKET_DATE=2021-12-29 make run")
        # Fewer households trade for fewer weeks, so that their money lasts.
        weeks = max(1, WEEKS * len(households) // HOUSEHOLDS)
        for week in range(weeks):
            await self._week(households, week)
            if day is not None and day < LAST_DAY:
                day = min(day + timedelta(days=7), LAST_DAY)
                await self._do(_ADVANCE, f"date-{day}", date=day.isoformat())
            if week % 13 == 12:
                click.echo(f"{week + 1} of {weeks} weeks")

    async def _week(self, households: list[list[str]], week: int) -> None:
        work: list[Any] = []
        for turn in range(2):
            number = (week * 2 + turn) % len(households)
            for (_, symbol), account in zip(_TIERS, households[number], strict=True):
                order = {"accountId": account, "symbol": symbol, "side": "BUY", "quantity": str(5 + week % 7)}
                work.append(self._do(_ORDER, f"order-{week}-{turn}-{symbol}", **order))
        gen, _, com = households[week % len(households)]
        work.append(self._do(_DEPOSIT, f"deposit-{week}", accountId=gen, amount="750.00"))
        await asyncio.gather(*work)
        await self._do(_TRANSFER, f"transfer-{week}", fromId=gen, toId=com, amount="250.00")

    async def _group(self, step: str, name: str, parent: str | None) -> str:
        place = {} if parent is None else {"parentId": parent}
        return (await self._do(_GROUP, step, name=name, **place))["group"]["id"]

    async def _market_date(self) -> date | None:
        answer = await self._client.post("/graphql", json={"query": "query DemoMarket { market { date embedded } }"})
        market = (answer.json().get("data") or {}).get("market") or {}
        return date.fromisoformat(market["date"]) if market.get("embedded") else None

    async def _do(self, document: str, step: str, **given: Any) -> Any:
        operation = str(uuid5(NAMESPACE_URL, f"accountgraph:demo:{step}"))
        async with self._slots:
            return await self._ask(document, {"operationId": operation, **given})

    async def _ask(self, document: str, given: dict[str, Any]) -> Any:
        answer = await self._client.post("/graphql", json={"query": document, "variables": {"input": given}})
        content = answer.json()
        answered = (content.get("data") or {}).get("answer")
        if content.get("errors") or answered is None or "code" in answered:
            told = answered if answered is not None else content.get("errors")
            raise StartFailed(f"the demo stopped: {told}")
        return answered
