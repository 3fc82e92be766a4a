"""What grids choose, and by what: seeds, and step sizes, on held-out images."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    made: Mapping[Run, Record],
    run: Run,
    rungs: Iterable[int],
    merit: Callable[[list[Record]], Any],
    seeds: Sequence[int] = (TUNING_SEED,),
) -> tuple[list[Run], dict[int, list[Record]]]:
    """A run on held-out images at each of these rungs, then beside the best of them, until it has both its neighbours.

    Returns the runs known so far, and, once all are made and no more is wanted, their records by rung, the best first.
    """
    choice, tried = replace(run, held_out=True), set(rungs)
    while True:
        runs = {
            rung: [replace(choice, learning_rate=rate(rung), seed=seed) for seed in seeds] for rung in sorted(tried)
        }
        every = [each for of_rung in runs.values() for each in of_rung]
        if not made.keys() >= set(every):
            return every, {}
        records = {rung: [made[each] for each in of_rung] for rung, of_rung in runs.items()}
        ranked = sorted(records, key=lambda rung: merit(records[rung]), reverse=True)
        beside = {ranked[0] - 1, ranked[0] + 1} & {*RUNGS} - tried
        if not beside:
            return every, {rung: records[rung] for rung in ranked}
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
