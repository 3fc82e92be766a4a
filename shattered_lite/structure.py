r"""What a set of gradients, or of activations, looks like. Pure functions of tensors.

Gradients have shape ``(..., inputs, outputs)``, curves ``(..., inputs)``, activations ``(..., inputs, width)``: of one
network or, along the leading axes, of many. Gradients and curves may have any real dtype, but no entry that is infinite
or not a number; measures are computed and returned in float64.
"""

from __future__ import annotations

import torch
from torch import Tensor

from . import _arguments

__all__ = [
    "autocorrelation", "coactivation", "contiguity", "correlation", "covariance", "effective_rank",
    "mean_gradient_norm", "pair_moments",
]  # fmt: skip


def covariance(gradients: Tensor) -> Tensor:
    r"""Covariance of gradients at each pair of inputs, $C(i, j) = E[\nabla_i \nabla_j]$, of each network.

    The mean is over outputs; it is not subtracted, since over random weights the gradient has mean zero.

    Parameters
    ----------
    gradients : Tensor, shape (..., inputs, outputs)
        Any common unit.

    Returns
    -------
    Tensor of float64, shape (..., inputs, inputs)
        Squared unit of ``gradients``.

    Raises
    ------
    ValueError
        If ``gradients`` is not a tensor of finite real numbers, has fewer than 2 axes, or an empty one.

    References
    ----------
    Balduzzi et al. (2017), Definition 1. Used in the chapter *Gradients as noise*.
    """
    precise = _precisely("gradients", gradients, axes=2)
    return precise @ precise.mT / precise.shape[-1]


def pair_moments(gradients: Tensor) -> Tensor:
    r"""Covariance over distinct pairs of inputs, and variance, of each network's gradients.

    Their ratio of means over networks estimates the correlation $R$: hand both columns to ``checks.agrees``.

    Parameters
    ----------
    gradients : Tensor, shape (..., inputs, outputs)
        At least two inputs, any common unit.

    Returns
    -------
    Tensor of float64, shape (..., 2)
        $C(i, j)$ averaged over pairs $i \neq j$, then $C(i)$ averaged over inputs; squared unit of ``gradients``.

    Raises
    ------
    ValueError
        As :func:`covariance`, or if there are fewer than 2 inputs.

    References
    ----------
    Balduzzi et al. (2017), Definition 1. Used in the chapter *Theorem 1: plain networks*.
    """
    precise = _precisely("gradients", gradients, axes=2)
    inputs = precise.shape[-2]
    pairs = _arguments.pairs("gradients", inputs)
    squares = precise.square().sum(-2).mean(-1)
    products = precise.sum(-2).square().mean(-1) - squares
    return torch.stack([products / pairs, squares / inputs], dim=-1)


def correlation(gradients: Tensor) -> Tensor:
    r"""Correlation of gradients at distinct inputs, $R = C(i, j) / \sqrt{C(i) C(j)}$, over all networks.

    Parameters
    ----------
    gradients : Tensor, shape (..., inputs, outputs)
        At least two inputs, statistically alike; any common unit. Without a leading axis, of one network.

    Returns
    -------
    Tensor of float64, shape ()
        Dimensionless; 1 when every input has the same gradient, 0 for white noise.

    Raises
    ------
    ValueError
        As :func:`pair_moments`, or if every gradient is zero.

    References
    ----------
    Balduzzi et al. (2017), Definition 1. Used in the chapter *Theorem 1: plain networks*.
    """
    moments = pair_moments(_of_size_one(_precisely("gradients", gradients, axes=2), "correlation"))
    across, alone = moments.reshape(-1, 2).mean(0).unbind()
    return across / alone


def effective_rank(gradients: Tensor) -> Tensor:
    r"""Effective rank of gradients, $\lVert G \rVert_F^2 / \lVert G \rVert_2^2$.

    Their total power over that in the main direction: one where all gradients are parallel, ``min(inputs, outputs)``
    where they are orthogonal and equally long.

    Parameters
    ----------
    gradients : Tensor, shape (..., inputs, outputs)
        One gradient a row, any common unit.

    Returns
    -------
    Tensor of float64, shape (...)
        Dimensionless, between 1 and ``min(inputs, outputs)``.

    Raises
    ------
    ValueError
        As :func:`covariance`, or if every gradient of a set is zero.

    References
    ----------
    Vershynin (2012), Definition 5.1; Balduzzi et al. (2017), Section 4. Used in the chapter *Convolutional networks and
    real images*.
    """
    precise = _of_size_one(_precisely("gradients", gradients, axes=2), "effective rank", (-2, -1))
    products = precise @ precise.mT
    largest: Tensor = torch.linalg.eigvalsh(products)[..., -1]
    return products.diagonal(dim1=-2, dim2=-1).sum(-1) / largest


def mean_gradient_norm(gradients: Tensor) -> Tensor:
    r"""Norm of the mean gradient, relative to the gradients' root mean square norm.

    $\lVert \bar g \rVert / (\frac1M \sum_i \lVert g_i \rVert^2)^{1/2}$: 1 where all $M$ gradients agree, $1/\sqrt M$ in
    the root mean square where they are white noise.

    Parameters
    ----------
    gradients : Tensor, shape (..., inputs, outputs)
        One gradient a row, any common unit.

    Returns
    -------
    Tensor of float64, shape (...)
        Dimensionless, between 0 and 1.

    Raises
    ------
    ValueError
        As :func:`covariance`, or if every gradient of a set is zero.

    References
    ----------
    Balduzzi et al. (2017), Section 4. Used in the chapter *Convolutional networks and real images*.
    """
    precise = _of_size_one(_precisely("gradients", gradients, axes=2), "relative mean", (-2, -1))
    power = precise.square().sum(-1).mean(-1)
    length: Tensor = precise.mean(-2).norm(dim=-1)
    return length / power.sqrt()


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
    """
    d = _precisely("curves", curves, axes=1)
    inputs = curves.shape[-1]
    _arguments.lags(lags, inputs)
    if (curves == curves[..., :1]).all(-1).any():
        raise ValueError("curves: a constant curve has no autocorrelation")
    d = d - d.mean(-1, keepdim=True)
    d = d / d.abs().amax(-1, keepdim=True)  # neither overflow nor underflow in the squares
    power = d.square().sum(-1)
    return torch.stack([(d[..., : inputs - k] * d[..., k:]).sum(-1) / power for k in range(lags + 1)], dim=-1)


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
    """
    _needs("active", active, axes=2, dtype=torch.bool)
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
    """
    _needs("active", active, axes=2, dtype=torch.bool)
    rows = active.mT.flatten(0, -2)
    starts = torch.ones_like(rows)
    starts[:, 1:] = rows[:, 1:] != rows[:, :-1]
    positions = starts.flatten().nonzero().flatten()
    return torch.diff(positions, append=positions.new_tensor([rows.numel()]))


def _precisely(name: str, tensor: Tensor, axes: int) -> Tensor:
    """In float64, where nothing wraps around and little overflows."""
    _needs(name, tensor, axes)
    if tensor.is_complex() or not torch.isfinite(tensor).all():
        raise ValueError(f"{name}: dtype {tensor.dtype}, but finite real numbers are needed, and some are not")
    return tensor.double()


def _of_size_one(gradients: Tensor, measure: str, over: tuple[int, ...] | None = None) -> Tensor:
    """Divided by the largest of a set, or of all, so that squares neither overflow nor underflow."""
    largest = gradients.abs().amax(over or tuple(range(gradients.ndim)), keepdim=True)
    if (largest == 0).any():
        raise ValueError(
            f"gradients: every one is zero, so their {measure} is not defined; a last layer that starts at zero stops "
            "them all, and so does a layer whose units are all off"
        )
    return gradients / largest


def _needs(name: str, tensor: Tensor, axes: int, dtype: torch.dtype | None = None) -> None:
    if not isinstance(tensor, Tensor):
        raise ValueError(f"{name}: {type(tensor).__name__}, but a tensor is needed")
    if tensor.ndim < axes or tensor.numel() == 0:
        raise ValueError(f"{name}: shape {tuple(tensor.shape)}, but {axes} axes or more, none empty, are needed")
    if dtype is not None and tensor.dtype != dtype:
        raise ValueError(f"{name}: dtype {tensor.dtype}, but {dtype} is needed")


def __dir__() -> list[str]:
    return sorted(__all__)
