"""The notebooks that Colab opens: made from the built book, linked from each page's rocket.

The build leaves them in ``_build/notebooks``; ``python -m tools.colab`` puts them into ``notebooks``, and
``python -m tools.colab --check`` tells whether a chapter has changed since.
"""

import argparse
import hashlib
import json
import platform
import re
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterable
from copy import deepcopy
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from sphinx.application import Sphinx

from tools.markdown import END_GLUED, GLUED, Block, CodeCell, Page, code_cells
from tools.site import BRANCH, ROOT, address, with_code

BUILT, COMMITTED = ROOT / "_build" / "notebooks", ROOT / "notebooks"
CHECKED = re.compile(r"^(?P<name>.+): predicted \S+, measured (?P<estimate>\S+) ± (?P<error>\S+) \(n = .*: agrees$")
FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}}
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
SEED = re.compile(r"manual_seed\((\d+)\)")
MEASURED = re.compile(f"{GLUED}(.*?){END_GLUED}")
RUN = "Run all of it (in Colab: *Runtime*, *Run all*); figures appear as it runs."
SOLVES = (
    "%%capture\n# A solution: take the first line away to see what it says. Run with all others, it keeps silent.\n"
)


def install_cell() -> str:
    """The code that brings the package to a machine without it; where it is installed, nothing happens.

    Its requirements are ranges, and pip replaces no package that satisfies them: what Colab has stays as it is.
    """
    return (
        "import importlib.util\n\n"
        'if importlib.util.find_spec("shattered_lite") is None:\n'
        f'    %pip install --quiet "shattered-lite @ git+{address("Repository")}.git"'
    )


def notebook_names() -> dict[str, str]:
    """``NN-page`` for each page with code, in reading order: a chapter keeps its number. The start page comes last."""
    start, *others = with_code()
    return {page: f"{number:02d}-{page}" for number, page in enumerate(others)} | {start: start}


def colab_link(name: str) -> str:
    """Where Colab opens the notebook ``name``."""
    repository = address("Repository").removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{repository}/blob/{BRANCH}/notebooks/{name}.ipynb"


def add_buttons(_app: Sphinx, pagename: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """A rocket at the top of each notebook page, and its file in the menu of downloads.

    The theme's own would open the ``.md`` file.
    """
    if name := notebook_names().get(pagename):
        colab = {"type": "link", "url": colab_link(name), "tooltip": "Open in Colab", "icon": "fas fa-rocket"}
        file = {"type": "link", "url": f"{BUILT.name}/{name}.ipynb", "tooltip": "Download notebook file"}
        [downloads] = [menu for menu in context["header_buttons"] if menu["label"] == "download-buttons"]
        downloads["buttons"][:0] = [
            file | {"text": ".ipynb", "icon": "fas fa-code", "label": "download-notebook-button"},
            colab | {"text": "Colab", "label": "download-colab-button"},
        ]
        context["header_buttons"].insert(0, colab | {"text": "", "label": "launch-colab-button"})


def in_cells(blocks: Iterable[Block]) -> list[list[str] | CodeCell]:
    """Text between code cells becomes one cell, and each section begins a new one so that Colab can fold it."""
    cells: list[list[str] | CodeCell] = []
    for block in blocks:
        if isinstance(block, CodeCell):
            cells.append(block)
        elif not cells or isinstance(cells[-1], CodeCell) or re.match("#{1,3} ", block):
            cells.append([block])
        else:
            cells[-1].append(block)
    return cells


def with_hidden_cells(blocks: list[Block], executed: NotebookNode) -> list[Block]:
    """Put back the cells that the page does not show, each right after the code cell before it: they must still run."""
    shown = {cell.index for cell in code_cells(blocks)}
    hidden_after: dict[int, list[CodeCell]] = defaultdict(list)
    last = -1
    for index, cell in enumerate(executed.cells):
        if index in shown:
            last = index
        elif cell.cell_type == "code":
            hidden_after[last].append(CodeCell(index, folded=True))
    following: list[list[Block]] = [
        [block, *hidden_after[block.index]] if isinstance(block, CodeCell) else [block] for block in blocks
    ]
    return [*hidden_after[-1], *chain.from_iterable(following)]


def cell_id(page: str, position: int, source: str) -> str:
    """The same for the same place and text, so that a new build changes no line that the chapter did not change.

    Measured values do not count: the last digit may depend on the machine.
    """
    return hashlib.sha256(f"{page}\n{position}\n{MEASURED.sub('', source)}".encode()).hexdigest()[:12]


def versions() -> str:
    """What decides the numbers of a run beside its seed, as ``checks.compare`` says it of the reader's."""
    numpy, torch = (metadata.version(name).partition("+")[0] for name in ("numpy", "torch"))
    return f"Python {platform.python_version()}, NumPy {numpy}, PyTorch {torch}"


def comparison(printed: Iterable[str], code: str) -> str | None:
    """The last cell: the reader's checks beside the book's, whose numbers it holds. None if a chapter has no check."""
    found = [match for line in printed if (match := CHECKED.match(line))]
    if not found:
        return None
    seeds = SEED.findall(code)
    made_with = f"{GLUED}{versions()}{END_GLUED}, seed {seeds[0]}"
    names = {match["name"]: (match["estimate"], match["error"]) for match in found}  # of two with one name, the last
    rows = [
        f"    {json.dumps(name, ensure_ascii=False)}: ({GLUED}{a}, {b}{END_GLUED})," for name, (a, b) in names.items()
    ]
    seed = "generator.initial_seed()" if "generator = torch.Generator()" in code else "torch.initial_seed()"
    return "\n".join(
        [
            "# Your numbers beside the book's: they differ by chance, and by no more.",
            "book = {  # estimate, standard error",
            *rows,
            "}",
            f'sl.checks.compare(book, made_with="{made_with}", seed={seed})',
        ]
    )


def printed_lines(app: Sphinx, docname: str) -> list[str]:
    """Everything that the cells of a page printed."""
    outputs = [
        node for node in app.env.get_doctree(docname).findall(nodes.container) if "cell_output" in node["classes"]
    ]
    blocks = [block.astext() for output in outputs for block in output.findall(nodes.literal_block)]
    return [line for text in blocks for line in text.split("\n")]


def make_notebook(app: Sphinx, docname: str, name: str) -> NotebookNode:
    """The notebook of one page. Its metadata keep where measured values stand and which text it was made from."""
    page = Page(app, docname, address("Homepage"))
    install = new_code_cell(install_cell())  # right before the package is needed
    env: Any = app.env  # where MyST-NB keeps its settings, of which Sphinx's types know nothing
    executed = nbformat.read(Path(env.mystnb_config.output_folder, f"{docname}.ipynb"), as_version=4)
    title, *blocks = page.blocks()
    origin = f"A notebook of the book *{app.config.project}*: [this chapter, with its figures]({page.url}). {RUN}"
    cells = []
    for cell in in_cells([title, origin, *with_hidden_cells(blocks, executed)]):
        if isinstance(cell, CodeCell):
            source = executed.cells[cell.index]
            if "shattered_lite" in source.source and install not in cells:
                cells.append(install)
            folds = FOLDED if cell.folded else {}
            tags = {"tags": source.metadata.tags} if "tags" in source.metadata else {}
            code = SOLVES + source.source if cell.solves else source.source
            cells.append(new_code_cell(code, metadata=folds | tags))
        else:
            cells.append(new_markdown_cell("\n\n".join(cell)))
    if last := comparison(printed_lines(app, docname), "\n".join(cell.source for cell in executed.cells)):
        cells.append(new_code_cell(last))
    measured = []
    for position, cell in enumerate(cells):
        cell.id = cell_id(name, position, cell.source)
        while match := MEASURED.search(cell.source):
            measured.append([position, match.start(), match[1]])
            cell.source = cell.source[: match.start()] + match[1] + cell.source[match.end() :]
    chapter = Path(app.env.doc2path(docname))
    metadata = {
        "kernelspec": KERNEL,
        "language_info": {"name": "python"},
        "shattered": {"chapter": chapter.name, "source_sha256": sha256(chapter), "measured": measured},
    }
    notebook: NotebookNode = new_notebook(cells=cells, metadata=metadata)
    return notebook


def without_measured(notebook: NotebookNode) -> NotebookNode:
    """A copy with the measured values taken out: two machines must agree on all the rest, to the letter."""
    notebook = deepcopy(notebook)
    for value in reversed(notebook.metadata.shattered.measured):
        position, start, text = value
        cell = notebook.cells[position]
        if cell.source[start : start + len(text)] != text:
            raise ValueError(f"cell {position}: {text!r} is not at {start}; the notebook was edited by hand")
        cell.source = cell.source[:start] + cell.source[start + len(text) :]
        value[1:] = []
    return notebook


def sha256(file: Path) -> str:
    """The digest of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def write_notebooks(app: Sphinx, exception: Exception | None) -> None:
    """Write ``_build/notebooks`` after a build that went well, and what the pages offer for download."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir).parent / BUILT.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for docname in notebook_names().keys() & app.env.found_docs:  # all, or the one that is looked at
        name = notebook_names()[docname]
        nbformat.write(make_notebook(app, docname, name), folder / f"{name}.ipynb")
    shutil.copytree(folder, Path(app.outdir) / BUILT.name, dirs_exist_ok=True)


def stale(notebooks: Path, chapters: Path) -> list[str]:
    """What is wrong with the committed notebooks, as far as can be told without a build."""
    made = {file: nbformat.read(file, as_version=4).metadata.shattered for file in sorted(notebooks.glob("*.ipynb"))}
    sources = {file.name: file for file in sorted(chapters.glob("*.md")) if "\nkernelspec:" in file.read_text()}
    missing = sources.keys() - {metadata.chapter for metadata in made.values()}
    changed = [
        f"{file.name} was made from another {metadata.chapter}"
        for file, metadata in made.items()
        if metadata.chapter not in sources or sha256(sources[metadata.chapter]) != metadata.source_sha256
    ]
    return [f"{chapter} has no notebook" for chapter in sorted(missing)] + changed


def main() -> None:
    """Bring ``notebooks`` up to date, or check that it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if a notebook is not fresh")
    if parser.parse_args().check:
        if faults := stale(COMMITTED, ROOT / "book"):
            sys.exit("\n".join([*faults, "Run `make notebooks`, then commit notebooks/."]))
    elif not BUILT.is_dir():
        sys.exit("_build/notebooks does not exist: run `make book` first.")
    else:
        shutil.rmtree(COMMITTED, ignore_errors=True)
        shutil.copytree(BUILT, COMMITTED)


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.connect("html-page-context", add_buttons, priority=502)  # after the theme has made its own buttons
    app.connect("build-finished", write_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    main()
