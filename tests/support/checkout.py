"""The checkout that the tests run in: its tracked files, its history, and its Python modules."""

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("accountgraph", "graph", "resolvers", "schema", "services")


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file: its path from the root, its lines and its syntax tree."""

    path: str
    lines: list[str]
    tree: ast.Module


def git(*arguments: str) -> str:
    """What git prints in this checkout."""
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout.decode()


@cache
def tracked() -> tuple[str, ...]:
    """The paths, from the root, of the files that git tracks here."""
    paths = git("ls-files", "-z").split("\0")
    return tuple(path for path in paths if path and (ROOT / path).is_file())


def texts() -> Iterator[tuple[str, str]]:
    """Each tracked file that is text: its path and what it says."""
    for path in tracked():
        try:
            yield path, (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """The tracked Python modules below these folders."""
    chosen = (path for path in tracked() if path.endswith(".py") and path.split("/", 1)[0] in folders)
    read = [(path, (ROOT / path).read_text(encoding="utf-8")) for path in chosen]
    return tuple(Module(path, text.splitlines(), ast.parse(text, path)) for path, text in read)


@cache
def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
