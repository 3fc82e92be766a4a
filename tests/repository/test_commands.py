"""The commands that people are told: they exist, and every place tells the same ones."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
TOLD = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "Makefile", *(ROOT / "book").glob("*.md")]
TOLD += [*(ROOT / "tools").glob("*.py"), *(ROOT / "tests").rglob("*.py"), ROOT / "pyproject.toml"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TOLD += [*WORKFLOWS, ROOT / ".ci" / "run", ROOT / ".pre-commit-config.yaml"]


def commands(text: str) -> set[str]:
    """Targets of ``make`` in code or at the start of a line."""
    return set(
        re.findall(r"(?:`|^[ \t]*(?:- run: )?(?:# )?)make ([a-z]+)\b(?=`|$| [A-Z]+=| *[#|])", text, re.MULTILINE)
    )


def steps(workflow: Path) -> list[str]:
    jobs = yaml.safe_load(workflow.read_text())["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("file", TOLD, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_command_is_a_target(file: Path) -> None:
    assert commands(file.read_text()) <= TARGETS


def test_commands_are_read() -> None:
    text = "    make book   # pages\n`make page NAME=highway`, then make sense of it\n      - run: make test\n"
    assert commands(text) == {"book", "page", "test"}
    assert {"book", "check", "page", "lint", "test"} <= commands((ROOT / "CONTRIBUTING.md").read_text())


def test_every_target_is_explained() -> None:
    heading = (ROOT / "Makefile").read_text().split("\n\n")[0]
    assert set(re.findall(r"make ([a-z]+)", heading)) == TARGETS
    phony = re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    assert set(phony.split()) == TARGETS


def test_no_message_tells_of_a_tool() -> None:
    """People are told targets; a module of tools/ is named where it says how it is called."""
    for file in [*(ROOT / "tests").rglob("*.py"), *(ROOT / "tools").glob("*.py")]:
        told = re.findall(r"[Rr]un `python -m tools", file.read_text())
        assert told == [], file.name


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.stem)
def test_workflows_name_folders_of_tests(workflow: Path) -> None:
    """A file that is listed by hand is a new file that is missed."""
    named = {name for step in steps(workflow) for name in re.findall(r"\btests/\S*", step)}
    assert all((ROOT / name).is_dir() for name in named)


def test_every_folder_of_tests_is_known() -> None:
    folders = {path.parent.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")}
    assert folders == {"package", "diagnose", "book", "repository"}
