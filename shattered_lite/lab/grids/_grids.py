"""The grids with a fixed list of rates, from the smallest to the largest, and all by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from ..training import Record, Run
from ._choices import SEEDS, TUNING_SEED, merit
from ._long import figure_6_long, figure_6_patient
from ._networks import NETWORKS
from ._times import time_to_learn, time_to_learn_mnist, time_to_learn_wide


def digits() -> list[Run]:
    """Accuracy against depth on the digits of scikit-learn: a minute on two cores, to try a sweep and its report.

    All networks train at one rate. That is enough to watch, and too little to rank them by: the other grids choose a
    rate for each.

    Returns
    -------
    list of Run
        Three networks at two depths, with three seeds.

    References
    ----------
    Alpaydin and Kaynak (1998). Used in the README.

    Examples
    --------
    >>> len(sl.lab.grids.digits())
    18
    """
    return [
        NETWORKS[name].run(depth=depth, width=32, seed=seed)
        for seed in SEEDS[:3]
        for depth in (50, 6)
        for name in ("plain, batch norm", "residual, batch norm", "looks linear")
    ]


def figure_5() -> list[Run]:
    """Gradients of untrained networks on CIFAR-10: ten networks of each kind and depth, thirty minibatches each.

    Returns
    -------
    list of Run
        Runs without training, one a network. The first network of a kind that shatters keeps, at three depths, the
        cosines of a map.

    References
    ----------
    Balduzzi et al. (2017), Figure 5. Used in the chapter *Convolutional networks and real images*.

    Examples
    --------
    >>> runs = sl.lab.grids.figure_5()
    >>> len(runs), runs[0].epochs
    (240, 0)
    """
    shape: dict[str, Any] = {"width": 8, "convolutional": True, "patch": 4, "data": "cifar10", "images": 10_000}
    gradients: dict[str, Any] = {"epochs": 0, "batch_size": 128, "minibatches": 30}
    mapped = ("plain, batch norm", "residual, batch norm", "residual, beta 0.1")
    return [
        NETWORKS[name].run(
            **shape, **gradients, depth=depth, seed=seed, cosines=seed == 0 and depth in (2, 10, 50) and name in mapped
        )
        for seed in range(10)
        for depth in (2, 4, 10, 24, 50, 100)
        for name in (*mapped, "looks linear")
    ]


def figure_6(found: Sequence[Record]) -> list[Run]:
    """Accuracy against depth on the whole of CIFAR-10, for a GPU.

    Parameters
    ----------
    found : sequence of Record
        Those made so far.

    Returns
    -------
    list of Run
        The longest first, so that workers end together.

    References
    ----------
    Balduzzi et al. (2017), Figure 6. Used in the chapter *Training very deep networks*.

    Examples
    --------
    >>> len(sl.lab.grids.figure_6([]))  # before any is made: rates to choose between
    140
    """
    base = {
        "width": 32, "patch": 2, "epochs": 3, "batch_size": 500, "augment": True, "precision": "bfloat16",
    }  # fmt: skip
    return _tuned(found, base, depths=(198, 98, 50, 24, 6), rates=(3e-5, 1.8e-4, 1.08e-3, 6.48e-3))


def figure_6_small(found: Sequence[Record]) -> list[Run]:
    """Accuracy against depth on a fiftieth of CIFAR-10, for two cores and an hour.

    Parameters
    ----------
    found : sequence of Record
        Those made so far.

    Returns
    -------
    list of Run
        The most valuable first.

    References
    ----------
    Balduzzi et al. (2017), Figure 6. Used in the chapter *Training very deep networks*.

    Examples
    --------
    >>> len(sl.lab.grids.figure_6_small([]))
    84
    """
    base = {"width": 8, "patch": 4, "epochs": 6, "batch_size": 50, "images": 1_000}
    return _tuned(found, base, depths=(98, 24, 6, 198), rates=(1e-4, 6e-4, 3.6e-3))


def figure_6_between(found: Sequence[Record]) -> list[Run]:
    """From ``figure_6_small`` towards ``figure_6``, one change at a time: 24 layers, for two cores and an hour.

    First six times as many steps as the small grid takes; then, with as many, more images, and each image once; from
    there either more channels, finer squares, or larger batches.

    Parameters
    ----------
    found : sequence of Record
        Those made so far.

    Returns
    -------
    list of Run
        Change by change.

    References
    ----------
    Used in the chapter *Training very deep networks*.

    Examples
    --------
    >>> len(sl.lab.grids.figure_6_between([]))
    36
    """
    steps = {"width": 8, "patch": 4, "epochs": 36, "batch_size": 50, "images": 1_000}
    once = steps | {"epochs": 1, "images": 36_000}
    changes = (
        steps,
        steps | {"epochs": 6, "images": 6_000},
        once,
        once | {"width": 32},
        once | {"patch": 2},
        once | {"epochs": 5, "batch_size": 250},
    )
    names, rates = ("plain, batch norm", "looks linear"), (1e-4, 6e-4, 3.6e-3)
    return [run for change in changes for run in _tuned(found, change, depths=(24,), rates=rates, names=names)]


def _tuned(
    found: Sequence[Record],
    base: dict[str, Any],
    depths: Iterable[int],
    rates: tuple[float, ...],
    names: Iterable[str] = tuple(NETWORKS),
) -> list[Run]:
    """For each depth and network: one run a rate on held-out images, then five seeds at the best rate."""
    made = {record.run: record for record in found}
    common: dict[str, Any] = {"convolutional": True, "data": "cifar10", "decay": True, "minibatches": 2} | base
    tuning: list[Run] = []
    final: list[Run] = []
    for depth in depths:
        for name in names:
            run = NETWORKS[name].run(**common, depth=depth, seed=TUNING_SEED, held_out=True)
            tried = [replace(run, learning_rate=rate) for rate in rates]
            tuning += tried
            if made.keys() >= set(tried):
                best = replace(max((made[each] for each in tried), key=merit).run, held_out=False)
                final += [replace(best, seed=seed) for seed in SEEDS]
    final.sort(key=lambda run: run.seed)  # every depth and network once before any twice
    return tuning + final


GRIDS: dict[str, Callable[[Sequence[Record]], list[Run]]] = {
    "digits": lambda _: digits(),
    "figure_5": lambda _: figure_5(),  # nothing in it depends on earlier runs
    "figure_6": figure_6,
    "figure_6_between": figure_6_between,
    "figure_6_long": figure_6_long,
    "figure_6_patient": figure_6_patient,
    "figure_6_small": figure_6_small,
    "time_to_learn": time_to_learn,
    "time_to_learn_mnist": time_to_learn_mnist,
    "time_to_learn_wide": time_to_learn_wide,
}
