"""A published version's schema changes only in ways that no client notices."""

from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.published import broken_promises, git

OLD = "type Query {\n  name: String\n  age: String\n}\n"
MORE = "type Query {\n  name: String\n  age: String\n  size: String\n}\n"
LESS = "type Query {\n  name: String\n}\n"


def test_this_version_s_published_schemas_are_kept() -> None:
    current = (ROOT / "schema.graphql").read_text(encoding="utf-8")
    assert broken_promises(ROOT, current) == []


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout whose version 1.0 is published with the old schema."""
    git(tmp_path, "init", "-q")
    write(tmp_path, "1.0", "## 1.0 - 2026-01-31", OLD)
    return tmp_path


def write(checkout: Path, version: str, heading: str, schema: str) -> None:
    """Commits this version, changelog and schema."""
    (checkout / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')
    (checkout / "CHANGELOG.md").write_text(f"# Changelog\n\n{heading}\n- Words.\n")
    (checkout / "schema.graphql").write_text(schema)
    git(checkout, "add", ".")
    git(checkout, "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-q", "-m", "A change")
    assert git(checkout, "status", "--short") == ""


def test_an_addition_is_no_break(checkout: Path) -> None:
    assert broken_promises(checkout, MORE) == []


def test_a_removal_is_a_break_until_the_version_changes(checkout: Path) -> None:
    assert broken_promises(checkout, LESS) == ["Field Query.age was removed."]
    write(checkout, "1.0", "## 1.0 - 2026-01-31", LESS)
    assert broken_promises(checkout, LESS) == ["Field Query.age was removed."]
    write(checkout, "2.0", "## 2.0\n\n## 1.0 - 2026-01-31", LESS)
    assert broken_promises(checkout, LESS) == []


def test_what_was_added_later_is_promised_too(checkout: Path) -> None:
    write(checkout, "1.0", "## 1.0 - 2026-01-31", MORE)
    assert broken_promises(checkout, OLD) == ["Field Query.size was removed."]


def test_a_version_without_a_date_promises_nothing(checkout: Path) -> None:
    write(checkout, "1.1", "## 1.1", MORE)
    assert broken_promises(checkout, LESS) == []
