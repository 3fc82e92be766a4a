"""What is recorded, as a table and as a figure."""

from __future__ import annotations

import dataclasses
import io
import math
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ... import checks
from ..._files import write_atomically
from ..grids import network_of
from ..training import Record, Run

FORMATS = (".png", ".svg", ".pdf")


def table(found: Sequence[Record], planned: Iterable[Run]) -> str:
    """A row for each network and depth, that is, for the runs that differ in their seed alone."""
    made, wanted = {record.run: record for record in found}, set(planned)
    rows: dict[Run, list[Run]] = {}
    for run in sorted(wanted | made.keys(), key=lambda run: run.seed):
        rows.setdefault(dataclasses.replace(run, seed=0), []).append(run)
    fields = [field.name for field in dataclasses.fields(Run) if field.name not in ("kind", "depth")]
    columns = ["kind", "depth", *(field for field in fields if len({getattr(row, field) for row in rows}) > 1)]
    lines = [[*columns, "runs", *(["missing"] if wanted else []), "accuracy", "seconds"]]
    lines.append(["---"] * len(lines[0]))
    for row in sorted(rows, key=lambda row: [(getattr(row, each) is not None, getattr(row, each)) for each in columns]):
        here = [made[run] for run in rows[row] if run in made]
        missing = [len(rows[row]) - len(here)] if wanted else []
        seconds = f"{statistics.median(record.seconds for record in here):.1f}" if here else "–"
        settings = [getattr(row, column) for column in columns]
        lines.append([str(value) for value in [*settings, len(here), *missing, _accuracy(here), seconds]])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _accuracy(found: Sequence[Record]) -> str:
    """Mean of the last test accuracies, with its 95 % confidence interval where there are two or more."""
    last = np.array([record.accuracies[-1] for record in found if record.accuracies])
    if not len(last):
        return "–"
    mean, low, high = _with_interval(last)
    return f"{mean:.1%}" if math.isnan(low) else f"{mean:.1%} ({low:.1%} to {high:.1%})"


def draw(found: Sequence[Record], file: Path) -> None:
    """Write a figure of test accuracy against depth, a line a network.

    Runs that chose settings, and those that trained nothing, are left out. ``ValueError`` if the name of the file tells
    no format, if no run is left, or if runs of one network and depth differ in more than their seed.
    """
    from ... import plots  # only here: it takes long to import, and workers need none

    if file.suffix not in FORMATS:
        raise ValueError(f"plot={str(file)!r}: a name that ends in {', '.join(FORMATS)} is needed")
    plots.use_style()
    figure = plots.against_depth(
        {
            label: {depth: _with_interval(values) for depth, values in depths.items()}
            for label, depths in accuracies(found).items()
        },
        "test accuracy",
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format=file.suffix[1:])
    write_atomically(file, buffer.getbuffer())


def accuracies(found: Sequence[Record]) -> dict[str, dict[int, np.ndarray]]:
    """Accuracies at the end by network and depth."""
    shown = [record for record in found if record.accuracies and not record.run.held_out]
    if not shown:
        raise ValueError("plot: there is no record of a run that was tested on test images")
    widest = max(record.run.width for record in shown)
    groups: dict[str, dict[int, list[Record]]] = {}
    for record in shown:
        groups.setdefault(_label(record.run, widest), {}).setdefault(record.run.depth, []).append(record)
    for label, depths in groups.items():
        for depth, group in depths.items():
            _refuse_different([record.run for record in group], f"{label}, depth {depth}")
    return {
        label: {depth: np.array([record.accuracies[-1] for record in group]) for depth, group in depths.items()}
        for label, depths in groups.items()
    }


def _with_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean accuracy, and its 95 % confidence interval inside 0 and 1; nan where there is but one value."""
    if len(values) == 1:
        return float(values[0]), math.nan, math.nan
    mean, low, high = map(float, checks.interval(values))
    return mean, max(low, 0.0), min(high, 1.0)


def _label(run: Run, widest: int) -> str:
    try:
        return network_of(run, widest)
    except ValueError:  # a network of the user's own
        return ", ".join(f"{field}={getattr(run, field)}" for field in ("kind", "batch_norm", "beta", "initializer"))


def _refuse_different(runs: Sequence[Run], which: str) -> None:
    names = [field.name for field in dataclasses.fields(Run) if field.name != "seed"]
    differ = [name for name in names if len({getattr(run, name) for run in runs}) > 1]
    if differ:
        raise ValueError(
            f"plot: runs of one network and depth ({which}) differ in {', '.join(differ)}, and a figure has one line a "
            "network; put those that belong together into a folder of their own"
        )
