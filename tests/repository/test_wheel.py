"""What the wheel holds, and that none of its packages takes a name that another distribution has."""

import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from accountgraph.version import VERSION
from tests.support.checkout import PACKAGES, ROOT, project, tracked


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel, built from this checkout."""
    built = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    with zipfile.ZipFile(Path(next(iter(built)))) as opened:
        yield opened


def test_it_holds_every_tracked_file_of_every_package(wheel: zipfile.ZipFile) -> None:
    wanted = {path for path in tracked() if path.split("/", 1)[0] in PACKAGES}
    assert wanted - set(wheel.namelist()) == set()
    assert {path.split("/", 1)[0] for path in wanted} == set(PACKAGES)


def test_it_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    information = f"accountgraph-{VERSION}.dist-info"
    assert {name.split("/", 1)[0] for name in wheel.namelist()} == {*PACKAGES, information}


def test_it_holds_the_licence_and_the_command(wheel: zipfile.ZipFile) -> None:
    information = f"accountgraph-{VERSION}.dist-info"
    assert wheel.read(f"{information}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert "accountgraph = accountgraph.cli:main" in wheel.read(f"{information}/entry_points.txt").decode()


def test_no_installed_distribution_has_a_package_of_the_same_name() -> None:
    others = {name: set(owners) - {"accountgraph"} for name, owners in packages_distributions().items()}
    assert {name: others[name] for name in PACKAGES if others.get(name)} == {}


def test_no_package_hides_a_module_of_python_itself() -> None:
    assert set(PACKAGES) & set(sys.stdlib_module_names) == set()


def test_the_version_is_told_once() -> None:
    assert project()["project"]["version"] == VERSION
