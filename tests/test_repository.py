"""What stands twice in the repository says the same twice."""

import re
from pathlib import Path

import pytest
import tomllib
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINNED = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
READ_BY_PEOPLE = ["README.md", "CITATION.cff", "CONTRIBUTING.md", "book/index.md"]


@pytest.mark.parametrize("name", READ_BY_PEOPLE)
def test_the_repository_has_one_address(name: str) -> None:
    found = re.findall(r"https://github\.com/[\w-]+/[\w-]+", (ROOT / name).read_text())
    assert set(found) <= {PROJECT["urls"]["Repository"]}


@pytest.mark.parametrize("name", ["README.md", "CITATION.cff"])
def test_the_book_has_one_address(name: str) -> None:
    assert PROJECT["urls"]["Homepage"].removeprefix("https://") in (ROOT / name).read_text()


def test_one_version() -> None:
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == PROJECT["version"]


def test_readers_get_ranges() -> None:
    for requirement in map(Requirement, PROJECT["dependencies"]):
        assert {clause.operator for clause in requirement.specifier} == {">="}


def test_the_lock_satisfies_the_ranges() -> None:
    extras = PROJECT["optional-dependencies"]
    for requirement in map(Requirement, PROJECT["dependencies"] + extras["book"] + extras["dev"]):
        assert requirement.specifier.contains(PINNED[requirement.name.lower()], prereleases=True), requirement
    assert PINNED["torch"] == "2.13.0"


def test_conda_installs_the_project_and_no_list_of_its_own() -> None:
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert dependencies[-1] == {"pip": ["--constraint requirements.lock", "--editable .[book,dev]"]}
