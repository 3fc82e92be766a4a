"""A folder of submissions, graded into a table."""

from __future__ import annotations

import csv
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

from ._assignments import ASSIGNMENTS
from ._check import EXERCISES
from ._submission import run
from ._verdict import verdict


def grade(assignment: str, folder: str | Path, table: str | Path, *, seconds: float = 60) -> Iterator[dict[str, str]]:
    """Run every submission under a folder, and write a row for each into a table as soon as it is known.

    Nothing in the folder is changed. A submission runs in a process of its own, which is killed with all that it
    started; a cell that does not end, or ends Python, is left out and the rest is run again. An answer that was given
    stays given, whatever is emptied, copied or reset below it; of two, the last counts. By mistake a submission can
    neither write outside its own folder nor use the network; whoever wants to, can: grade strangers in a container.

    Parameters
    ----------
    assignment : str
        ``"theory"`` or ``"experiment"``.
    folder : path
        Of the submissions, at any depth: notebooks, and whatever else students hand in, which gets a row too.
    table : path
        The file to write, as CSV. It must not exist: somebody may have entered marks.
    seconds : float
        What a cell may take. A submission as a whole may take five times as long.

    Returns
    -------
    iterator of dict of str to str
        A row as soon as it is written: points of each checked task, their sum, an empty place for each mark by hand,
        notes.

    Raises
    ------
    ValueError
        If there is no such assignment or folder, nothing is in it, the table exists, or ``seconds`` is not positive.
    ImportError
        If nbclient or ipykernel is missing.
    OSError
        On Windows, where a submission cannot be stopped with all that it started.

    Examples
    --------
    >>> sl.exercises.grade("homework", "submissions", "marks.csv")
    Traceback (most recent call last):
        ...
    ValueError: assignment='homework': choose one of 'theory', 'experiment'
    """
    if assignment not in ASSIGNMENTS:
        raise ValueError(f"assignment={assignment!r}: choose one of {', '.join(map(repr, ASSIGNMENTS))}")
    if not seconds > 0:
        raise ValueError(f"seconds={seconds!r}: a positive number is needed")
    folder, table = Path(folder), Path(table)
    if table.exists():
        raise ValueError(f"table={str(table)!r}: it exists, and may hold marks; choose another name")
    submissions = _submissions(folder)
    _need_what_runs_notebooks()
    return _rows(assignment, folder, submissions, table, seconds)


def _submissions(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"folder={str(folder)!r}: it does not exist, or is no folder")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    shown = [path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    if not shown:
        raise ValueError(f"folder={str(folder)!r}: nothing is in it")
    return shown


def _need_what_runs_notebooks() -> None:
    if missing := [name for name in ("nbclient", "ipykernel") if importlib.util.find_spec(name) is None]:
        raise ImportError(f"{' and '.join(missing)} missing: pip install 'shattered_lite[course]'")
    if not hasattr(os, "killpg"):
        raise OSError("grading needs Linux, macOS or WSL: only there a submission can be stopped with all it started")


def _rows(
    assignment: str, folder: Path, submissions: list[Path], table: Path, seconds: float
) -> Iterator[dict[str, str]]:
    wanted = ASSIGNMENTS[assignment]
    columns = ["submission", *(task.answer for task in wanted.tasks), "checked", "out of"]
    columns += [*(f"{part.name} (by hand, of {part.points})" for part in wanted.by_hand), "notes"]
    with table.open("x", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for path in submissions:
            row = dict.fromkeys(columns, "") | {"submission": path.relative_to(folder).as_posix()}
            row |= _row(assignment, path, seconds)
            writer.writerow(row)
            file.flush()
            yield row


def _row(assignment: str, path: Path, seconds: float) -> dict[str, str]:
    """Points for each task, their sum, and what is to be said."""
    tasks = ASSIGNMENTS[assignment].tasks
    outcome, points, notes = run(path, assignment, seconds), {}, []
    for task in tasks:
        said = "no answer"
        if task.answer in outcome.values:
            try:
                said = verdict(EXERCISES[task.exercise], outcome.values[task.answer])
            except (TypeError, ValueError) as error:  # of estimates that are none
                said = str(error)
        points[task.answer] = task.points if said == "Right." else 0
        if said != "Right.":
            notes.append(f"{task.answer}: {said}")
    if not outcome.ran:
        notes = []
    whole = sum(task.points for task in tasks)
    return {name: str(each) for name, each in points.items()} | {
        "checked": str(sum(points.values())),
        "out of": str(whole),
        "notes": "; ".join([*outcome.notes, *notes]),
    }
