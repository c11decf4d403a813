"""Imports: what becomes of lines, by the rules of single mutations, and that the books add up afterwards."""

import pytest

from graph import accounts, groups
from graph.structure import locate
from services.checks import check_tenant
from services.findings import Report
from services.order_checks import OrderCheck
from tests.support.house import House
from tests.support.importing import imported, outcomes

pytestmark = pytest.mark.anyio


async def test_groups_accounts_settings_and_balances_are_imported(house: House) -> None:
    row = await imported(
        house,
        [
            {"id": "g1", "type": "group", "name": "Desk", "settings": {"limits.maxOrderValue": "5000"}},
            {"id": "g2", "type": "group", "name": "Sub", "parentId": "g1"},
            {"id": "a1", "type": "account", "name": "One", "parentId": "g2", "openingBalance": "125.50", "tier": "GEN"},
            {"id": "a2", "name": "Two", "settings": {"limits.maxPositionShare": 0.5}},
        ],
    )
    assert (row["state"], row["succeeded"], row["failed"], row["lines"]) == ("SUCCEEDED", 4, 0, 4), await outcomes(
        house, row
    )
    made = {line["id"]: line["node"] for line in await outcomes(house, row)}
    found = await accounts.find(house.desk.database, [made["a1"], made["a2"]])
    assert found[made["a1"]]["cash"] == 12550
    assert found[made["a2"]]["cash"] == 0
    places = await locate(house.desk.database, made.values())
    assert places[made["a1"]].path == (made["a1"], made["g2"], made["g1"], house.root)
    assert (await groups.find(house.desk.database, [made["g1"]]))[made["g1"]]["version"] == 2
    report = Report()
    await check_tenant(house.desk, house.root, report, OrderCheck(house.desk, report))
    assert report.clean, report.findings
