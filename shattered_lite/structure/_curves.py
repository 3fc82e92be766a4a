"""How far a curve remembers itself."""

from __future__ import annotations

import torch
from torch import Tensor

from .. import _arguments
from ._accepted import precisely


def autocorrelation(curves: Tensor, lags: int) -> Tensor:
    r"""Autocorrelation of each curve, $\sum_i d_i d_{i+k} / \sum_i d_i^2$ with $d$ the curve less its mean.

    Parameters
    ----------
    curves : Tensor, shape (..., inputs)
        Values on an evenly spaced grid of inputs.
    lags : int
        Largest lag $k$, in grid steps.

    Returns
    -------
    Tensor of float64, shape (..., lags + 1)
        Dimensionless; the first entry is 1.

    Raises
    ------
    ValueError
        If ``curves`` is not a tensor of finite real numbers, ``lags`` not between 0 and ``inputs - 1``, or a curve is
        constant.

    References
    ----------
    Box and Jenkins (1976), chapter 2; Balduzzi et al. (2017), Figure 2. Used in the chapter *Gradients as noise*.

    Examples
    --------
    >>> sl.structure.autocorrelation(torch.tensor([1.0, -1.0, 1.0, -1.0]), lags=2)
    tensor([ 1.0000, -0.7500,  0.5000], dtype=torch.float64)
    """
    d = precisely("curves", curves, axes=1)
    inputs = curves.shape[-1]
    _arguments.lags(lags, inputs)
    if (curves == curves[..., :1]).all(-1).any():
        raise ValueError("curves: a constant curve has no autocorrelation")
    d = d - d.mean(-1, keepdim=True)
    d = d / d.abs().amax(-1, keepdim=True)  # neither overflow nor underflow in the squares
    power = d.square().sum(-1)
    return torch.stack([(d[..., : inputs - k] * d[..., k:]).sum(-1) / power for k in range(lags + 1)], dim=-1)
