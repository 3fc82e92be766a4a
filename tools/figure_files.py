"""Every figure of the book as SVG and PDF, with the numbers in it as CSV, for ``tools.course``.

A figure that a chapter computes is taken from the run that the pages show. A drawing has no numbers.
"""

import shutil
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from tools.drawings import DRAWINGS, FOLDER
from tools.execute import Result, code_cells, read_chapter, results
from tools.figure_forms import FORMS
from tools.site import ROOT, with_code
from tools.strokes import drawn


def named(chapter: NotebookNode, result: Result) -> Iterator[tuple[str, dict[str, str]]]:
    """Name and forms of each figure of a chapter. A cell that shows several numbers them."""
    for cell, executed in zip(code_cells(chapter), code_cells(result.notebook), strict=True):
        pictures = [output.data for output in executed.outputs if "image/png" in output.get("data", {})]
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        for number, data in enumerate(pictures, start=1):
            if name is None or not data.keys() >= FORMS.keys():
                raise ValueError(f"a figure without {'its forms' if name else 'a name'}: {cell.source[:80]!r}")
            yield f"{name}-{number}" if len(pictures) > 1 else name, {kind: data[kind] for kind in FORMS}


def write_chapter(chapter: NotebookNode, result: Result, folder: Path) -> None:
    """A file for each form of each figure."""
    for name, forms in named(chapter, result):
        folder.mkdir(parents=True, exist_ok=True)
        for kind, ending in FORMS.items():
            content = b64decode(forms[kind]) if kind == "application/pdf" else forms[kind].encode()
            (folder / f"{name}.{ending}").write_bytes(content)


def write_drawings(folder: Path) -> None:
    """As committed, and the same strokes as PDF."""
    folder.mkdir(parents=True)
    for page, draw in DRAWINGS.items():
        shutil.copy(FOLDER / f"{page}.svg", folder)
        drawn(draw).savefig(folder / f"{page}.pdf", metadata={"CreationDate": None})


def write(folder: Path, root: Path = ROOT) -> None:
    """All of them, in a folder for each page and one for the drawings."""
    for page, result in results(with_code(root), root):
        if isinstance(result, Exception):
            raise result
        write_chapter(read_chapter(root / "book" / f"{page}.md"), result, folder / page)
    write_drawings(folder / "drawings")
