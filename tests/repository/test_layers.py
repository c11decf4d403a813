"""The house's layers hold."""

import pytest
from importlinter.application.use_cases import lint_imports
from importlinter.configuration import configure

from tests.support.checkout import ROOT, project


def test_imports_go_one_way(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    configure()
    kept = lint_imports(cache_dir=None)
    assert kept, capsys.readouterr().out


def test_every_package_has_its_layer() -> None:
    linter = project()["tool"]["importlinter"]
    packages = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(linter["contracts"][0]["layers"]) == sorted(linter["root_packages"]) == sorted(packages)
