"""The addresses that people read in the README, the citation and the book, written there from ``pyproject.toml``.

After a change of ``[project.urls]``: ``make notebooks``, or ``python -m tools.address`` for these files alone.
"""

import re
from pathlib import Path

from tools.site import ROOT, address

# File, which address, and what stands right before and after it.
PLACES = [
    ("README.md", "Homepage", "[The paper in one sitting](", "/one-sitting.html)"),
    ("README.md", "Homepage", "**Read on** at <", ">"),
    ("README.md", "Repository", '"shattered_lite @ git+', '.git"'),
    ("README.md", "Repository", '"shattered_lite[cluster] @ git+', '.git"'),
    ("CITATION.cff", "Repository", 'repository-code: "', '"'),
    ("CITATION.cff", "Homepage", '\nurl: "', '"'),
    ("book/index.md", "Repository", '"shattered_lite @ git+', '.git"'),
    ("book/index.md", "Repository", "each [release](", "/releases)"),
    ("book/index.md", "Homepage", "url    = {", "}"),
    ("book/course/slides/notebook.md", "Homepage", "Open [*The paper in one sitting*](", "/one-sitting.html)"),
    ("book/package.md", "Repository", '"shattered_lite @ git+', '.git"'),
    ("book/for-teachers.md", "Repository", "(`git clone ", "`)"),
    ("book/for-teachers.md", "Repository", '"shattered_lite[course] @ git+', '.git"'),
    ("book/for-teachers.md", "Repository", "Each [release](", "/releases)"),
]


def fresh(root: Path = ROOT) -> dict[Path, str]:
    """What each file should say: its text, with the addresses of ``root/pyproject.toml``."""
    texts = {root / name: (root / name).read_text() for name, *_ in PLACES}
    for name, which, before, after in PLACES:
        place = f"(?<={re.escape(before)})\\S+(?={re.escape(after)})"
        texts[root / name], found = re.subn(place, address(which, root), texts[root / name])
        if found != 1:
            raise ValueError(f"{name}: {found} addresses stand between {before!r} and {after!r}; there must be one.")
    return texts


def main(root: Path = ROOT) -> None:
    """Bring the files up to date; one that is stays as it is."""
    for file, text in fresh(root).items():
        if file.read_text() != text:
            file.write_text(text)


if __name__ == "__main__":
    main()
