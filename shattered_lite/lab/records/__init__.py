"""Recorded runs: their names, and their files, which are read as strictly as they are written.

The package's own long runs lie in this folder, one table a grid.
"""

from ._format import PROVENANCE, dumps, loads, name
from ._tables import FOLDER, fold, read, write
from ._times import Steps, steps_to

__all__ = ["FOLDER", "PROVENANCE", "Steps", "dumps", "fold", "loads", "name", "read", "steps_to", "write"]


def __dir__() -> list[str]:
    return sorted(__all__)
