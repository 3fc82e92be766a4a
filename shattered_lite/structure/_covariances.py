"""The same questions asked of covariances, where signals or gradients are too large to be kept."""

from __future__ import annotations

import torch
from torch import Tensor

from ._accepted import precisely


def pair_moments_without_each(covariance: Tensor) -> Tensor:
    r"""Covariance over distinct pairs of inputs, and variance: of all inputs, and again without each of them.

    The first row is what :func:`pair_moments` finds. From the others the jackknife takes the standard error of any
    function $f$ of the moments: $\sqrt{\frac{n-1}{n} \sum_i (f_i - \bar f)^2}$ over the $n$ inputs $i$ left out.

    Parameters
    ----------
    covariance : Tensor, shape (inputs, inputs)
        Symmetric, as from :func:`covariance`; any unit.

    Returns
    -------
    Tensor of float64, shape (inputs + 1, 2)
        $C(i, j)$ averaged over pairs $i \neq j$, then $C(i)$ averaged over inputs; unit of ``covariance``. One
        input makes no pair, and no input has no variance: not a number.

    Raises
    ------
    ValueError
        If ``covariance`` is not a square of finite real numbers.

    References
    ----------
    Balduzzi et al. (2017), Definition 1; Efron and Tibshirani (1993), chapter 11. Used by
    :func:`shattered_lite.diagnose`.

    Examples
    --------
    >>> covariance = sl.structure.covariance(torch.tensor([[1.0, 2.0], [0.0, 3.0], [0.0, 0.0]]))
    >>> sl.structure.pair_moments_without_each(covariance)
    tensor([[1.0000, 2.3333],
            [0.0000, 2.2500],
            [0.0000, 1.2500],
            [3.0000, 3.5000]], dtype=torch.float64)
    """
    precise = _square("covariance", covariance, 1)
    own = precise.diagonal()
    across = precise.sum(1) - own  # the pairs of each input, which are counted twice
    sums = torch.stack([across.sum() - 2 * across, own.sum() - own], dim=-1)
    every = torch.stack([across.sum(), own.sum()])
    count = own.new_tensor([len(own)] + [len(own) - 1] * len(own))
    return torch.cat([every[None], sums]) / torch.stack([count * (count - 1), count], dim=-1)


def line_correlation(covariance: Tensor) -> Tensor:
    r"""Correlation of the gradients at two points of a line, by their distance.

    $\sum_i C(i, i+k) / \sum_i \sqrt{C(i)\, C(i+k)}$ for a distance of $k$ steps.

    Unlike :func:`autocorrelation` it takes no mean along the line away, and lengths of gradients may change along it.

    Parameters
    ----------
    covariance : Tensor, shape (points, points)
        Of gradients at evenly spaced points; two or more, any unit.

    Returns
    -------
    Tensor of float64, shape (points,)
        At distances $k$ from 0 on; dimensionless. Not a number where every gradient is zero.

    Raises
    ------
    ValueError
        If ``covariance`` is not a square of finite real numbers, or has fewer than 2 points.

    References
    ----------
    Balduzzi et al. (2017), Definition 1 and Figure 2. Used by :func:`shattered_lite.diagnose`.

    Examples
    --------
    >>> sl.structure.line_correlation(torch.tensor([[4.0, 1.0, 0.0], [1.0, 1.0, 0.5], [0.0, 0.5, 1.0]]))
    tensor([1.0000, 0.5000, 0.0000], dtype=torch.float64)
    """
    precise = _square("covariance", covariance, 2)
    length, points = precise.diagonal().sqrt(), len(precise)
    here, there = torch.triu_indices(points, points, device=precise.device)
    both = torch.stack([precise[here, there], length[here] * length[there]])
    along, own = both.new_zeros(2, points).index_add_(1, there - here, both)
    correlation: Tensor = along / own
    return correlation


def line_structure(kernel: Tensor) -> Tensor:
    r"""Structured part of a tangent kernel along a line, $(K(0, m) - K(0, e)) / K(0, 0)$ with middle $m$ and end $e$.

    What a step on one end does to the middle, less what it does to the other end, over what it does to itself. A kernel
    that treats all other inputs alike has none.

    Parameters
    ----------
    kernel : Tensor, shape (points, points)
        At evenly spaced points of a line, three or more; of one linear layer, the covariance of what comes in times
        that of the gradients that come back.

    Returns
    -------
    Tensor of float64, shape ()
        Dimensionless. Not a number where $K(0, 0)$ is zero.

    Raises
    ------
    ValueError
        If ``kernel`` is not a square of finite real numbers, or has fewer than 3 points.

    References
    ----------
    Jacot, Gabriel and Hongler (2018) for the kernel. The chapter *What shattering costs* shows why only this part
    learns classes. Used by :func:`shattered_lite.diagnose`.

    Examples
    --------
    >>> sl.structure.line_structure(torch.tensor([[4.0, 3.0, 1.0], [3.0, 4.0, 3.0], [1.0, 3.0, 4.0]]))
    tensor(0.5000, dtype=torch.float64)
    """
    precise = _square("kernel", kernel, 3)
    return (precise[0, len(precise) // 2] - precise[0, -1]) / precise[0, 0]


def line_curvature(covariance: Tensor) -> Tensor:
    r"""How far the image of a line is from straight.

    $\lVert z_m - (z_0 + z_e)/2 \rVert / \lVert (z_e - z_0)/2 \rVert$ of the signals at its ends, 0 and $e$, and its
    middle: 0 where a network is linear between them.

    Parameters
    ----------
    covariance : Tensor, shape (points, points)
        Of the signals at evenly spaced points of a line, an odd number of three or more.

    Returns
    -------
    Tensor of float64, shape ()
        Dimensionless, 0 or more; only down to the root of rounding, $10^{-8}$. Not a number where the ends meet.

    Raises
    ------
    ValueError
        If ``covariance`` is not a square of finite real numbers, or the number of points is even or less than 3.

    References
    ----------
    Used by :func:`shattered_lite.diagnose`.

    Examples
    --------
    >>> signals = torch.tensor([[-1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> sl.structure.line_curvature(signals @ signals.T)
    tensor(1., dtype=torch.float64)
    """
    precise = _square("covariance", covariance, 3)
    if len(precise) % 2 == 0:
        raise ValueError(f"covariance: {len(precise)} points, but an odd number is needed, one of them in the middle")
    places = [0, len(precise) // 2, -1]
    corners = precise[places][:, places]
    bent, moved = corners.new_tensor([[-0.5, 1.0, -0.5], [-0.5, 0.0, 0.5]])
    squared: Tensor = (bent @ corners @ bent).clamp(min=0) / (moved @ corners @ moved)
    return squared.sqrt()


def _square(name: str, matrix: Tensor, least: int) -> Tensor:
    precise = precisely(name, matrix, axes=2)
    if precise.ndim != 2 or precise.shape[0] != precise.shape[1] or len(precise) < least:
        raise ValueError(f"{name}: shape {tuple(matrix.shape)}, but a square of {least} rows or more is needed")
    return precise
