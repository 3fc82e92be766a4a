"""Many records: a folder of files."""

from __future__ import annotations

from pathlib import Path

from ..training import Record
from ._format import loads, name

FOLDER = Path(__file__).parent


def read(folder: Path) -> list[Record]:
    """All records of a folder, sorted by name.

    Parameters
    ----------
    folder : Path
        Of files ``*.json``; ``records.FOLDER / "figure_6"`` is one of the package's own.

    Returns
    -------
    list of Record
        Empty if there are no such files.

    Raises
    ------
    ValueError
        If there is no such folder, or a file is not a record; it names the file.

    References
    ----------
    Used in the chapter *Training very deep networks*.
    """
    if not folder.is_dir():
        fault = "this is a file" if folder.exists() else "it does not exist"
        raise ValueError(f"folder={str(folder)!r}: a folder is needed, and {fault}")
    found = []
    for file in folder.iterdir():
        if file.name.endswith(".json"):
            try:
                found.append(loads(file.read_text(encoding="utf-8")))
            except ValueError as error:
                raise ValueError(f"{file}: {error}") from error
    return sorted(found, key=lambda record: name(record.run))
