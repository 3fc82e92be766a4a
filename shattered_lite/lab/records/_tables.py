"""Many records: a folder with a file a run, as a sweep writes it, or a table with a line a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..._files import write_atomically
from ..training import Record, Run
from ._format import dumps, loads, name

FOLDER = Path(__file__).parent


def read(path: Path) -> list[Record]:
    """All records of a folder or of a table, sorted by configuration, the seed last.

    Parameters
    ----------
    path : Path
        A folder of files ``*.json``, one a run, as a sweep makes it; or a table that :func:`write` made.
        ``records.FOLDER / "figure_6.jsonl"`` is one of the package's own.

    Returns
    -------
    list of Record
        Empty if a folder has no such files.

    Raises
    ------
    ValueError
        If there is nothing of that name, if a file or a line is not a record, or if a table holds two of one run; it
        names the file, and the line.

    References
    ----------
    Used in the chapter *Training very deep networks*.

    Examples
    --------
    >>> found = sl.lab.records.read(sl.lab.records.FOLDER / "figure_6.jsonl")
    >>> tested = [record for record in found if not record.run.held_out]  # the others chose a learning rate
    >>> records = sl.lab.grids.by_network(tested)[24, "looks linear"]
    >>> [record.accuracies[-1] for record in records]
    [0.499, 0.4899, 0.5043, 0.4902, 0.4887]
    """
    if path.is_dir():
        found = [_parse(file.read_bytes(), str(file)) for file in path.iterdir() if file.name.endswith(".json")]
    elif path.exists():
        lines = path.read_bytes().splitlines()
        found = [_parse(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1)]
        _refuse_two_of_one_run(found, f"{path} holds")
    else:
        raise ValueError(f"path={str(path)!r}: a folder or a table of records is needed, and it does not exist")
    return sorted(found, key=_place)


def write(records: Iterable[Record], table: Path) -> None:
    """Write a table of records, one a line, sorted by configuration, the seed last.

    Parameters
    ----------
    records : iterable of Record
        Each of another run.
    table : Path
        File ``*.jsonl``; one of that name is replaced, as a whole or not at all.

    Raises
    ------
    ValueError
        If the name does not end so, two records are of one run, or :func:`loads` would refuse one.
    OSError
        If it cannot be written.

    References
    ----------
    Used for the records of the chapters *Convolutional networks and real images* and *Training very deep networks*.

    Examples
    --------
    >>> record = sl.lab.training.train(sl.lab.training.Run("plain", 2, epochs=1, images=100))
    >>> sl.lab.records.write([record], Path("mine.jsonl"))
    >>> sl.lab.records.read(Path("mine.jsonl")) == [record]
    True
    """
    if table.suffix != ".jsonl":
        raise ValueError(f"table={str(table)!r}: a name that ends in .jsonl is needed")
    ordered = sorted(records, key=_place)
    _refuse_two_of_one_run(ordered, "records hold")
    write_atomically(table, "".join(dumps(record, lines=False) for record in ordered).encode())


def fold(folder: Path, table: Path) -> list[Record]:
    """Put the records of a folder into a table, and keep those that it holds already.

    Parameters
    ----------
    folder : Path
        Of files ``*.json``, one a run; it is left as it is.
    table : Path
        File ``*.jsonl``, made if there is none.

    Returns
    -------
    list of Record
        All that the table holds now.

    Raises
    ------
    ValueError
        If :func:`read` refuses the folder or the table, or if the two hold different records of one run: which of them
        counts, only their owner knows. Nothing is written then.
    OSError
        If it cannot be written.

    References
    ----------
    Used for the records of the chapters *Convolutional networks and real images* and *Training very deep networks*.

    Examples
    --------
    >>> record = sl.lab.training.train(sl.lab.training.Run("plain", 2, epochs=1, images=100))
    >>> Path("runs").mkdir()
    >>> _ = Path("runs", "one.json").write_text(sl.lab.records.dumps(record))
    >>> sl.lab.records.fold(Path("runs"), Path("mine.jsonl")) == [record]
    True
    """
    if not folder.is_dir():
        fault = "this is a file" if folder.exists() else "it does not exist"
        raise ValueError(f"folder={str(folder)!r}: a folder is needed, and {fault}")
    new = read(folder)
    _refuse_two_of_one_run(new, f"{folder} holds")
    old = {record.run: record for record in (read(table) if table.exists() else [])}
    for record in new:
        if record.run in old and dumps(old[record.run]) != dumps(record):  # nan is not equal to itself
            raise ValueError(
                f"{folder} and {table} hold different records of {record.run}; "
                "remove one of the two, or fold into a new table"
            )
    write([*(old | {record.run: record for record in new}).values()], table)
    return read(table)


def _parse(content: bytes, place: str) -> Record:
    try:
        return loads(content.decode())
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def _refuse_two_of_one_run(found: Iterable[Record], where: str) -> None:
    for run, count in Counter(record.run for record in found).items():
        if count > 1:
            raise ValueError(f"{where} {count} records of one run, {name(run)!r}: {run}")


def _place(record: Record) -> list[tuple[bool, Any]]:
    """What records are sorted by: every field of the configuration, None before all else and the seed after."""
    names = [field.name for field in fields(Run) if field.name != "seed"]
    values = [getattr(record.run, each) for each in [*names, "seed"]]
    return [(value is not None, value) for value in values]
