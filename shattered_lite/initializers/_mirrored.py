"""Concatenated-rectifier networks whose mirror is turned, or whose weights are Gaussian: controls of looks linear."""

from __future__ import annotations

import math
from typing import TypeVar

import torch
from torch import Tensor, nn

from .._arguments import drawn_by, real, truth
from . import _layers as layers
from . import _linearity as linearity
from ._initializers import orthogonal, set_centre

Module = TypeVar("Module", bound=nn.Module)


@torch.no_grad()
def mirrored_(
    module: Module, *, turn: float = 0.0, gaussian: bool = False, generator: torch.Generator | None = None
) -> Module:
    r"""Initialisation with a mirror that is turned by an angle $\psi$, or Gaussian.

    A layer that follows a :class:`~shattered_lite.CReLU` gets $[A, -(\cos\psi\, A + \sin\psi\, B)]$, any other layer
    $A$. $A$ and $B$ are drawn independently: orthogonal as in :func:`~shattered_lite.orthogonal_`, or, as fits their
    size, with entries $N(0, 1/\text{columns})$. Squared norms are kept on average whatever the angle. At $\psi = 0$ the
    network looks linear; the more it is turned, the less do gradients at different inputs agree:
    $R = \cos^{2L}(\psi/2)$ with $L$ gates that are independent coins.

    Parameters
    ----------
    module : nn.Module
        Changed in place. Its only nonlinearities are ``CReLU``, in the order in which data passes.
    turn : float
        The angle in degrees, from 0, where the network looks linear, to 180, where the mirror has the wrong sign.
    gaussian : bool
        Whether weights are Gaussian, and singular values spread out, in place of orthogonal.
    generator : torch.Generator, optional
        Source of all randomness, by default torch's own; its device may be another than the module's.

    Returns
    -------
    nn.Module
        The same module.

    Raises
    ------
    ValueError
        If the angle is outside 0 to 180, or as :func:`~shattered_lite.looks_linear_` without an example. Nothing is
        changed then.

    References
    ----------
    Balduzzi et al. (2017), Section 5. Derived in the chapter *A dial for the correlation*.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(4, 6), sl.CReLU(), nn.Linear(12, 6))
    >>> first, second = sl.initializers.mirrored_(network, turn=90)[2].weight.chunk(2, dim=1)
    >>> torch.allclose(first @ first.T, torch.eye(6), atol=1e-5), torch.allclose(first, -second)
    (True, False)
    """
    generator = drawn_by(generator)
    allowed = "an angle from 0 to 180 degrees is needed"
    angle = math.radians(real("turn", turn, lambda degrees: 0 <= degrees <= 180, allowed))
    truth("gaussian", gaussian)

    def block(like: Tensor, columns: int) -> Tensor:
        if not gaussian:
            return orthogonal(like.shape[0], columns, like, generator)
        drawn = torch.empty(like.shape[0], columns, dtype=like.dtype, device=generator.device)
        return drawn.normal_(0, columns**-0.5, generator=generator)

    def matrix(like: Tensor, mirrored: bool) -> Tensor:
        columns = like.shape[1] // 2 if mirrored else like.shape[1]
        first = block(like, columns)
        if not mirrored:
            return first
        return torch.cat([first, -math.cos(angle) * first - math.sin(angle) * block(like, columns)], dim=1)

    for layer, drawn in layers.draws(linearity.find_mirrored(module), matrix):
        set_centre(layer, drawn)
    return module
