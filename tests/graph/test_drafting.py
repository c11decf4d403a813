"""Drafts: what commands of an import make can be read at once, and is in the graph only once it is written."""

from typing import Any

import pytest

from graph import accounts, groups, settings
from graph.database import Row
from graph.drafting import Draft
from graph.ids import Kind, new_id
from graph.sketch import Sketch
from graph.structure import Located, locate
from services.accounts import new_account
from tests.support.house import House

pytestmark = pytest.mark.anyio
AT = "2026-01-01T00:00:00.000000Z"


def a_group(root: str, **given: Any) -> Row:
    properties = {"id": new_id(Kind.GROUP), "root": root, "name": "New", "version": 1, "createdAt": AT}
    return {**properties, "updatedAt": AT, "settings": "{}", "locks": [], **given}


async def make(draft: Draft, root: str, parent: str) -> tuple[str, str]:
    """A group below the parent and an account in it, made in the draft; their ids."""
    group = a_group(root, settings='{"fork.maxPerDay":{"at":"","value":2}}', locks=["fork.maxPerDay"])
    await groups.create(draft, group, parent, "")
    account = new_account(new_id(Kind.ACCOUNT), root, AT, name="x", kind="INDIVIDUAL", currency="USD")
    await accounts.create(draft, account, group["id"], "")
    return group["id"], account["id"]


async def test_a_trial_tells_what_it_made_and_writes_nothing(house: House) -> None:
    sketch = Sketch(house.desk.database)
    draft = Draft(sketch)
    draft.begin()
    group, account = await make(draft, house.root, house.root)
    draft.keep()
    places = await locate(draft, [account, group, house.root])
    assert places[account] == Located(account, Kind.ACCOUNT, house.root, (account, group, house.root))
    assert (await settings.of_groups(draft, [group]))[group]["locks"] == ["fork.maxPerDay"]
    assert (await accounts.find(draft, [account]))[account]["cash"] == 0
    later = Draft(sketch)
    assert list(await locate(later, [group, account])) == [group]
    _, below = await make(later, house.root, group)
    assert (await locate(later, [below]))[below].path[2:] == (group, house.root)
    assert await locate(house.desk.database, [group, account, below]) == {}


async def test_what_is_forgotten_was_never_there(house: House) -> None:
    sketch = Sketch(house.desk.database)
    draft = Draft(sketch)
    draft.begin()
    group, account = await make(draft, house.root, house.root)
    draft.forget()
    assert await locate(draft, [group, account]) == {}
    assert len(sketch) == 0
    with pytest.raises(AssertionError, match="nothing"):
        await draft.write()


async def test_what_is_kept_is_written_at_once(house: House) -> None:
    async def work(transaction: Any) -> tuple[str, str]:
        draft = Draft(Sketch(transaction), transaction)
        draft.begin()
        made = await make(draft, house.root, house.root)
        draft.keep()
        draft.begin()
        await make(draft, house.root, made[0])
        draft.forget()
        assert await draft.write()
        assert not await draft.write()
        return made

    group, account = await house.desk.database.write(work, queue=house.root)
    places = await locate(house.desk.database, [account])
    assert places[account].path == (account, group, house.root)
    found = (await groups.find(house.desk.database, [group]))[group]
    assert (found["locks"], found["name"]) == (["fork.maxPerDay"], "New")
