"""Which runs the book's recorded figures need: a grid is a function from a folder of records to the runs known so far.

Learning rates are chosen on held-out images, so a grid of training runs knows its last runs only when its first ones
are recorded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from .. import networks
from . import records
from .training import Record, Run

NETWORKS: dict[str, dict[str, Any]] = {
    "plain, batch norm": {"kind": "plain", "batch_norm": True},
    "residual, batch norm": {"kind": "residual", "batch_norm": True},
    "residual, beta 0.1": {"kind": "residual", "batch_norm": True, "beta": 0.1},
    "looks linear": {"kind": "crelu", "initializer": "looks_linear"},
    "looks linear, equal cost": {"kind": "crelu", "initializer": "looks_linear"},
    "crelu": {"kind": "crelu"},
    "linear": {"kind": "linear", "initializer": "orthogonal"},
}
TUNING_SEED = 0
SEEDS = (1, 2, 3, 4, 5)


def figure_5(folder: Path) -> list[Run]:
    """Gradients of untrained networks on CIFAR-10: ten networks of each kind and depth, thirty minibatches each.

    Parameters
    ----------
    folder : Path
        Not looked at: nothing depends on earlier runs.

    Returns
    -------
    list of Run
        Runs without training, one a network.

    References
    ----------
    Balduzzi et al. (2017), Figure 5. Used in the chapter *Convolutional networks and real images*.
    """
    shape: dict[str, Any] = {"width": 8, "convolutional": True, "patch": 4, "data": "cifar10", "images": 10_000}
    kinds = ("plain, batch norm", "residual, batch norm", "residual, beta 0.1", "looks linear")
    return [
        Run(**NETWORKS[kind], **shape, depth=depth, epochs=0, batch_size=128, minibatches=30, seed=seed)
        for seed in range(10)
        for depth in (2, 4, 10, 24, 50, 100)
        for kind in kinds
    ]


def figure_6(folder: Path) -> list[Run]:
    """Accuracy against depth on the whole of CIFAR-10, for a GPU.

    Parameters
    ----------
    folder : Path
        Of the records made so far.

    Returns
    -------
    list of Run
        The longest first, so that workers end together.

    References
    ----------
    Balduzzi et al. (2017), Figure 6. Used in the chapter *Training very deep networks*.
    """
    base = {
        "width": 32, "patch": 2, "epochs": 3, "batch_size": 500, "augment": True, "precision": "bfloat16",
    }  # fmt: skip
    return _tuned(folder, base, depths=(198, 98, 50, 24, 6), rates=(3e-5, 1.8e-4, 1.08e-3, 6.48e-3))


def figure_6_small(folder: Path) -> list[Run]:
    """Accuracy against depth on a fiftieth of CIFAR-10, for two cores and an hour.

    Parameters
    ----------
    folder : Path
        Of the records made so far.

    Returns
    -------
    list of Run
        The most valuable first.

    References
    ----------
    Balduzzi et al. (2017), Figure 6. Used in the chapter *Training very deep networks*.
    """
    base = {"width": 8, "patch": 4, "epochs": 6, "batch_size": 50, "images": 1_000}
    return _tuned(folder, base, depths=(98, 24, 6, 198), rates=(1e-4, 6e-4, 3.6e-3))


def figure_6_between(folder: Path) -> list[Run]:
    """From ``figure_6_small`` towards ``figure_6``, one change at a time: 24 layers, for two cores and an hour.

    First six times as many steps as the small grid takes; then, with as many, more images, and each image once; from
    there either more channels, finer squares, or larger batches.

    Parameters
    ----------
    folder : Path
        Of the records made so far.

    Returns
    -------
    list of Run
        Change by change.

    References
    ----------
    Used in the chapter *Training very deep networks*.
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
    kinds, rates = ("plain, batch norm", "looks linear"), (1e-4, 6e-4, 3.6e-3)
    return [run for change in changes for run in _tuned(folder, change, depths=(24,), rates=rates, kinds=kinds)]


def network_of(run: Run, width: int) -> str:
    """Name, in ``NETWORKS``, of the network of a run.

    Parameters
    ----------
    run : Run
        Of a grid of training runs.
    width : int
        Of the networks of that grid, those of equal cost excepted, which are narrower.

    Returns
    -------
    str
        What tables and figures call it.

    Raises
    ------
    ValueError
        If no network of the grids is like that.
    """
    alike = [name for name, options in NETWORKS.items() if options.items() <= vars(run).items()]
    named = [name for name in alike if name.endswith("equal cost") == (run.width < width)]
    defaults = {"batch_norm": False, "initializer": "he", "beta": 1.0}
    for name in named:
        if all(getattr(run, key) == (defaults | NETWORKS[name])[key] for key in defaults):
            return name
    raise ValueError(f"run={run}: none of the networks {', '.join(NETWORKS)}")


def equal_cost_width(run: Run) -> int:
    r"""Width at which a network of concatenated rectifiers has as many parameters as a rectifier network of that run.

    With as many parameters it takes as many operations, to the rounding of the width, since a layer's count of either
    is the same multiple of width times inputs.

    Parameters
    ----------
    run : Run
        Of a convolutional network on CIFAR-10.

    Returns
    -------
    int
        About $1/\sqrt 2$ of the run's width, since a concatenated rectifier doubles the inputs of a layer.
    """

    def build(kind: networks.Kind, width: int) -> nn.Module:
        return networks.convolutional(
            kind, depth=run.depth, width=width, inputs=(3, 32, 32), outputs=10, patch=run.patch
        )

    target = networks.parameters(build("plain", run.width))
    return networks.matching_width(partial(build, "crelu"), networks.parameters, target)


def _tuned(
    folder: Path,
    base: dict[str, Any],
    depths: Iterable[int],
    rates: tuple[float, ...],
    kinds: Iterable[str] = tuple(NETWORKS),
) -> list[Run]:
    """For each depth and network: one run a rate on held-out images, then five seeds at the best rate."""
    found = {records.name(record.run): record for record in records.read(folder)}
    common: dict[str, Any] = {"convolutional": True, "data": "cifar10", "decay": True, "minibatches": 2} | base
    tuning: list[Run] = []
    final: list[Run] = []
    for depth in depths:
        for name in kinds:
            run = Run(**common, **NETWORKS[name], depth=depth, seed=TUNING_SEED, held_out=True)
            if name == "looks linear, equal cost":
                run = replace(run, width=equal_cost_width(run))
            tried = [replace(run, learning_rate=rate) for rate in rates]
            tuning += tried
            made = [found[records.name(each)] for each in tried if records.name(each) in found]
            if len(made) == len(tried):
                best = replace(max(made, key=_merit).run, held_out=False)
                final += [replace(best, seed=seed) for seed in SEEDS]
    final.sort(key=lambda run: run.seed)  # every depth and network once before any twice
    return tuning + final


def _merit(record: Record) -> tuple[float, float]:
    """Accuracy at the end on held-out images, and the loss where several rates tie; a run that diverged comes last."""
    loss = record.losses[-1]
    return record.accuracies[-1], -math.inf if math.isnan(loss) else -loss


GRIDS: dict[str, Callable[[Path], list[Run]]] = {
    "figure_5": figure_5,
    "figure_6": figure_6,
    "figure_6_between": figure_6_between,
    "figure_6_small": figure_6_small,
}
