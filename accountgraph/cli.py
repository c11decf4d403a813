"""The command line. Each command's work is in a module of its own, imported when the command runs."""

import asyncio
import os
import sys
import traceback
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from accountgraph.settings import Settings

EXIT_CODES = """
\b
Exit codes:
  0  all is well
  1  a check failed: check, doctor, schema --check
  2  a wrong command, option or setting
  3  something that is needed is missing: the engine, the port, the data folder
  70  a fault in this program
  130  interrupted
"""


class Status(IntEnum):
    """The statuses that the process ends with."""

    OK = 0
    CHECK_FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    FAULT = 70
    INTERRUPTED = 130


def main() -> NoReturn:
    """Runs the command line of this process."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """The exit status of a command. A failure is one plain line on stderr."""
    try:
        status = accountgraph.main(arguments, prog_name="accountgraph", standalone_mode=False)
        return status if isinstance(status, int) else Status.OK
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as wrong:
        wrong.show()
        return Status.USAGE
    except (click.Abort, KeyboardInterrupt):
        return Status.INTERRUPTED
    except Exception as fault:
        return _tell(fault)


def _tell(fault: Exception) -> int:
    from accountgraph.data_folder import StartFailed
    from accountgraph.settings import SettingsError
    from graph.errors import GraphError

    if isinstance(fault, SettingsError):
        status, text = Status.USAGE, str(fault)
    elif isinstance(fault, StartFailed):
        status, text = Status.UNAVAILABLE, str(fault)
    elif isinstance(fault, GraphError):
        status, text = Status.UNAVAILABLE, f"the graph engine does not answer: {fault}"
    else:
        status, text = Status.FAULT, f"a fault in this program: {type(fault).__name__}: {fault}"
        if os.environ.get("ACCOUNTGRAPH_LOG_LEVEL") == "debug":
            traceback.print_exception(fault)
    line = " ".join(text.split())
    click.echo(f"accountgraph: {line}", err=True)
    return status


def _settings(**given: Any) -> "Settings":
    from accountgraph.settings import load

    return load(**given)


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def accountgraph() -> None:
    """A GraphQL API over a graph of accounts.

    \b
    First steps:
      accountgraph doctor   looks whether this machine can run it
      accountgraph serve    starts it; the first start prints the administrator's password
      accountgraph demo     fills a running server with an organisation to look at

    Settings are environment variables that begin with ACCOUNTGRAPH_; `accountgraph serve --help` lists them.
    """


def _settings_help() -> str:
    # click formats help only where it is asked for, so the settings are imported only then.
    from accountgraph.settings import Settings, variable

    lines = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f" [{field.default}]"
        lines.append(f"  {variable(name)}{default}\n      {field.description}")
    return "\n".join(["Settings, with their defaults:", *lines])


class _WithSettings(click.Command):
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        formatter.write(_settings_help() + "\n")


@accountgraph.command(cls=_WithSettings)
@click.option("--host", help="Listen on this address, whatever ACCOUNTGRAPH_HOST says.")
@click.option("--port", type=int, help="Listen on this port, whatever ACCOUNTGRAPH_PORT says.")
@click.option("--data-dir", type=Path, help="Keep the data in this folder, whatever ACCOUNTGRAPH_DATA_DIR says.")
def serve(host: str | None, port: int | None, data_dir: Path | None) -> int:
    """Starts the server, and the embedded engine where no Neo4j is set. Ctrl-C stops both.

    The first start applies the migrations, makes the administrator and prints the password once. A second server on
    the same data folder, a taken port, or data of a newer version stops the start with one line.
    """
    given = {"host": host, "port": port, "data_dir": data_dir}
    settings = _settings(**{name: value for name, value in given.items() if value is not None})
    from accountgraph.serve import run as run_server

    return run_server(settings)


@accountgraph.command()
def migrate() -> int:
    """Brings the data to this version, without serving.

    Doing it again changes nothing.
    """
    settings = _settings()
    from accountgraph.migrate import run as run_migrations

    return run_migrations(settings)


@accountgraph.command()
@click.option("--url", help="The server's address; by default that of the settings.")
def demo(url: str | None) -> int:
    """Fills a running server with an organisation to look at.

    About 300 accounts, with a year of deposits, transfers and orders, are made through the public API. Progress is
    shown. Doing it again changes nothing.
    """
    settings = _settings()
    from accountgraph.demo import run as run_demo

    return run_demo(settings, url or settings.base_url)


@accountgraph.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--group", required=True, help="The id of the group that it is imported into.")
@click.option("--dry-run", is_flag=True, help="Check every line, and import none.")
@click.option("--skip-invalid", is_flag=True, help="Import the other lines where some have problems.")
@click.option(
    "--outcomes", type=click.Path(dir_okay=False, path_type=Path), help="Keep what became of each line there."
)
@click.option("--username", help="Who imports; by default the administrator of the settings.")
@click.option("--password", envvar="ACCOUNTGRAPH_IMPORT_PASSWORD", help="Better set ACCOUNTGRAPH_IMPORT_PASSWORD.")
@click.option("--url", help="The server's address; by default that of the settings.")
def import_(file: Path, username: str | None, password: str | None, url: str | None, **given: Any) -> int:
    """Imports groups, accounts, settings and opening balances from FILE into a running server.

    FILE is .jsonl or .csv, and may be compressed (.gz). Every line is checked before the first one takes effect. An
    import goes on by itself where this command is stopped. Exit 1 where a line has a problem.
    """
    settings = _settings()
    from accountgraph.import_client import Asked, password_of
    from accountgraph.import_client import run as run_import

    who = username or settings.admin_username
    asked = Asked(file=file, username=who, password=password_of(settings, who, password), **given)
    return Status.OK if run_import(url or settings.base_url, asked) else Status.CHECK_FAILED


@accountgraph.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
@click.option(
    "--check",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare with this file: exit 1 where it is stale, or where a deprecation lacks a date or a reason.",
)
@click.option(
    "--breaking-since",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare with the older schema in this file: exit 1 where a change breaks clients.",
)
def schema(output: Path | None, check: Path | None, breaking_since: Path | None) -> int:
    """Prints the GraphQL schema, or checks it."""
    from accountgraph import sdl

    current = sdl.current_sdl()
    complaints: list[str] = []
    if check:
        if check.read_text(encoding="utf-8") != current:
            complaints.append(f"{check} is stale; `accountgraph schema --output {check}` writes it anew")
        poor = sdl.poor_deprecations(current)
        complaints += [f"the deprecation of {each} lacks a date or a reason" for each in poor]
    if breaking_since:
        complaints += sdl.breaking_changes(breaking_since.read_text(encoding="utf-8"), current)
    if output:
        output.write_text(current, encoding="utf-8")
    elif not (check or breaking_since):
        click.echo(current, nl=False)
    for complaint in complaints:
        click.echo(complaint, err=True)
    return Status.CHECK_FAILED if complaints else Status.OK


@accountgraph.command()
def check() -> int:
    """Proves that the books add up.

    In each currency everything sums to zero, every balance equals its postings and every position its lots, and the
    orders are those of the market. Changes nothing, and works while a server runs.
    Exit 1 where something does not add up.
    """
    settings = _settings()
    from accountgraph.checks import run as run_checks

    return run_checks(settings)


@accountgraph.group()
def admin() -> None:
    """The installation's administrator."""


@admin.command("reset-password")
@click.argument("username", default="admin")
def reset_password(username: str) -> int:
    """Gives USERNAME a new password, prints it once, and ends that user's sessions."""
    settings = _settings()
    from accountgraph.admin import reset_password as reset

    return reset(settings, username)


@accountgraph.command()
def doctor() -> int:
    """Looks whether this machine can run the server.

    Python, the disk, the port, the settings, the engine, WS2 and WS4. Run it before the first start, or where a
    start fails. Exit 1 where something is wrong.
    """
    from accountgraph.doctor import look
    from accountgraph.settings import load

    findings = asyncio.run(look(load))
    for finding in findings:
        click.echo(str(finding))
    return Status.OK if all(finding.well for finding in findings) else Status.CHECK_FAILED


@accountgraph.command()
def version() -> int:
    """Prints the version."""
    from accountgraph.version import VERSION

    click.echo(f"accountgraph {VERSION}")
    return Status.OK


if __name__ == "__main__":
    main()
