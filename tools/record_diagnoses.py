"""What a diagnosis says of networks that others built: ``python -m tools.record_diagnoses [SET ...]``.

The cases stand in ``tests/diagnose``; a row each goes into ``shattered_lite/lab/records/diagnoses.csv``. A row keeps
what was said when its case was first met, however the diagnosis changes. The history has the code that met a set first:
1cfa28d the second, ac59653 the third, 1526446 the fourth, 38895a1 the fifth, 246fa4f the sixth,
ba9917d the seventh, 6e938fb the eighth, 93e4cf5 the ninth and the tenth, 7ce302f the twelfth, and then 2bdc3ca the
eleventh. A crash counts as a refusal.
"""

from __future__ import annotations

import csv
import importlib
import io
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import torch

import shattered_lite as sl
from shattered_lite._files import write_atomically
from shattered_lite.lab.training._machine import describe
from tools.site import ROOT

SEED = 1
SETS = {  # where the healthy ones stand, and where the sick ones
    "first": ("healthy.HEALTHY", "sick.SICK"),
    "second": ("held_out.HEALTHY_TOO", "held_out.SICK_TOO"),
    "third": ("last_cases.HEALTHY_LAST", "last_cases.SICK_LAST"),
    "fourth": ("exam_cases.HEALTHY_EXAM", "exam_cases.SICK_EXAM"),
    "fifth": ("fifth_cases.HEALTHY_FIFTH", "fifth_cases.SICK_FIFTH"),
    "sixth": ("sixth_cases.HEALTHY_SIXTH", "sixth_cases.SICK_SIXTH"),
    "seventh": ("seventh_cases.HEALTHY_SEVENTH", "seventh_cases.SICK_SEVENTH"),
    "eighth": ("eighth_cases.HEALTHY_EIGHTH", "eighth_cases.SICK_EIGHTH"),
    "ninth": ("ninth_cases.HEALTHY_NINTH", "ninth_cases.SICK_NINTH"),
    "tenth": ("tenth_cases.HEALTHY_TENTH", "tenth_cases.SICK_TENTH"),
    "eleventh": ("eleventh_cases.HEALTHY_ELEVENTH", "eleventh_cases.SICK_ELEVENTH"),
    "twelfth": ("twelfth_cases.HEALTHY_TWELFTH", "twelfth_cases.SICK_TWELFTH"),
}
COLUMNS = ("set", "state", "name", "expected", "at_first", "now")
TABLE = sl.lab.records.FOLDER / "diagnoses.csv"


def read() -> dict[tuple[str, str, str], dict[str, str]]:
    """The table as it is, by set, state and name."""
    lines = TABLE.read_text().splitlines()[1:] if TABLE.exists() else []
    return {(row["set"], row["state"], row["name"]): row for row in csv.DictReader(lines)}


def cases(name: str) -> Iterator[tuple[str, str, str, Any]]:
    """State, name, expected words and the case itself, of a set: healthy, then sick and cured."""
    if (folder := str(ROOT / "tests" / "diagnose")) not in sys.path:
        sys.path.insert(0, folder)
    healthy, sick = (getattr(importlib.import_module(where.split(".")[0]), where.split(".")[1]) for where in SETS[name])
    for case, make in healthy.items():
        yield "healthy", case, "healthy", make(SEED)
    for case, each in sick.items():
        yield "sick", case, each.cause if isinstance(each.cause, str) else "|".join(each.cause), each.factory(SEED)
        yield "cured", case, "healthy", each.cured(SEED)


def said(case: Any) -> str:
    """The cause; "refused" where the network is none that can be diagnosed, or the diagnosis breaks."""
    try:
        return sl.diagnose(*case, generator=torch.Generator().manual_seed(SEED)).cause
    except Exception:
        return "refused"


def main(sets: Iterable[str]) -> None:
    """Diagnose the cases of these sets, and write the table."""
    table = read()
    for name in sets or SETS:
        for state, case, expected, network in cases(name):
            now = said(network)
            at_first = table.get((name, state, case), {"at_first": now})["at_first"]
            row = (name, state, case, expected, at_first, now)
            print(*row, flush=True)
            table[name, state, case] = dict(zip(COLUMNS, row, strict=True))
    text = io.StringIO()
    text.write("# " + ", ".join(f"{key} {value}" for key, value in describe(torch.device("cpu")).items()) + "\n")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table.values())
    write_atomically(TABLE, text.getvalue().encode())


if __name__ == "__main__":
    main(sys.argv[1:])
