"""What grids choose, and by what: seeds, and step sizes, on held-out images."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..training import Record, Run

TUNING_SEED = 0
SEEDS = (1, 2, 3, 4, 5)
RUNGS = range(-4, 14)  # of the ladder of step sizes: 1.2e-8 to 1.6


def rate(rung: int) -> float:
    """A step size; neighbours on the ladder are a factor of three apart, and the lowest rung is 1e-6."""
    return round(1e-6 * 3.0**rung, 14)


def search(
    made: Mapping[Run, Record], run: Run, rungs: Iterable[int], merit: Callable[[Record], Any]
) -> tuple[list[Run], dict[int, Record]]:
    """A run at each of these rungs, then on either side of the best of them, until the best has both its neighbours.

    Returns the runs known so far, and, once all are made and no more is wanted, their records by rung, the best first.
    """
    tried = set(rungs)
    while True:
        runs = {rung: replace(run, learning_rate=rate(rung)) for rung in sorted(tried)}
        if not made.keys() >= set(runs.values()):
            return [*runs.values()], {}
        records = {rung: made[each] for rung, each in runs.items()}
        best, *others = sorted(records, key=lambda rung: merit(records[rung]), reverse=True)
        beside = {best - 1, best + 1} & {*RUNGS} - tried
        if not beside:
            return [*runs.values()], {rung: records[rung] for rung in (best, *others)}
        tried |= beside


def merit(record: Record) -> tuple[float, float]:
    """By what the best of several rates is chosen.

    Parameters
    ----------
    record : Record
        Of a run that trained.

    Returns
    -------
    tuple of float
        Accuracy at the end, and less the loss where several rates tie; a run that diverged comes last.

    Examples
    --------
    >>> found = sl.lab.records.read(sl.lab.records.FOLDER / "figure_6_small.jsonl")
    >>> best = max((record for record in found if record.run.epochs), key=sl.lab.grids.merit)
    >>> best.accuracies[-1] == max(record.accuracies[-1] for record in found if record.run.epochs)
    True
    """
    loss = record.losses[-1]
    return record.accuracies[-1], -math.inf if math.isnan(loss) else -loss
