"""The files for Docker say what the rest of the repository says."""

import re
import tomllib
from pathlib import Path

import pytest

from scripts.run_neo4j import REPOSITORY, VERSION

COMPOSE = (REPOSITORY / "docker-compose.yml").read_text()
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())


def test_every_image_is_pinned_to_one_release() -> None:
    images = re.findall(r"^FROM (\S+)$", DOCKERFILE, re.M) + re.findall(r"^ +image: (\S+)$", COMPOSE, re.M)

    assert len(images) == 3
    assert [image for image in images if not re.fullmatch(r"\w+:\d+\.\d+\.\d+(-\w+)*", image)] == []


def test_neo4j_is_the_release_that_the_suite_runs_on() -> None:
    assert f"image: neo4j:{VERSION}-community" in COMPOSE


def test_the_image_is_the_version_of_the_project() -> None:
    assert f"image: accountgraph:{PROJECT['project']['version']}" in COMPOSE


def test_a_password_is_asked_for_and_never_given() -> None:
    uses = re.findall(r"\$\{([^}]*)\}", COMPOSE.replace("$$", ""))

    assert len([use for use in uses if use.startswith("ACCOUNTGRAPH_NEO4J_PASSWORD:?")]) == 2
    assert [use for use in uses if ":-" in use] == []


def test_only_loopback_of_the_host_is_published() -> None:
    published = re.findall(r'^ +- "([^"]*:\d+)"$', COMPOSE, re.M)

    assert published == ["127.0.0.1:8000:8000"]


@pytest.mark.parametrize("package", PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
def test_every_package_of_ours_is_in_the_image(package: str) -> None:
    assert f"COPY {package} ./{package}\n" in DOCKERFILE
    assert f"!{package}\n" in (REPOSITORY / ".dockerignore").read_text()
    assert Path(REPOSITORY / package).is_dir()
