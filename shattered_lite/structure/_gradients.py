"""How gradients at several inputs hang together."""

from __future__ import annotations

import torch
from torch import Tensor

from .. import _arguments
from ._accepted import of_size_one, precisely


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

    Examples
    --------
    >>> sl.structure.covariance(torch.tensor([[1.0, 2.0], [0.0, 3.0]]))
    tensor([[2.5000, 3.0000],
            [3.0000, 4.5000]], dtype=torch.float64)
    """
    precise = precisely("gradients", gradients, axes=2)
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

    Examples
    --------
    >>> sl.structure.pair_moments(torch.tensor([[1.0, 2.0], [0.0, 3.0]]))
    tensor([3.0000, 3.5000], dtype=torch.float64)
    """
    precise = precisely("gradients", gradients, axes=2)
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

    Examples
    --------
    >>> sl.structure.correlation(torch.tensor([[3.0, 0.0], [0.0, 3.0], [3.0, 0.0]]))
    tensor(0.3333, dtype=torch.float64)
    >>> gradients = sl.input_gradients(nn.Linear(8, 1), torch.randn(5, 8))
    >>> round(sl.structure.correlation(gradients).item(), 6)  # of a linear network they are the same at each input
    1.0
    """
    moments = pair_moments(of_size_one(precisely("gradients", gradients, axes=2), "correlation"))
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
    Vershynin (2012), Definition 5.1; Balduzzi et al. (2017), Section 4. Used in the chapters *Convolutional networks
    and real images* and *What the effective rank counts*.

    Examples
    --------
    >>> sl.structure.effective_rank(torch.stack([torch.ones(3, 3), torch.eye(3)])).round(decimals=4)
    tensor([1., 3.], dtype=torch.float64)
    """
    precise = of_size_one(precisely("gradients", gradients, axes=2), "effective rank", (-2, -1))
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

    Examples
    --------
    >>> sl.structure.mean_gradient_norm(torch.eye(4))
    tensor(0.5000, dtype=torch.float64)
    """
    precise = of_size_one(precisely("gradients", gradients, axes=2), "relative mean", (-2, -1))
    power = precise.square().sum(-1).mean(-1)
    length: Tensor = precise.mean(-2).norm(dim=-1)
    return length / power.sqrt()
