"""What a diagnosis says of networks that others built: ``python -m tools.record_diagnoses``.

The cases stand in ``tests/diagnose``, in three sets; a row each goes into ``shattered_lite/lab/records/diagnoses.csv``.
"""

from __future__ import annotations

import csv
import importlib
import io
import sys
from collections.abc import Iterable, Iterator

import torch

import shattered_lite as sl
from shattered_lite._files import write_atomically
from shattered_lite.lab.training._machine import describe
from tools.site import ROOT

SEED = 1
SETS = {"first": ("healthy", "sick"), "second": ("held_out",) * 2, "third": ("last_cases",) * 2}
COLUMNS = ("set", "state", "name", "expected", "said")
TABLE = sl.lab.records.FOLDER / "diagnoses.csv"


def rows(sets: Iterable[str] = SETS) -> Iterator[tuple[str, ...]]:
    """Healthy, sick and cured networks of each set; of an expected cause, all words that are right."""
    sys.path.insert(0, str(ROOT / "tests" / "diagnose"))
    for name in sets:
        modules = [vars(importlib.import_module(each)) for each in SETS[name]]
        healthy, sick = (
            next(found for key, found in module.items() if key.startswith(what) and isinstance(found, dict))
            for module, what in zip(modules, ("HEALTHY", "SICK"), strict=True)
        )
        for case, make in healthy.items():
            yield name, "healthy", case, "healthy", said(make(SEED))
        for case, each in sick.items():
            causes = (each.cause,) if isinstance(each.cause, str) else each.cause
            yield name, "sick", case, "|".join(causes), said(each.factory(SEED))
            yield name, "cured", case, "healthy", said(each.cured(SEED))


def said(case: tuple) -> str:
    """The cause; "refused" where the network is none that can be diagnosed."""
    try:
        return sl.diagnose(*case).cause
    except ValueError:
        return "refused"


def main() -> None:
    """Write the table."""
    text = io.StringIO()
    text.write("# " + ", ".join(f"{name} {value}" for name, value in describe(torch.device("cpu")).items()) + "\n")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in rows():
        print(*row, flush=True)
        table.writerow(row)
    write_atomically(TABLE, text.getvalue().encode())


if __name__ == "__main__":
    main()
