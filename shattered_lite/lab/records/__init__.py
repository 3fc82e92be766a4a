"""Recorded runs: their names, and their files, which are read as strictly as they are written.

The files of the package's own long runs lie in this folder, one folder a grid.
"""

from ._format import PROVENANCE, dumps, loads, name
from ._tables import FOLDER, read

__all__ = ["FOLDER", "PROVENANCE", "dumps", "loads", "name", "read"]


def __dir__() -> list[str]:
    return sorted(__all__)
