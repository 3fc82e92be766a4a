"""Accuracy against depth after long training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..training import Record, Run
from ._choices import SEEDS, merit, search
from ._networks import NETWORKS

NAMES = (  # the most valuable first
    "looks linear", "residual, beta 0.1", "residual, batch norm", "plain, batch norm", "looks linear, equal cost",
    "crelu",
)  # fmt: skip
DEPTHS, DEEPEST = (98, 24), 198
FIRST_RUNGS = range(9)  # 1e-6 to 6.6e-3
CHOICES = (3, 10)  # passes
LEADERS = 3
PATIENT: tuple[dict[str, Any], ...] = (
    {"data": "digits"},
    {"data": "cifar10", "patch": 4, "images": 1_000, "batch_size": 50},
)


def figure_6_long(found: Sequence[Record]) -> list[Run]:
    """Accuracy against depth on the whole of CIFAR-10 after thirty passes, for a GPU and half an hour.

    Step sizes are chosen by successive halving on held-out images: nine of them, a factor of three apart, at three
    passes; the best three at ten. At either stage the best must have both its neighbours on the ladder beside it: where
    it has not, they are run too, from 1.2e-8 to 1.6 at the utmost. The winner trains on all images for thirty passes,
    with three seeds. The three networks that are best at 98 layers on held-out images go on to 198 layers.

    All else is as in :func:`figure_6`, whose records have the starts of these networks too.

    Parameters
    ----------
    found : sequence of Record
        Those made so far.

    Returns
    -------
    list of Run
        The most valuable first: choices, then one seed for each network and depth before any second.

    References
    ----------
    Balduzzi et al. (2017), Figure 6; Jamieson and Talwalkar (2016). Used in the chapter *Training very deep networks*.

    Examples
    --------
    >>> len(sl.lab.grids.figure_6_long([]))  # six networks, two depths, nine step sizes
    108
    """
    made = {record.run: record for record in found}
    base: dict[str, Any] = {
        "width": 32, "patch": 2, "batch_size": 500, "augment": True, "decay": True, "precision": "bfloat16",
        "convolutional": True, "data": "cifar10",
    }  # fmt: skip
    runs: list[Run] = []
    winners: dict[str, Record] = {}
    for depth in DEPTHS:
        for name in NAMES:
            planned, winner = _halved(made, NETWORKS[name].run(**base, depth=depth), epochs=30, seeds=SEEDS[:3])
            runs += planned
            if winner and depth == DEPTHS[0]:
                winners[name] = winner
    if len(winners) == len(NAMES):
        for name in sorted(NAMES, key=lambda name: merit(winners[name]), reverse=True)[:LEADERS]:
            runs += _halved(made, NETWORKS[name].run(**base, depth=DEEPEST), epochs=30, seeds=SEEDS[:3])[0]
    return sorted(runs, key=lambda run: (run.seed > SEEDS[0], run.depth == DEEPEST, not run.held_out))


def figure_6_patient(found: Sequence[Record]) -> list[Run]:
    """Accuracy against depth after forty passes, on the digits and on a thousand photographs, for two cores.

    Step sizes are chosen as in :func:`figure_6_long`, then five seeds are trained, whose starts are measured.

    Parameters
    ----------
    found : sequence of Record
        Those made so far.

    Returns
    -------
    list of Run
        The digits before the photographs; of either, choices, then one seed for each network and depth before any
        second.

    References
    ----------
    Balduzzi et al. (2017), Figure 6. Used in the chapter *Training very deep networks*.

    Examples
    --------
    >>> len(sl.lab.grids.figure_6_patient([]))  # two data sets, seven networks, three depths, nine step sizes
    378
    """
    made = {record.run: record for record in found}
    planned: list[Run] = []
    for data in PATIENT:
        base = data | {"width": 8, "convolutional": True, "decay": True, "minibatches": 2}
        runs: list[Run] = []
        for depth in (98, 24, 6):
            for name in (*NAMES, "linear"):
                runs += _halved(made, NETWORKS[name].run(**base, depth=depth), epochs=40, seeds=SEEDS)[0]
        planned += sorted(runs, key=lambda run: (run.seed > SEEDS[0], not run.held_out))
    return planned


def _halved(
    made: Mapping[Run, Record], run: Run, *, epochs: int, seeds: Sequence[int]
) -> tuple[list[Run], Record | None]:
    """All runs of one network and depth that are known so far, and the winner of the choice, once there is one."""
    runs: list[Run] = []
    rungs: Sequence[int] = FIRST_RUNGS
    for passes in CHOICES:
        choice = replace(run, epochs=passes, minibatches=0)
        tried, ranked = search(made, choice, rungs, lambda records: merit(records[0]))
        runs += tried
        if not ranked:
            return runs, None
        rungs = [*ranked][:3]
    (winner,) = ranked[rungs[0]]
    trained = replace(run, learning_rate=winner.run.learning_rate, epochs=epochs)
    return [*runs, *(replace(trained, seed=seed) for seed in seeds)], winner
