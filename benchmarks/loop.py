"""How long a change waits for its answer: the checks, the book from nothing, and the book after one changed word.

A copy of the tree is built, with the environment of this one. Absolute times are targets for two quiet cores; what a
changed word costs is a ratio within this run. Run it with ``python benchmarks/loop.py``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = "highway"


def copied(folder: Path) -> Path:
    """The files that git would keep, with their dates, and the environment."""
    subprocess.run(["git", "clone", "--quiet", "--no-checkout", ROOT, folder], check=True)
    subprocess.run(["git", "reset", "--quiet"], cwd=folder, check=True)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def seconds(folder: Path, target: str) -> float:
    """Time of a target of the Makefile, which must succeed."""
    started = time.perf_counter()
    done = subprocess.run(["make", target], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout[-4000:]}\nmake {target} failed")
    return time.perf_counter() - started


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text, f"{file.name} holds no {old!r}"
    file.write_text(text.replace(old, new, 1))
    os.utime(file)


def line(title: str, measured: float, target: float, unit: str) -> None:
    verdict = "" if measured <= target else "  missed"
    print(f"{title:42}{measured:11.2f} {unit:2}{f'<= {target:g}':>10}{verdict}", flush=True)


def main() -> None:
    with TemporaryDirectory() as name:
        folder = copied(Path(name))
        chapter = folder / "book" / f"{CHAPTER}.md"
        line("make check", seconds(folder, "check") / 60, 3, "min")
        cold = seconds(folder, "book")
        line("make book, from nothing", cold / 60, 6, "min")
        change(chapter, "\n\nThe ", "\n\nThe very ")
        line("a changed word, of that", seconds(folder, "book") / cold, 0.1, "")
        change(chapter, "import matplotlib.pyplot as plt\n", "import matplotlib.pyplot as plt\n\n# Changed.\n")
        line("a changed cell, of that", seconds(folder, "book") / cold, 0.3, "")


if __name__ == "__main__":
    main()
