"""The notes of a release, from ``CHANGELOG.md``: ``python tools/notes.py v0.1.0``.

A version that is not the project's, or whose heading bears no date, is an error: nothing is released by accident.
"""

import argparse
import re
import sys
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parent.parent


def notes(tag: str, root: Path = ROOT) -> str:
    """What the changelog says under the heading ``## VERSION (YYYY-MM-DD)`` of the tag ``vVERSION``."""
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    if tag != f"v{version}":
        raise ValueError(f"tag {tag!r}: the project's version is {version}, so its tag is v{version}")
    heading = rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)\n+(.*?)(?=^## |\Z)"
    found = re.search(heading, (root / "CHANGELOG.md").read_text(), re.MULTILINE | re.DOTALL)
    if not found:
        raise ValueError(f"CHANGELOG.md has no heading '## {version} (YYYY-MM-DD)'")
    return found[1].strip() + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tag", help="of the release, such as v0.1.0")
    try:
        print(notes(parser.parse_args().tag), end="")
    except ValueError as error:
        sys.exit(str(error))
