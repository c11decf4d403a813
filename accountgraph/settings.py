"""What the environment sets. Each field is the variable ACCOUNTGRAPH_ and its name in capitals."""

import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "ACCOUNTGRAPH_"
TEST_PREFIX = "ACCOUNTGRAPH_TEST_"
"""What the product's own tests are told by; no setting begins so."""
BOLT_SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
FIRST_CLOSE, LAST_CLOSE = date(1990, 1, 2), date(2022, 12, 28)
"""The first and the last day of the shipped prices, which the embedded market can start on."""


class SettingsError(Exception):
    """A setting is wrong; its text is one plain line that names the variable and holds no secret."""


def _url(*schemes: str) -> AfterValidator:
    def check(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in schemes or not parts.hostname or parts.username or parts.password:
            raise ValueError("not such an address")
        _ = parts.port  # Raises ValueError where it is no port.
        return text.rstrip("/")

    return AfterValidator(check)


WebUrl = Annotated[str, _url("http", "https")]
BoltUrl = Annotated[str, _url(*BOLT_SCHEMES)]
MarketDate = Annotated[date, Field(ge=FIRST_CLOSE, le=LAST_CLOSE)]
Username = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._@-]{3,64}$")]
Password = Annotated[SecretStr, Field(min_length=12, max_length=128)]


class Settings(BaseSettings):
    """The application's settings. A field's description completes the sentence "the variable should be"."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, populate_by_name=True
    )

    host: str = Field("127.0.0.1", min_length=1, max_length=255, description="the address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="a port, 1 to 65535")
    public_url: WebUrl | None = Field(None, description="the http or https address that clients use")
    data_dir: Path = Field(Path("var"), description="a folder for the data")

    neo4j_uri: BoltUrl | None = Field(
        None, description="an address such as bolt://127.0.0.1:7687, without a name or password in it"
    )
    neo4j_username: str = Field("neo4j", min_length=1, max_length=128, description="a name of 1 to 128 characters")
    neo4j_password: SecretStr | None = Field(None, description="the password of the Neo4j user")
    neo4j_database: str = Field("neo4j", min_length=1, max_length=63, description="the name of a database")

    admin_username: Username = Field(
        "admin", description="3 to 64 letters, digits or . _ @ -, the first administrator's name"
    )
    admin_password: Password | None = Field(None, description="12 to 128 characters, for the first administrator")

    protocol_url: WebUrl | None = Field(None, description="the http or https address of WS2")
    market_url: WebUrl | None = Field(None, description="the http or https address of WS4")
    market_date: MarketDate | None = Field(None, description=f"a calendar date from {FIRST_CLOSE} to {LAST_CLOSE}")

    log_format: Literal["auto", "json", "console"] = Field("auto", description="auto, json or console")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="debug, info, warning or error")
    otlp_endpoint: WebUrl | None = Field(
        None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="the http or https address of an OpenTelemetry collector",
    )

    max_body_bytes: int = Field(262_144, ge=1_024, le=999_999, description="1,024 to 999,999 bytes")
    max_depth: int = Field(50, ge=1, le=150, description="1 to 150 levels")
    max_aliases: int = Field(250, ge=0, le=999, description="0 to 999 aliases")
    max_nodes: int = Field(25_000, ge=1, le=1_000_000, description="1 to 1,000,000 nodes")
    max_answer_bytes: int = Field(
        33_554_432, ge=1_048_576, le=1_073_741_824, description="1,048,576 to 1,073,741,824 bytes"
    )
    kept_answer_bytes: int = Field(16_777_216, ge=0, le=1_073_741_824, description="0 to 1,073,741,824 bytes")
    max_running: int = Field(80, ge=1, le=10_000, description="1 to 10,000 requests at once")
    max_waiting: int = Field(512, ge=0, le=100_000, description="0 to 100,000 requests that wait")
    read_seconds: float = Field(30.0, gt=0, le=600, description="the longest time of a read, up to 600 seconds")

    @model_validator(mode="after")
    def _neo4j_has_a_password(self) -> "Settings":
        if self.neo4j_uri and not (self.neo4j_password and self.neo4j_password.get_secret_value()):
            raise ValueError(f"{PREFIX}NEO4J_PASSWORD is needed where {PREFIX}NEO4J_URI is set")
        return self

    @property
    def base_url(self) -> str:
        """The address that clients use, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"


def load(**given: Any) -> Settings:
    """The settings of the environment, with those `given` by field name in their place.

    Raises SettingsError for a wrong value and for a variable with our prefix that is no setting.
    """
    _refuse_unknown(os.environ)
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(_line(cast("dict[str, Any]", each)) for each in error.errors())) from None


def variable(field: str) -> str:
    """The environment variable that sets this field."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else PREFIX + field.upper()


def _refuse_unknown(names: Iterable[str]) -> None:
    known = {variable(field) for field in Settings.model_fields}
    unknown = sorted(name for name in names if _is_unknown(name.upper(), known))
    if unknown:
        raise SettingsError(f"{', '.join(unknown)}: there is no such setting; see accountgraph serve --help")


def _is_unknown(name: str, known: set[str]) -> bool:
    return name.startswith(PREFIX) and not name.startswith(TEST_PREFIX) and name not in known


def _line(error: dict[str, Any]) -> str:
    if not error["loc"]:
        return str(error["ctx"]["error"])
    named = str(error["loc"][0])
    field = next((name for name in Settings.model_fields if named in {name, variable(name)}), named)
    shown = _shown(field, error["input"])
    return f"{variable(field)} should be {Settings.model_fields[field].description}{shown}"


def _shown(field: str, value: Any) -> str:
    # An address may carry a password, and so may whatever was meant to be one.
    is_secret = "Secret" in str(Settings.model_fields[field].annotation) or "@" in str(value)
    return "; its value is not shown" if is_secret else f", not {str(value)[:100]!r}"
