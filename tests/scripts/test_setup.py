"""The set-up leaves the command that the documents speak of, in any folder and without a network."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from accountgraph.version import VERSION
from tests.support.checkout import PACKAGES, ROOT

DOCUMENTS = ("README.md", "docs/operating.md", "docs/contributing.md")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program and an environment that has the packages but no command yet, set up."""
    folder = tmp_path_factory.mktemp("a checkout")
    (folder / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "setup.sh", folder / "scripts")
    shutil.copy(ROOT / "requirements.txt", folder)
    for name in PACKAGES:
        (folder / name).symlink_to(ROOT / name)
    venv.create(folder / ".venv", with_pip=False, symlinks=True)
    shutil.copy(ROOT / "requirements.txt", folder / ".venv" / "installed-requirements.txt")
    packages = folder / ".venv" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    (packages / "packages.pth").write_text(f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})\n")
    set_up(folder)
    return folder


def set_up(folder: Path) -> None:
    """Runs the set-up without a way to the network."""
    offline = {"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1"}
    done = subprocess.run(["sh", "scripts/setup.sh", "base"], cwd=folder, env=offline, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def run(folder: Path, *arguments: str, cwd: Path) -> str:
    """What the command prints in another folder."""
    command = [str(folder / ".venv" / "bin" / "accountgraph"), *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_command_that_the_documents_name_is_there(checkout: Path, tmp_path: Path) -> None:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS]
    named = {each for text in texts for each in re.findall(r"[`/]accountgraph ([a-z][a-z -]*[a-z])", text)}
    commands = {tuple(word for word in each.split() if not word.startswith("-")) for each in named}
    assert {("serve",), ("check",), ("admin", "reset-password")} <= commands
    for command in sorted(commands):
        assert "Usage" in run(checkout, *command, "--help", cwd=tmp_path)


def test_it_runs_from_any_folder_also_one_with_modules_of_the_same_names(checkout: Path, tmp_path: Path) -> None:
    for name in PACKAGES:
        (tmp_path / f"{name}.py").write_text("raise SystemExit(1)")
    assert VERSION in run(checkout, "version", cwd=tmp_path)


def test_it_still_runs_where_the_folder_was_moved_and_set_up_again(checkout: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    checkout.rename(moved)
    try:
        set_up(moved)
        assert VERSION in run(moved, "version", cwd=tmp_path)
    finally:
        moved.rename(checkout)


def test_no_absolute_path_is_written(checkout: Path) -> None:
    assert str(checkout) not in (checkout / ".venv" / "bin" / "accountgraph").read_text()
    (pointer,) = (checkout / ".venv").rglob("accountgraph.pth")
    assert pointer.read_text() == "../../../..\n"
