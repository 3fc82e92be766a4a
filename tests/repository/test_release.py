"""A release says what has changed, and only a version that is ready is released."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.notes import ROOT, notes

LOG = "# Changes\n\n## 0.2.0 (2026-12-01)\n\n- New.\n\n### Mended\n\n- Old.\n\n## 0.1.0 (2026-11-01)\n\n- First.\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "0.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(LOG)
    return tmp_path


def test_notes_are_the_section_of_the_version(root):
    assert notes("v0.2.0", root) == "- New.\n\n### Mended\n\n- Old.\n"


@pytest.mark.parametrize("tag", ["0.2.0", "v0.1.0", "v0.2", "v0.2.0.1"])
def test_another_tag_is_refused(root, tag):
    with pytest.raises(ValueError, match=r"the project's version is 0\.2\.0, so its tag is v0\.2\.0"):
        notes(tag, root)


@pytest.mark.parametrize("date", ["unreleased", "2026", "1 December"])
def test_an_unreleased_version_is_refused(root, date):
    (root / "CHANGELOG.md").write_text(LOG.replace("2026-12-01", date))
    with pytest.raises(ValueError, match=r"has no heading '## 0\.2\.0"):
        notes("v0.2.0", root)


def test_the_changelog_has_the_version():
    version = (ROOT / "pyproject.toml").read_text().split('version = "')[1].split('"')[0]
    assert f"## {version} (" in (ROOT / "CHANGELOG.md").read_text()


def test_a_refusal_ends_the_release():
    command = [sys.executable, str(ROOT / "tools" / "notes.py"), "v0.0.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("tag 'v0.0.0': the project's version is")


def test_nothing_is_released_without_notes_and_a_tested_wheel():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())["jobs"]
    notes_first, *others = [step["run"] for step in jobs["build"]["steps"] if "run" in step]
    assert 'python tools/notes.py "$GITHUB_REF_NAME" > notes.md' in notes_first
    assert "pytest tests/package" in others[-1]
    assert jobs.keys() == {"build", "handouts", "publish"}
    assert jobs["publish"]["needs"] == ["build", "handouts"]
