"""Which units are on, at which inputs."""

from __future__ import annotations

import torch
from torch import Tensor

from .. import _arguments
from ._accepted import needs


def coactivation(active: Tensor) -> Tensor:
    r"""Share of distinct input pairs at which a unit is active for both, averaged over units.

    Parameters
    ----------
    active : Tensor of bool, shape (..., inputs, width)
        Which units are on.

    Returns
    -------
    Tensor of float64, shape (...)
        Between 0 and 1; 1/4 for independent fair gates, 1/2 for gates that ignore the input.

    Raises
    ------
    ValueError
        If ``active`` is not bool, or there are fewer than 2 inputs.

    References
    ----------
    Balduzzi et al. (2017), Section 2. Used in the chapter *Who is active with whom*.

    Examples
    --------
    >>> sl.structure.coactivation(torch.tensor([[1, 1], [1, 1], [1, 0]]).bool())
    tensor(0.6667, dtype=torch.float64)
    """
    needs("active", active, axes=2, dtype=torch.bool)
    pairs = _arguments.pairs("active", active.shape[-2])
    on = active.sum(-2).double()
    return (on * (on - 1)).mean(-1) / pairs


def contiguity(active: Tensor) -> Tensor:
    """Lengths of the runs of equal bits along the inputs, over all units.

    Parameters
    ----------
    active : Tensor of bool, shape (..., inputs, width)
        Which units are on, the inputs in their order along a line.

    Returns
    -------
    Tensor of int64, shape (runs,)
        Each between 1 (a bit unlike both neighbours) and ``inputs`` (a unit that never switches).

    Raises
    ------
    ValueError
        If ``active`` is not bool or has fewer than 2 axes.

    References
    ----------
    Balduzzi et al. (2017), Figure 4. Used in the chapter *Who is active with whom*.

    Examples
    --------
    >>> sl.structure.contiguity(torch.tensor([[1], [1], [0], [0], [0]]).bool())
    tensor([2, 3])
    """
    needs("active", active, axes=2, dtype=torch.bool)
    rows = active.mT.flatten(0, -2)
    starts = torch.ones_like(rows)
    starts[:, 1:] = rows[:, 1:] != rows[:, :-1]
    positions = starts.flatten().nonzero().flatten()
    return torch.diff(positions, append=positions.new_tensor([rows.numel()]))
