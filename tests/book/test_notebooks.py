"""Every notebook runs where a reader runs it: with the package from its wheel and a kernel, and nothing of the book's.

The environment stays in ``.venv-reader`` until the lock or the package changes.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(file.name for file in (ROOT / "notebooks").glob("*.ipynb"))
READER = ROOT / ".venv-reader"
PYTHON = READER / "bin" / "python"
SECONDS_PER_CELL = 300
slow = pytest.mark.slow  # it makes an environment, and runs every notebook
PEAK_IN_KIB = 2 * 2**20


def reader_environment() -> dict[str, str]:
    """Where Jupyter finds the reader's kernel, and nothing that would let its Python see this repository."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
    return kept | {"JUPYTER_PATH": str(READER / "share" / "jupyter")}


def fingerprint() -> str:
    files = [ROOT / "requirements.lock", ROOT / "pyproject.toml", *sorted((ROOT / "shattered_lite").rglob("*.*"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.suffix != ".pyc")).hexdigest()


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True, cwd=ROOT.anchor, env=reader_environment())


@pytest.fixture(scope="session")
def reader(tmp_path_factory) -> None:
    """The reader's environment: the wheel of the package, what it requires, ipykernel."""
    repository = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(repository, fcntl.LOCK_EX)  # the workers of a parallel run share it: one makes it, the others wait
    made_from = READER / "made-from"
    if not made_from.exists() or made_from.read_text() != fingerprint():
        folder = tmp_path_factory.mktemp("wheel")
        ignored = shutil.ignore_patterns(".*", "_build", "build", "*.egg-info", "notebooks")
        source = shutil.copytree(ROOT, folder / "source", ignore=ignored)  # setuptools would leave its traces here
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source)
        [wheel] = folder.glob("*.whl")
        run(sys.executable, "-m", "venv", "--clear", READER)
        constraint = ROOT / "requirements.lock"
        run(PYTHON, "-m", "pip", "install", "--quiet", "--constraint", constraint, wheel, "ipykernel")
        run(PYTHON, "-m", "ipykernel", "install", "--sys-prefix", "--name", "reader")
        made_from.write_text(fingerprint())
    os.close(repository)


# A process counts as its own the peak memory of the one that it was started from: here that is a small one.
MEASURED = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""


def nbmake(notebook: Path) -> tuple[int, str, int]:
    """Run a notebook with the reader's kernel: exit status, what was printed, peak memory in KiB of any process."""
    options = ["--nbmake", "--nbmake-kernel=reader", f"--nbmake-timeout={SECONDS_PER_CELL}"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", *options, notebook.name]
    process = subprocess.run(
        [sys.executable, "-c", MEASURED, *command],
        cwd=notebook.parent,
        env=reader_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    *log, peak = process.stdout.splitlines()
    return process.returncode, "\n".join(log), int(peak)


def test_there_are_notebooks():
    assert NOTEBOOKS, "notebooks/ is empty: run `make notebooks`"


@slow
@pytest.mark.parametrize("name", NOTEBOOKS)
@pytest.mark.usefixtures("reader")
def test_notebook_runs_for_a_reader(tmp_path, name):
    shutil.copy(ROOT / "notebooks" / name, tmp_path)
    status, log, peak = nbmake(tmp_path / name)
    assert status == 0, log
    assert "1 passed" in log
    assert peak <= PEAK_IN_KIB, f"{peak / 2**20:.1f} GiB"


@slow
@pytest.mark.parametrize(
    "code",
    [
        pytest.param("raise ValueError", id="a cell fails"),
        pytest.param("import myst_nb", id="a tool of the book"),
        pytest.param("import tools.colab", id="a file of the repository"),
    ],
)
@pytest.mark.usefixtures("reader")
def test_what_a_reader_cannot_run_is_seen(tmp_path, code):
    cells = [nbformat.v4.new_code_cell("import shattered_lite"), nbformat.v4.new_code_cell(code)]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), tmp_path / "x.ipynb")
    status, log, _ = nbmake(tmp_path / "x.ipynb")
    assert status == 1
    assert "1 failed" in log


@slow
@pytest.mark.usefixtures("reader")
def test_peak_memory_is_that_of_the_notebook(tmp_path):
    held_here = bytearray(b"x") * (1500 * 2**20)
    del held_here
    cell = nbformat.v4.new_code_cell("block = bytearray(700 * 2**20)")
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=metadata), tmp_path / "x.ipynb")
    status, log, peak = nbmake(tmp_path / "x.ipynb")
    assert status == 0, log
    assert 700 * 2**10 <= peak < 1400 * 2**10
