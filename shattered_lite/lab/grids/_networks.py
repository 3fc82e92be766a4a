"""The networks of the grids, and which of them a run is of."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from torch import nn

from ... import networks
from ..training import Initializer, Record, Run


@dataclass(frozen=True, kw_only=True)
class Network:
    """What tells a network of the grids from the others.

    Attributes
    ----------
    kind, batch_norm, beta, initializer, turn, backward
        As in :class:`~shattered_lite.lab.training.Run`.
    equal_cost : bool
        Whether its width is that of :func:`equal_cost_width`, and not the grid's.

    Examples
    --------
    >>> run = sl.lab.grids.NETWORKS["looks linear"].run(depth=6, width=32)
    >>> run.kind, run.initializer
    ('crelu', 'looks_linear')
    """

    kind: networks.ModuleKind
    batch_norm: bool = False
    beta: float = 1.0
    initializer: Initializer = "he"
    turn: float = 0.0
    backward: float = 1.0
    equal_cost: bool = False

    def run(self, **settings: Any) -> Run:
        """A run of this network.

        Parameters
        ----------
        **settings
            The other fields of the run; the width is the grid's.

        Returns
        -------
        Run
            Narrower than the grid's networks if this is to be one of equal cost.
        """
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "equal_cost"}
        run = Run(**own, **settings)
        return replace(run, width=equal_cost_width(run)) if self.equal_cost else run


NETWORKS = {
    "plain, batch norm": Network(kind="plain", batch_norm=True),
    "residual, batch norm": Network(kind="residual", batch_norm=True),
    "residual, beta 0.1": Network(kind="residual", batch_norm=True, beta=0.1),
    "looks linear": Network(kind="crelu", initializer="looks_linear"),
    "looks linear, equal cost": Network(kind="crelu", initializer="looks_linear", equal_cost=True),
    "crelu": Network(kind="crelu"),
    "linear": Network(kind="linear", initializer="orthogonal"),
}
CONTROLS = {  # of the time to learn: what a plain network suffers from, one thing at a time
    "plain, backward kept": Network(kind="plain", batch_norm=True, backward=math.sqrt(1 - 1 / math.pi)),
    "mirror at 45 degrees": Network(kind="crelu", initializer="mirrored", turn=45.0),
    "mirror at 90 degrees": Network(kind="crelu", initializer="mirrored", turn=90.0),
    "Gaussian mirror": Network(kind="crelu", initializer="gaussian_mirrored"),
    "highway": Network(kind="highway"),
}


def network_of(run: Run, width: int) -> str:
    """Name, in ``NETWORKS`` or ``CONTROLS``, of the network of a run.

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

    Examples
    --------
    >>> sl.lab.grids.network_of(sl.lab.training.Run("plain", 6, width=32, batch_norm=True), width=32)
    'plain, batch norm'
    """
    like = Network(
        kind=run.kind,
        batch_norm=run.batch_norm,
        beta=run.beta,
        initializer=run.initializer,
        turn=run.turn,
        backward=run.backward,
        equal_cost=run.width < width,
    )
    for name, network in (NETWORKS | CONTROLS).items():
        if network == like:
            return name
    raise ValueError(f"run={run}: none of the networks {', '.join(NETWORKS | CONTROLS)}")


def by_network(records: Iterable[Record]) -> dict[tuple[int, str], list[Record]]:
    """Records of one grid by depth and network.

    Parameters
    ----------
    records : iterable of Record
        In any order.

    Returns
    -------
    dict of (int, str) to list of Record
        By depth and by name in ``NETWORKS`` or ``CONTROLS``; in the order of their seeds.

    Raises
    ------
    ValueError
        If a run is of no network of the grids.

    Examples
    --------
    >>> found = sl.lab.records.read(sl.lab.records.FOLDER / "figure_5.jsonl")
    >>> sorted({name for depth, name in sl.lab.grids.by_network(found)})
    ['looks linear', 'plain, batch norm', 'residual, batch norm', 'residual, beta 0.1']
    """
    ordered = sorted(records, key=lambda record: record.run.seed)
    widest = max((record.run.width for record in ordered), default=0)
    found: dict[tuple[int, str], list[Record]] = {}
    for record in ordered:
        found.setdefault((record.run.depth, network_of(record.run, widest)), []).append(record)
    return found


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

    Examples
    --------
    >>> sl.lab.grids.equal_cost_width(sl.lab.training.Run("crelu", 6, width=32, convolutional=True, data="cifar10"))
    23
    """

    def build(kind: networks.ModuleKind, width: int) -> nn.Module:
        return networks.convolutional(
            kind, depth=run.depth, width=width, input_shape=(3, 32, 32), out_features=10, patch=run.patch
        )

    target = networks.parameters(build("plain", run.width))
    return networks.matching_width(partial(build, "crelu"), networks.parameters, target)
