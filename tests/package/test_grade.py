"""Grading: nothing of a student's is lost, nobody stops the others, and nothing outside a submission is touched."""

from __future__ import annotations

import csv
import json
import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import pytest

from shattered_lite.exercises import ASSIGNMENTS, EXERCISES, _collect, _grade, grade
from shattered_lite.exercises._submission import Outcome
from shattered_lite.lab import cli

IMPORTS = "import numpy as np\nimport shattered_lite as sl"
VARIANCE = "weight_variance = lambda q, width: 1 / (q * width)\nsl.exercises.check('gates-variance', weight_variance)"
PLAIN = "def plain(q, depth):\n    return q**depth"
ASK_PLAIN = "sl.exercises.check('gates-plain', plain)"
RESIDUAL = "residual = lambda q, depth: ((1 + q) / 2) ** depth\nsl.exercises.check('gates-residual', residual)"
ALTERNATE = "alternate = (3 / 8) ** 5\nsl.exercises.check('gates-alternate', alternate)"
BETA = "def beta(q, depth, kept):\n    w = (1 - kept ** (1 / depth)) / (1 - q)\n    return np.sqrt(w / (1 - w))"
RIGHT = [IMPORTS, VARIANCE, f"{PLAIN}\n{ASK_PLAIN}", RESIDUAL, ALTERNATE, BETA]
BLANK = "alternate = None\nsl.exercises.check('gates-alternate', alternate)"
ENDLESS = "while True:\n    print('x' * 1000)"
STUBBORN = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
NEVER = "def beta(q, depth, kept):\n    while True: pass"
SECONDS = 20  # this machine may be busy

# What is handed in, the points of the five tasks, and what the note must say.
SUBMISSIONS: dict[str, tuple[list[str], list[int], str]] = {
    "right": (RIGHT, [2, 2, 2, 2, 3], ""),
    "wrong": ([*RIGHT[:3], RESIDUAL.replace("1 + q", "q"), ALTERNATE, BETA], [2, 2, 0, 2, 3], "residual: Not yet."),
    "empty": ([], [0, 0, 0, 0, 0], "plain: no answer"),
    "blank copied below the answers": ([*RIGHT, BLANK, BLANK], [2, 2, 2, 2, 3], ""),
    "answer copied": ([*RIGHT[:5], VARIANCE, PLAIN, BETA], [2, 2, 2, 2, 3], ""),
    "cells deleted": ([IMPORTS, RESIDUAL], [0, 0, 2, 0, 0], "alternate: no answer"),
    "imports deleted": (RIGHT[1:], [2, 2, 2, 2, 0], "beta: NameError: name 'np' is not defined"),
    "cells split": ([IMPORTS, VARIANCE, PLAIN, ASK_PLAIN, RESIDUAL, ALTERNATE, BETA], [2, 2, 2, 2, 3], ""),
    "everything reset": ([*RIGHT[:5], "%reset -f"], [2, 2, 2, 2, 0], "beta: no answer"),
    "endless": ([*RIGHT[:3], ENDLESS, *RIGHT[3:]], [2, 2, 2, 2, 3], "code cell 4 did not end in time"),
    "stubborn": ([*RIGHT[:3], STUBBORN, *RIGHT[3:]], [2, 2, 2, 2, 3], "code cell 4 did not end in time"),
    "endless answer": ([*RIGHT[:5], NEVER], [2, 2, 2, 2, 0], "beta did not end in time"),
    "leaves": ([*RIGHT[:3], "import os\nos._exit(0)", *RIGHT[3:]], [2, 2, 2, 2, 3], "ended Python"),
}
slow = pytest.mark.slow  # each starts Python anew


def hand_in(folder: Path, name: str, cells: list[str]) -> Path:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")
    return folder / f"{name}.ipynb"


def points(row: dict[str, str]) -> list[int]:
    return [int(row[task.answer]) for task in ASSIGNMENTS["theory"].tasks]


@slow
@pytest.mark.parametrize("name", SUBMISSIONS)
def test_a_submission_gets_what_it_deserves(name: str, tmp_path: Path) -> None:
    cells, deserved, said = SUBMISSIONS[name]
    file = hand_in(tmp_path / "in", name, cells)
    before = file.read_bytes()
    [row] = grade("theory", tmp_path / "in", tmp_path / "marks.csv", seconds=SECONDS)
    assert points(row) == deserved
    assert said in row["notes"]
    assert bool(said) == bool(row["notes"])
    assert file.read_bytes() == before


@slow
def test_a_submission_harms_nobody(tmp_path: Path) -> None:
    """It tries; each try fails, and what was right before and after it counts."""
    other = hand_in(tmp_path / "in", "other", RIGHT)
    before = other.read_bytes()
    harm = [
        f"import shutil; shutil.rmtree({str(tmp_path)!r})",
        f"open({str(other)!r}, 'w')",
        f"import os; os.remove({str(other)!r})",
        f"import subprocess; subprocess.run(['rm', {str(other)!r}])",
        f"!rm {other}",
        f"open({str(tmp_path / 'trace')!r}, 'w')",
    ]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        harm.append(f"import socket; socket.create_connection({listening.getsockname()!r}, timeout=2)")
        hand_in(tmp_path / "in", "vandal", [IMPORTS, *harm, *RIGHT[1:]])
        rows = list(grade("theory", tmp_path / "in", tmp_path / "marks.csv", seconds=SECONDS))
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert [(row["submission"], row["checked"]) for row in rows] == [("other.ipynb", "11"), ("vandal.ipynb", "11")]
    assert other.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "marks.csv"]


@slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are listed in /proc, on Linux")
def test_what_a_submission_starts_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    homes = tmp_path / "homes"
    homes.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(homes))
    code = "import os, time\nif os.fork() == 0:\n    time.sleep(1000)\nalternate = (3 / 8) ** 5"
    hand_in(tmp_path / "in", "forks", [IMPORTS, code])
    [row] = grade("theory", tmp_path / "in", tmp_path / "marks.csv", seconds=SECONDS)
    assert row["alternate"] == "2"
    assert living_in(homes) == []
    assert list(homes.iterdir()) == []


def living_in(folder: Path) -> list[str]:
    """Processes whose home is there."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(folder).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
    return found


# Without a process


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> None:
    """A submission whose name is a number gives it as its answer to task 4."""

    def run(file: Path, _assignment: str, _seconds: float) -> Outcome:
        if file.suffix != ".ipynb":
            return Outcome(ran=False, notes=["not a notebook: look at it by hand"])
        return Outcome(values={"alternate": [float(file.stem)]})

    monkeypatch.setattr(_grade, "run", run)


@pytest.mark.usefixtures("pretend")
def test_the_table_has_a_row_for_each_file(tmp_path: Path) -> None:
    for name in ("a/0.0074157715.ipynb", "b/0.5.ipynb", "b/essay.pdf", ".hidden", "b/.ipynb_checkpoints/0.5.ipynb"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    list(grade("theory", tmp_path / "in", tmp_path / "marks.csv"))
    with (tmp_path / "marks.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["submission"] for row in rows] == ["a/0.0074157715.ipynb", "b/0.5.ipynb", "b/essay.pdf"]
    assert [row["alternate"] for row in rows] == ["2", "0", "0"]
    assert rows[0]["proof (by hand, of 6)"] == ""
    assert rows[2]["notes"] == "not a notebook: look at it by hand"
    assert "alternate: Not yet. That is none of the usual mistakes" in rows[1]["notes"]


@pytest.mark.usefixtures("pretend")
def test_a_table_that_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "marks.csv").write_text("marks of an evening")
    (tmp_path / "0.5.ipynb").touch()
    with pytest.raises(ValueError, match="it exists, and may hold marks"):
        grade("theory", tmp_path, tmp_path / "marks.csv")
    assert (tmp_path / "marks.csv").read_text() == "marks of an evening"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"assignment": "thoery"}, "assignment='thoery': choose one of 'theory', 'experiment'"),
        ({"folder": "nowhere"}, "folder='nowhere': it does not exist, or is no folder"),
        ({"folder": "."}, "folder='.': nothing is in it"),
        ({"seconds": 0}, "seconds=0: a positive number is needed"),
    ],
)
def test_what_cannot_be_graded_is_named(change: dict[str, Any], said: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = {"assignment": "theory", "folder": ".", "table": "marks.csv"} | change
    with pytest.raises(ValueError, match=said):
        grade(**wanted)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("pretend")
def test_the_command_prints_a_line_for_each(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0.0074157715.ipynb").touch()
    assert cli.main(["grade", "theory", str(tmp_path / "in"), "--table", str(tmp_path / "marks.csv")]) == 0
    assert capsys.readouterr().out.startswith("0.0074157715.ipynb: 2 of 11  weight_variance: no answer")
    assert cli.main(["grade", "theory", str(tmp_path / "in"), "--table", str(tmp_path / "marks.csv")]) == 2
    assert "may hold marks" in capsys.readouterr().err


def test_an_answer_stays_given(tmp_path: Path) -> None:
    answers = _collect.Answers("theory")
    for namespace in ({"alternate": 0.5}, {"alternate": 0.0074157715}, {"alternate": None}, {}):
        answers.look(namespace)
    answers.write("alternate", str(tmp_path / "a.json"))
    answers.write("beta", str(tmp_path / "b.json"))
    assert json.loads((tmp_path / "a.json").read_text()) == {"values": [0.0074157715]}
    assert json.loads((tmp_path / "b.json").read_text()) == {}


def test_a_fault_of_an_answer_is_told(tmp_path: Path) -> None:
    answers = _collect.Answers("theory")
    answers.look({"beta": lambda *_: 1 / 0, "alternate": "a lot"})
    for name, said in (("beta", "ZeroDivisionError: division by zero"), ("alternate", "asks for a number")):
        answers.write(name, str(tmp_path / name))
        assert said in json.loads((tmp_path / name).read_text())["fault"]


@pytest.mark.parametrize(
    ("event", "arguments", "allowed"),
    [
        ("open", ("{home}/x", "w", os.O_WRONLY | os.O_CREAT), True),
        ("open", ("{home}/../x", "w", os.O_WRONLY | os.O_CREAT), False),
        ("open", ("/etc/hostname", "r", os.O_RDONLY), True),
        ("open", ("/etc/hostname", "a", os.O_WRONLY | os.O_APPEND), False),
        ("open", (os.devnull, "w", os.O_WRONLY), True),
        ("open", (3, "w", os.O_WRONLY), True),
        ("os.rename", ("{home}/x", "{home}/y", -1, -1), True),
        ("os.rename", ("{home}/x", "/elsewhere/y", -1, -1), False),
        ("os.remove", (b"/elsewhere/y", -1), False),
        ("shutil.rmtree", ("{home}/..", None), False),
        ("socket.connect", (None, ("localhost", 80)), False),
        ("subprocess.Popen", ("ls", [], None, None), False),
        ("import", ("os", None, None, None, None), True),
    ],
)
def test_the_guard_refuses_what_is_outside(event: str, arguments: tuple, allowed: bool, tmp_path: Path) -> None:
    here = tuple(each.format(home=tmp_path) if isinstance(each, str) else each for each in arguments)
    ask = _collect.guard(tmp_path.resolve())
    if allowed:
        ask(event, here)
    else:
        with pytest.raises(PermissionError, match="a submission"):
            ask(event, here)


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_an_assignment_is_well_made(name: str) -> None:
    assignment = ASSIGNMENTS[name]
    names = [task.answer for task in assignment.tasks]
    assert len(set(names)) == len(names)
    assert all(each.isidentifier() for each in names)
    assert {task.exercise for task in assignment.tasks} <= set(EXERCISES)
    for part in assignment.by_hand:  # the points that its rubric gives out are those that it is worth
        assert sum(int(word) for word in part.rubric.split() if word.isdigit()) == part.points, part.name
