"""Settings come from the environment; a wrong one is told in one line that names it and holds no secret."""

from datetime import date
from pathlib import Path

import pytest

from accountgraph.settings import Settings, SettingsError, load, variable
from services.market.prices import shipped_prices

SECRET = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def test_the_defaults_need_no_environment() -> None:
    settings = load()
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8000, Path("var"))
    assert settings.neo4j_uri is None
    assert settings.admin_password is None
    assert settings.base_url == "http://127.0.0.1:8000"


def test_the_environment_sets_every_kind_of_value(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PORT": "9000",
        "PUBLIC_URL": "https://accounts.example/",
        "NEO4J_URI": "neo4j+s://graph.example:7687",
        "NEO4J_PASSWORD": SECRET,
        "MARKET_DATE": "2021-06-30",
    }.items():
        monkeypatch.setenv(f"ACCOUNTGRAPH_{name}", value)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318/")
    settings = load()
    assert settings.port == 9000
    assert settings.base_url == "https://accounts.example"
    assert settings.market_date == date(2021, 6, 30)
    assert settings.otlp_endpoint == "http://127.0.0.1:4318"
    assert settings.neo4j_password is not None
    assert settings.neo4j_password.get_secret_value() == SECRET
    assert SECRET not in repr(settings)


def test_what_is_given_stands_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCOUNTGRAPH_PORT", "9000")
    assert load(port=9001).port == 9001


def test_an_empty_value_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCOUNTGRAPH_MARKET_URL", "")
    assert load().market_url is None


def test_an_address_of_version_6_stands_in_brackets() -> None:
    assert load(host="::1").base_url == "http://[::1]:8000"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PUBLIC_URL", "accounts.example"),
        ("NEO4J_URI", "http://127.0.0.1:7474"),
        ("NEO4J_URI", "bolt://127.0.0.1:99999"),
        ("ADMIN_USERNAME", "a b"),
        ("ADMIN_USERNAME", "ab"),
        ("PROTOCOL_URL", "ftp://127.0.0.1"),
        ("MARKET_URL", "http://"),
        ("MARKET_DATE", "2022-13-01"),
        ("MARKET_DATE", "1980-01-01"),
        ("MARKET_DATE", "1990-01-01"),
        ("MARKET_DATE", "2022-12-29"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
        ("MAX_BODY_BYTES", "1000000"),
        ("READ_SECONDS", "-1"),
    ],
)
def test_a_wrong_value_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"ACCOUNTGRAPH_{name}", value)
    with pytest.raises(SettingsError) as refusal:
        load()
    line = str(refusal.value)
    assert line.startswith(f"ACCOUNTGRAPH_{name} should be ")
    assert repr(value) in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADMIN_PASSWORD", "short-one"),
        ("NEO4J_URI", f"bolt://neo4j:{SECRET}@127.0.0.1"),
        ("MARKET_URL", f"https://user:{SECRET}@market.example"),
    ],
)
def test_a_wrong_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"ACCOUNTGRAPH_{name}", value)
    with pytest.raises(SettingsError) as refusal:
        load()
    assert f"ACCOUNTGRAPH_{name} should be " in str(refusal.value)
    assert SECRET not in str(refusal.value)
    assert value not in str(refusal.value)


def test_every_wrong_value_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCOUNTGRAPH_PORT", "abc")
    monkeypatch.setenv("ACCOUNTGRAPH_LOG_LEVEL", "loud")
    with pytest.raises(SettingsError, match=r"(?s)ACCOUNTGRAPH_PORT .*ACCOUNTGRAPH_LOG_LEVEL "):
        load()


@pytest.mark.parametrize("name", ["NEO4J_URL", "WORKFLOW_DATABASE_URL"])
def test_a_name_that_is_no_setting_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"ACCOUNTGRAPH_{name}", "bolt://127.0.0.1:7687")
    with pytest.raises(SettingsError, match=rf"^ACCOUNTGRAPH_{name}: there is no such setting"):
        load()


def test_the_market_starts_on_any_day_of_its_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    prices = shipped_prices()
    for day in (prices.first_day, prices.last_day):
        monkeypatch.setenv("ACCOUNTGRAPH_MARKET_DATE", day.isoformat())
        assert load().market_date == day


def test_a_neo4j_needs_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCOUNTGRAPH_NEO4J_URI", "bolt://127.0.0.1:7687")
    with pytest.raises(SettingsError, match=r"^ACCOUNTGRAPH_NEO4J_PASSWORD is needed"):
        load()


def test_every_setting_says_what_it_should_be() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
