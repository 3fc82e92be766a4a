"""One submission, run in a process of its own: its answers, and what went wrong on the way."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ._assignments import ASSIGNMENTS
from ._silent import silent_client

PACKAGE = Path(__file__).parents[1]  # a submission is checked by the package that grades it
STARTS = 60  # seconds in which Python and the package must have started
PATIENCE = 5  # a submission as a whole may take as many times what a cell may
BEGIN = "from shattered_lite.exercises import _collect\n_collect.begin({!r})\ndel _collect"
WRITE = "from IPython.core.getipython import get_ipython\nget_ipython().answers.write({!r}, {!r})"


@dataclass
class Outcome:
    """What a submission came to: whether it was run, the values of each answer that has some, notes for the teacher."""

    ran: bool = True
    values: dict[str, list[Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def sources(file: Path) -> list[str]:
    """Its code cells. What else a notebook says (kernel, tags, ids, outputs) may be damaged, and is not needed."""
    import nbformat

    notebook = nbformat.read(file, as_version=4)
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run(file: Path, assignment: str, seconds: float) -> Outcome:
    """Run all of it that ends in time. The file itself is only read."""
    try:
        cells = sources(file)
    except Exception as error:  # whatever the file holds
        said = f"{type(error).__name__}: {str(error)[:100]}" if file.suffix == ".ipynb" else "look at it by hand"
        return Outcome(ran=False, notes=[f"not a notebook: {said}"])
    names = [task.answer for task in ASSIGNMENTS[assignment].tasks]
    process = _Process(cells, assignment, names, seconds)
    while True:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            if process.ends(Path(home)):
                outcome = _read(Path(home), [name for name in names if name not in process.stuck()])
                outcome.notes += process.notes()
                return outcome


class _Process:
    """A submission in a fresh Python. A cell that does not end takes that with it: the next try leaves the cell out."""

    def __init__(self, cells: list[str], assignment: str, names: list[str], seconds: float) -> None:
        self.cells, self.names, self.seconds = cells, names, seconds
        written = [WRITE.format(name, f"answer-{name}.json") for name in names]
        self.code = [BEGIN.format(assignment), *cells, *written]
        self.left_out: set[int] = set()
        self.unreached: set[int] = set()
        self.spent = 0.0  # seconds in the student's cells, over all tries

    def notes(self) -> list[str]:
        """Which cells do not count, and why."""
        said = [f"{self._named(number)} did not end in time, or ended Python: left out" for number in self.left_out]
        late = f"time was up: code cells from {min(self.unreached)} on were not run" if self.unreached else ""
        return [*said, late] if late else said

    def stuck(self) -> list[str]:
        """Answers that did not end when they were tried."""
        return [self.names[number - len(self.cells) - 1] for number in self.left_out if number > len(self.cells)]

    def _named(self, number: int) -> str:
        return f"code cell {number}" if number <= len(self.cells) else self.names[number - len(self.cells) - 1]

    def ends(self, home: Path) -> bool:
        """Try once, and kill whatever is left of the process and its group."""
        from nbclient.exceptions import CellTimeoutError, DeadKernelError
        from nbformat.v4 import new_code_cell, new_notebook

        client = silent_client(new_notebook(cells=[new_code_cell(source) for source in self.code]), home)
        environment = {"HOME": str(home), "TMPDIR": str(home), "OMP_NUM_THREADS": "1", "PATH": os.environ["PATH"]}
        environment["PYTHONPATH"] = str(PACKAGE.parent)
        with client.setup_kernel(env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            group = client.km.provisioner.pid  # its process leads a group of its own
            try:
                for number in self._due():
                    client.timeout = math.ceil(self.seconds) + (STARTS if number == 0 else 0)
                    client.allow_errors = number > 0  # the first cell is not the student's
                    with self._counted(number):
                        client.execute_cell(client.nb.cells[number], number)
            except (CellTimeoutError, DeadKernelError):
                if number == 0:
                    raise
                self.left_out.add(number)
                return False
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(group, signal.SIGKILL)
        return True

    def _due(self) -> Iterator[int]:
        """The numbers of the cells to run; the student's, while there is time."""
        for number in range(len(self.code)):
            students = 0 < number <= len(self.cells)
            if students and self.spent >= PATIENCE * self.seconds:
                self.unreached.add(number)
            elif number not in self.left_out:
                yield number

    @contextmanager
    def _counted(self, number: int) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.spent += time.monotonic() - began if 0 < number <= len(self.cells) else 0


def _read(home: Path, names: list[str]) -> Outcome:
    outcome = Outcome()
    for name in names:
        file = home / f"answer-{name}.json"
        found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"fault": "it could not be read"}
        if "values" in found:
            outcome.values[name] = found["values"]
        elif "fault" in found:
            outcome.notes.append(f"{name}: {found['fault']}")
    return outcome
