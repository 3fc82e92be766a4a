"""Chapters run here, side by side, before Sphinx reads what they printed: ``python -m tools.execute [PAGE ...]``.

A result is kept in ``.executed`` under the digest of everything that decides it: the chapter's code cells, the package,
the lock, Python and what is installed beside it. A kernel sees nothing else: its working directory is empty, its home
holds ``tools.figure_forms`` alone, and of this process's environment it gets the path. So a result that is found is
the result of this code. MyST-NB takes the results from a jupyter-cache that each call lays anew: it matches cells with
their captions, which decide nothing.
"""

import argparse
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import psutil
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.readers import get_reader
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools import figure_forms
from tools.site import ROOT, pages, with_code

KEPT = 5  # results of a chapter, the newest
# Seconds that a chapter may take, alone on two cores of a current laptop. What may take longest begins first.
BUDGET, BUDGETS = 60, {"looks-linear": 120, "price-is-time": 90}
SECONDS_PER_CELL = 300
KEEPS_FORMS = Path(figure_forms.__file__)
PROFILE = f"""\
import sys
from pathlib import Path
sys.path.append(str(Path(__file__).parents[1]))
c.IPKernelApp.extensions = [{KEEPS_FORMS.stem!r}]
"""
DECIDING_TAGS = {"raises-exception", "skip-execution"}
FIXED = {  # one kernel a core; and what waits must not spin, where another chapter needs the core
    "CUDA_VISIBLE_DEVICES": "",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
}
CANNOT_FINISH = (CellExecutionError, CellTimeoutError, DeadKernelError)


@dataclass(frozen=True)
class Result:
    """An executed chapter, and what it took."""

    notebook: NotebookNode
    seconds: float  # on the wall, perhaps beside others
    processor_seconds: float

    @property
    def times(self) -> dict[str, float]:
        """What it took, as it is written down."""
        return {"seconds": self.seconds, "processor_seconds": self.processor_seconds}


def read_chapter(file: Path) -> NotebookNode:
    """The cells of a chapter, as MyST-NB reads them."""
    notebook: NotebookNode = get_reader({"type": "plugin", "name": "myst_nb_md"})(str(file))
    return notebook


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Only the code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def surroundings(root: Path) -> str:
    """Digest of what decides a result beside the chapter's own cells."""
    digest = hashlib.sha256()
    package = (file for file in (root / "shattered_lite").rglob("*") if file.is_file() and file.suffix != ".pyc")
    for file in [root / "requirements.lock", *sorted(package)]:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root)} {len(content)}\n".encode() + content)
    digest.update(KEEPS_FORMS.read_bytes())
    installed = sorted(f"{each.name}=={each.version}" for each in importlib.metadata.distributions())
    digest.update(json.dumps([sys.version, platform.platform(), FIXED, SECONDS_PER_CELL, installed]).encode())
    return digest.hexdigest()


def key(notebook: NotebookNode, beside: str) -> str:
    """The name of a chapter's result: neither a word of prose nor a caption changes it, and all else does."""
    cells = [
        (cell.source, sorted(DECIDING_TAGS.intersection(cell.metadata.get("tags", []))))
        for cell in code_cells(notebook)
    ]
    return hashlib.sha256(json.dumps([beside, cells]).encode()).hexdigest()


def lay_profile(home: Path) -> None:
    """Let the kernel that lives there keep of each figure what ``tools.figure_forms`` makes of it."""
    profile = home / ".ipython" / "profile_default"
    profile.mkdir(parents=True)
    shutil.copy(KEEPS_FORMS, home / ".ipython")
    (profile / "ipython_kernel_config.py").write_text(PROFILE)


def execute(notebook: NotebookNode, home: Path) -> Result:
    """Run a chapter from its first cell to its last, or raise what its first wrong cell raised."""
    shutil.rmtree(home, ignore_errors=True)  # an earlier run may have left something there
    home.mkdir(parents=True)
    lay_profile(home)
    environment = FIXED | {"PATH": os.environ["PATH"], "HOME": str(home)}
    spent = [0.0]

    def note_processor_time(**_: Any) -> None:
        manager: Any = client.km  # of a local process, which the types leave open
        times = psutil.Process(manager.provisioner.pid).cpu_times()
        spent[0] = times.user + times.system + times.children_user + times.children_system

    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(home)}},
        on_cell_executed=note_processor_time,
    )
    began = time.monotonic()
    client.execute(env=environment)
    return Result(notebook, seconds=time.monotonic() - began, processor_seconds=spent[0])


class Store:
    """Results by name, in a folder; one that is found is whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, chapter: str, name: str) -> Result | None:
        """The result of that name, if there is one."""
        file = self._file(chapter, name)
        if not file.exists():
            return None
        file.touch()
        notebook = nbformat.read(file, as_version=4)
        return Result(notebook, **notebook.metadata.pop("execution"))

    def keep(self, chapter: str, name: str, result: Result) -> None:
        """Write it whole or not at all, and drop the chapter's oldest."""
        self.folder.mkdir(exist_ok=True)
        notebook = nbformat.from_dict(result.notebook)
        notebook.metadata["execution"] = result.times
        file = self._file(chapter, name)
        unfinished = file.with_suffix(".unfinished")
        nbformat.write(notebook, unfinished)
        unfinished.replace(file)
        by_age = sorted(self.folder.glob(f"{chapter}.*.ipynb"), key=lambda each: each.stat().st_mtime, reverse=True)
        for old in by_age[KEPT:]:
            old.unlink()

    def _file(self, chapter: str, name: str) -> Path:
        return self.folder / f"{chapter}.{name}.ipynb"


def with_outputs(notebook: NotebookNode, result: Result) -> NotebookNode:
    """The chapter as it is written now, with the outputs of its cells."""
    for cell, executed in zip(code_cells(notebook), code_cells(result.notebook), strict=True):
        cell.outputs, cell.execution_count = deepcopy(executed.outputs), executed.execution_count
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):  # pages show the pixels
                output.data = {kind: data for kind, data in output.data.items() if kind not in figure_forms.FORMS}
    return notebook


def results(chapters: Iterable[str], root: Path) -> Iterator[tuple[str, Result | Exception]]:
    """Found or made; what may take longest comes first."""
    store, beside = Store(root / ".executed"), surroundings(root)

    def result(chapter: str) -> tuple[str, Result | Exception]:
        notebook = read_chapter(root / "book" / f"{chapter}.md")
        name = key(notebook, beside)
        if found := store.find(chapter, name):
            return chapter, found
        try:
            made = execute(notebook, root / ".executed" / "home" / chapter)
        except CANNOT_FINISH as error:
            return chapter, error
        store.keep(chapter, name, made)
        print(f"{chapter}: {made.seconds:.0f} s, of a processor {made.processor_seconds:.0f} s", flush=True)
        return chapter, made

    in_order = sorted(chapters, key=lambda chapter: -BUDGETS.get(chapter, BUDGET))
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        yield from pool.map(result, in_order)


def lay(made: dict[str, Result], root: Path, build: Path) -> None:
    """Put the results where MyST-NB looks for them, and their times where the pages do."""
    cache = get_cache(str(build / ".jupyter_cache"))
    for chapter, result in made.items():
        file = root / "book" / f"{chapter}.md"
        bundle = CacheBundleIn(
            with_outputs(read_chapter(file), result), str(file), data={"execution_seconds": result.seconds}
        )
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    times = {chapter: result.times for chapter, result in sorted(made.items())}
    (build / "run-times.json").write_text(json.dumps(times, indent=1) + "\n")


def main(arguments: list[str] | None = None, root: Path = ROOT) -> None:
    """Bring the results of the chapters named, or of all, to where the build reads them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", nargs="*", help="a page of the book; all by default")
    parser.add_argument("--build", type=Path, default=root / "_build", help="folder of the build")
    options = parser.parse_args(arguments)
    if unknown := set(options.page) - set(pages(root)):
        parser.error(f"page: {', '.join(sorted(unknown))}; choose among {', '.join(pages(root))}")
    options.build.mkdir(parents=True, exist_ok=True)
    found = dict(results([page for page in options.page or pages(root) if page in with_code(root)], root))
    made = {chapter: result for chapter, result in found.items() if isinstance(result, Result)}
    if failed := {chapter: error for chapter, error in found.items() if isinstance(error, Exception)}:
        sys.exit("\n\n".join(f"{chapter} cannot be executed:\n{error}" for chapter, error in failed.items()))
    lay(made, root, options.build)


if __name__ == "__main__":
    main()
