"""Steps to an accuracy against depth: the price of shattering, and its controls."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from ..records import steps_to
from ..training import Record, Run
from ._choices import SEEDS, search
from ._networks import CONTROLS, NETWORKS

NAMES = (
    "plain, batch norm", "looks linear", "residual, batch norm", "mirror at 90 degrees", "plain, backward kept",
    "residual, beta 0.1", "mirror at 45 degrees", "Gaussian mirror", "highway",
)  # fmt: skip
FIRST_RUNGS = {"adam": (6, 7, 8), "sgd": (9, 10, 11)}  # 7e-4 to 7e-3, and 2e-2 to 2e-1
CHOICES = {32: (0, 6, 7), 128: (0, 6, 7), 512: (0,)}  # passes that a choice of the step size may take, and its seeds
LONGEST = max(CHOICES)


def time_to_learn(found: Sequence[Record]) -> list[Run]:
    """Steps until nine of ten digits are read rightly, against depth: fully connected, 64 wide, for two cores.

    Nine networks of 4 to 64 layers, with Adam and with momentum: plain with batch norm, and with its gradient kept in
    size; concatenated rectifiers with a mirror at 0 (looks linear), 45 and 90 degrees, and a Gaussian one; residual
    with either beta; highway. Each learns from 1,000 images in batches of 100, up to 5,120 steps. What does not get
    there is censored, and stays: see :func:`shattered_lite.lab.records.steps_to`.

    The step size is that of the shortest time on held-out images, the median of three seeds, among three step sizes or
    more, a factor of three apart; where a neighbour of the best was not tried, it is, from 1.2e-8 to 1.6 at the utmost.
    A choice takes up to 320 steps; up to 1,280 where the best median is longer; and where it is longer again, up to
    5,120, with one seed. Then five other seeds are tested on test images.

    Parameters
    ----------
    found : sequence of Record
        Those made so far.

    Returns
    -------
    list of Run
        In four parts, each named when the one before it is made: Adam to 32 layers, Adam at 48 and 64, then momentum.

    References
    ----------
    Used in the chapter *The price is time*.

    Examples
    --------
    >>> len(sl.lab.grids.time_to_learn([]))  # nine networks, six depths, three step sizes, three seeds
    486
    """
    base = {"data": "digits", "width": 64, "target": 0.9}
    return _timed(found, base, product(FIRST_RUNGS, ((4, 8, 12, 16, 24, 32), (48, 64))))


def time_to_learn_wide(found: Sequence[Record]) -> list[Run]:
    """The same as :func:`time_to_learn` with Adam, to 32 layers, for networks 256 wide.

    Parameters
    ----------
    found : sequence of Record
        Those made so far.

    Returns
    -------
    list of Run
        All at once.

    References
    ----------
    Used in the chapter *The price is time*.

    Examples
    --------
    >>> {run.width for run in sl.lab.grids.time_to_learn_wide([])}
    {256}
    """
    base = {"data": "digits", "width": 256, "target": 0.9}
    return _timed(found, base, [("adam", (4, 8, 16, 24, 32))])


def time_to_learn_mnist(found: Sequence[Record]) -> list[Run]:
    """The same as :func:`time_to_learn` with Adam, to 32 layers, until eight of ten digits of MNIST are read rightly.

    A thousand images are few for MNIST: nine of ten would be out of reach for networks that learn at once.

    Parameters
    ----------
    found : sequence of Record
        Those made so far.

    Returns
    -------
    list of Run
        In two parts, to 16 layers and at 24 and 32.

    References
    ----------
    LeCun et al. (1998). Used in the chapter *The price is time*.

    Examples
    --------
    >>> {run.data for run in sl.lab.grids.time_to_learn_mnist([])}
    {'mnist'}
    """
    base = {"data": "mnist", "width": 64, "target": 0.8}
    return _timed(found, base, product(["adam"], ((4, 8, 16), (24, 32))))


def _timed(found: Sequence[Record], base: dict[str, Any], parts: Iterable[tuple[str, Iterable[int]]]) -> list[Run]:
    made = {record.run: record for record in found}
    common = base | {"images": 1_000, "batch_size": 100, "minibatches": 2}
    planned: list[Run] = []
    for optimizer, depths in parts:
        part: list[Run] = []
        for depth in depths:
            for name in NAMES:
                part += _chosen(made, (NETWORKS | CONTROLS)[name].run(**common, depth=depth, optimizer=optimizer))
        planned += sorted(part, key=lambda run: (not run.held_out, run.seed))
        if not made.keys() >= set(part):
            break
    return planned


def _chosen(made: Mapping[Run, Record], run: Run) -> list[Run]:
    """All runs of one network and depth that are known so far."""
    runs: list[Run] = []
    for passes, seeds in CHOICES.items():
        longer = replace(run, epochs=passes)
        tried, ranked = search(made, longer, FIRST_RUNGS[run.optimizer], _quickness, seeds)
        runs += tried
        if not ranked:
            return runs
        best = next(iter(ranked.values()))
        if _median(best) < math.inf:
            break
    return runs + [replace(best[0].run, epochs=LONGEST, held_out=False, seed=seed) for seed in SEEDS]


def _quickness(records: list[Record]) -> tuple[float, float]:
    """By what the best of several step sizes is chosen: the median time, and the mean training loss where times tie."""
    loss = statistics.fmean(record.losses[-1] for record in records)
    return -_median(records), -math.inf if math.isnan(loss) else -loss


def _median(records: list[Record]) -> float:
    return statistics.median(steps_to(record).reached for record in records)
