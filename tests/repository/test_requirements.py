"""The pinned packages are those that pyproject.toml asks for, and no others."""

import ast
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.checkout import PACKAGES, ROOT, modules, project

FILES = ("requirements.txt", "requirements-dev.txt")
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)(?P<rest>.*)")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}")
NEEDED_BY = re.compile(r"    #\s+(?:via )?(?P<who>\S.*)")


class Pin:
    """One pinned package: its version, where it is wanted (nothing: everywhere), its hashes, and who needs it."""

    def __init__(self, version: str, marker: str) -> None:
        self.version = version
        self.marker = marker
        self.hashes: set[str] = set()
        self.needed_by: set[str] = set()


@cache
def pins(file: str) -> dict[str, Pin]:
    """The pins of a file, by name."""
    found: dict[str, Pin] = {}
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
        start = PIN.match(line)
        if start:
            found[canonicalize_name(start["name"])] = Pin(start["version"], start["rest"].strip(" ;\\"))
            continue
        last = next(reversed(found.values()))
        if HASH.match(line):
            last.hashes.add(line.strip(" \\"))
        elif (needed := NEEDED_BY.fullmatch(line)) and needed["who"] not in {"via", "-c requirements.txt"}:
            last.needed_by.add(needed["who"])
    return found


def wanted(file: str) -> list[Requirement]:
    """What pyproject.toml asks for, for the server or for development too."""
    texts: list[str] = list(project()["project"]["dependencies"])
    if file == "requirements-dev.txt":
        texts += project()["dependency-groups"]["dev"]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("file", FILES)
def test_every_requirement_has_a_pin_that_it_allows(file: str) -> None:
    pinned = pins(file)
    for requirement in wanted(file):
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{file} lacks {name}; run make lock"
        assert requirement.specifier.contains(pinned[name].version), f"{file} is stale at {name}; run make lock"


def test_what_the_product_imports_is_asked_for_by_name() -> None:
    asked_for = {canonicalize_name(requirement.name) for requirement in wanted("requirements.txt")}
    owners = packages_distributions()
    for module in modules(*PACKAGES):
        for name in imported(module.tree) - set(PACKAGES) - sys.stdlib_module_names:
            owned_by = {canonicalize_name(owner) for owner in owners[name]}
            assert owned_by & asked_for, f"{module.path} imports {name}, which no requirement names"


def imported(tree: ast.Module) -> set[str]:
    """The top-level names of what a module imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize(
    ("python", "machine", "system", "has"),
    [
        ("3.11", "x86_64", "linux", True),
        ("3.14", "aarch64", "linux", True),
        ("3.12", "arm64", "darwin", True),
        ("3.15", "x86_64", "linux", False),
        ("3.13", "x86_64", "darwin", False),
        ("3.13", "riscv64", "linux", False),
    ],
)
def test_the_embedded_engine_is_asked_for_where_it_has_a_build(
    python: str, machine: str, system: str, *, has: bool
) -> None:
    there = {"python_version": python, "platform_machine": machine, "sys_platform": system}
    left_out = {
        requirement.name
        for requirement in wanted("requirements.txt")
        if requirement.marker and not requirement.marker.evaluate(there)
    }
    assert left_out == (set() if has else {"arcadedb-embedded", "jpype1"})


@pytest.mark.parametrize("file", FILES)
def test_pins_have_the_conditions_of_what_asks_for_them(file: str) -> None:
    pinned = pins(file)
    for requirement in wanted(file):
        told = pinned[canonicalize_name(requirement.name)].marker
        assert bool(told) == bool(requirement.marker), f"{file} is stale at {requirement.name}; run make lock"


@pytest.mark.parametrize("file", FILES)
def test_every_pin_has_hashes_and_is_needed(file: str) -> None:
    pinned = pins(file)
    asked_for = {canonicalize_name(requirement.name) for requirement in wanted(file)}
    for name, pin in pinned.items():
        assert pin.hashes, f"{name} has no hash in {file}"
        needed = any(canonicalize_name(who) in pinned for who in pin.needed_by)
        assert name in asked_for or needed, f"nothing needs {name} of {file}; run make lock"


def test_development_has_the_server_s_packages_at_the_same_versions() -> None:
    development = pins("requirements-dev.txt")
    for name, pin in pins("requirements.txt").items():
        assert (development[name].version, development[name].hashes) == (pin.version, pin.hashes)
