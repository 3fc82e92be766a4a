"""What stands twice in the repository says the same twice."""

import re
import subprocess
from pathlib import Path

import pytest
import tomllib
import yaml
from packaging.requirements import Requirement

from tools import address

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MOVED = {"Repository": "https://github.com/a-lab/a-lab.github.io", "Homepage": "https://gradients.example.org/book"}
PINNED = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
ADDRESSED = ["README.md", "CITATION.cff", "book/index.md", "book/package.md", "book/for-teachers.md"]
ADDRESSED += ["book/course/slides/notebook.md"]


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    """A copy of the files with an address, whose project has moved."""
    (tmp_path / "book" / "course" / "slides").mkdir(parents=True)
    for name in ADDRESSED:
        (tmp_path / name).write_text((ROOT / name).read_text())
    project = (ROOT / "pyproject.toml").read_text()
    for name, elsewhere in MOVED.items():
        project = project.replace(f'{name} = "{PROJECT["urls"][name]}"', f'{name} = "{elsewhere}"')
    (tmp_path / "pyproject.toml").write_text(project)
    return tmp_path


def test_addresses_are_fresh() -> None:
    stale = [file.name for file, text in address.fresh().items() if file.read_text() != text]
    assert stale == [], "run `make notebooks`"


def test_addresses_follow_the_project(moved: Path) -> None:
    address.main(moved)
    for name in ADDRESSED:
        expected = (ROOT / name).read_text()
        for which, elsewhere in MOVED.items():
            expected = expected.replace(PROJECT["urls"][which], elsewhere)
        assert (moved / name).read_text() == expected != (ROOT / name).read_text()


def test_lost_place_of_an_address_is_seen(moved: Path) -> None:
    (moved / "CITATION.cff").write_text("cff-version: 1.2.0\n")
    with pytest.raises(ValueError, match=r"CITATION\.cff: 0 addresses stand between 'repository-code"):
        address.main(moved)


def test_no_other_file_holds_an_address() -> None:
    kinds = ["*.md", "*.yml", "Makefile", "book/*.md", "tools/*.py", "shattered_lite/**/*.py", ".github/**/*.yml"]
    others = {file for kind in kinds for file in ROOT.glob(kind)}
    others -= {ROOT / name for name in [*ADDRESSED, "pyproject.toml"]}
    addresses = [url.removeprefix("https://") for url in PROJECT["urls"].values()]
    assert [file.name for file in others if any(url in file.read_text() for url in addresses)] == []


def test_the_repository_stays_small_enough_to_look_through() -> None:
    """Long runs are recorded in a table a grid, and not in a file each."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    # five a page: text, drawing twice, notebook, exercises; two a dial: module, test; a course; twelve sets of cases
    assert len(tracked.stdout.splitlines()) < 510


def test_no_checker_is_told_to_look_away() -> None:
    """An exception has its reason beside it in ``pyproject.toml``, for a file or a library as a whole."""
    told = re.compile(r"#\s*(noqa|type:\s*ignore|pragma|ruff:|mypy:)")
    folders = ("shattered_lite", "tools", "benchmarks", "tests")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    found = [file.relative_to(ROOT).as_posix() for file in files if told.search(file.read_text())]
    assert len(files) > 100
    assert found == []


def test_one_version() -> None:
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == PROJECT["version"]


def test_readers_get_ranges() -> None:
    for requirement in map(Requirement, PROJECT["dependencies"]):
        assert {clause.operator for clause in requirement.specifier} == {">="}


def test_the_lock_satisfies_the_ranges() -> None:
    extras = PROJECT["optional-dependencies"]
    wanted = [each for name in ("book", "dev", "cluster", "course") for each in extras[name]]
    for requirement in map(Requirement, PROJECT["dependencies"] + wanted):
        assert requirement.specifier.contains(PINNED[requirement.name.lower()], prereleases=True), requirement
    assert PINNED["torch"] == "2.13.0"


def test_conda_installs_the_project_and_no_list_of_its_own() -> None:
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert dependencies[-1] == {"pip": ["--constraint requirements.lock", "--editable .[book,dev,cluster]"]}
