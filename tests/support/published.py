"""What this version's published schemas promised, from the history of a checkout."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

from accountgraph.sdl import breaking_changes


def broken_promises(checkout: Path, current: str) -> list[str]:
    """Each change that breaks clients, from a schema that was published under the present version to the current one.

    A version is published in the commits whose CHANGELOG.md has a heading with it and a date.
    """
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    schemas = set(published(checkout, project["project"]["version"])) - {current}
    return sorted({change for schema in schemas for change in breaking_changes(schema, current)})


def published(checkout: Path, version: str) -> Iterator[str]:
    """The schemas of the commits in which this version is published."""
    heading = re.compile(rf"^## \[?{re.escape(version)}\]? - \d{{4}}-\d\d-\d\d", re.MULTILINE)
    for commit in git(checkout, "log", "--format=%H", "--", "schema.graphql", "CHANGELOG.md").split():
        if heading.search(git(checkout, "show", f"{commit}:CHANGELOG.md")):
            yield git(checkout, "show", f"{commit}:schema.graphql")


def git(checkout: Path, *arguments: str) -> str:
    """What git prints; nothing where it fails, as for a file that a commit does not have."""
    return subprocess.run(["git", *arguments], cwd=checkout, check=False, capture_output=True).stdout.decode()
