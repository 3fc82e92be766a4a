"""Every page with code begins with one and the same jupytext header: ``python -m tools.headers book/*.md``."""

import sys
from pathlib import Path

HEADER = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---
"""


def without_header(files: list[Path]) -> list[Path]:
    """The files that have code cells and another header, or none."""
    texts = {file: file.read_text() for file in files}
    return [file for file, text in texts.items() if "{code-cell}" in text and not text.startswith(HEADER)]


if __name__ == "__main__":
    if wrong := without_header([Path(name) for name in sys.argv[1:]]):
        sys.exit("\n".join([f"{file}: the header must be" for file in wrong] + [HEADER]))
