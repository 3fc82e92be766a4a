r"""The toy network of one scalar input, at infinite width: covariance and autocorrelation of its slope."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from . import arguments
from .arguments import Array


def scalar_covariance(first: ArrayLike, second: ArrayLike, depth: int) -> Array:
    r"""Covariance of $f'(x)$ and $f'(x')$ for a scalar network of infinite width, without centring.

    It is the mixed derivative $\partial^2 K_L(x, x') / \partial x\, \partial x'$ of the kernel, which starts as
    $K_0 = x x' + 1$ and passes the arc-cosine map at every gated layer. The product of the tangent maps would not
    do: here the tangent of a unit is correlated with its value.

    Parameters
    ----------
    first, second : array_like of float
        Scalar inputs $x$ and $x'$, in any shapes that broadcast.
    depth : int
        Number of gated layers.

    Returns
    -------
    ndarray
        Squared slope, in units of the input weight variance; 1 where $x = x'$.

    Raises
    ------
    ValueError
        If ``depth`` is negative or not whole.

    References
    ----------
    The book's own; derived in the chapter *Theorem 1: plain networks*.
    """
    layers = arguments.one_depth(depth)
    x, y = np.broadcast_arrays(np.asarray(first, np.float64), np.asarray(second, np.float64))
    qx, qy, qx_x, qy_y = x**2 + 1, y**2 + 1, 2 * x, 2 * y  # K(x, x) and K(y, y): the same at every depth
    k, k_x, k_y, k_xy = x * y + 1, y + 0.0, x + 0.0, np.ones_like(x)
    same = x == y
    for _ in range(layers):
        root = np.where(same, 1.0, np.sqrt(np.maximum(qx * qy - k**2, np.finfo(float).tiny)))
        angle = np.arctan2(root, k)
        f_k, f_kk, f_qq = 1 - angle / np.pi, 1 / (np.pi * root), 1 / (4 * np.pi * root)
        f_qx, f_qy = root / (2 * np.pi * qx), root / (2 * np.pi * qy)
        f_qxk, f_qyk = -k / (2 * np.pi * qx * root), -k / (2 * np.pi * qy * root)
        k_xy = f_qq * qx_x * qy_y + f_qxk * qx_x * k_y + f_qyk * qy_y * k_x + f_kk * k_x * k_y + f_k * k_xy
        k, k_x, k_y = root / np.pi + f_k * k, f_qx * qx_x + f_k * k_x, f_qy * qy_y + f_k * k_y
    return np.where(same, 1.0, k_xy)


def grid_covariance(inputs: ArrayLike, depth: int, *, centred: bool) -> Array:
    r"""Covariance of the slopes $f'(x_i)$ on a whole grid, for scalar networks of infinite width, centred or not.

    A layer is three matrices: covariances of values $K$, of values with tangents $P_{ij} = E[z_i \dot z_j]$, and of
    tangents $Q$. With $r = \sqrt{K_{ii} K_{jj} - K_{ij}^2}$, $t = 1 - \theta/\pi$ and $p_i = P_{ii} / K_{ii}$, a
    rectifier with weight variance $2/N$ maps them to

    $$K t + r/\pi, \qquad P t + p_j r/\pi, \qquad
      Q t + \frac{P_{ii} P_{jj} + P_{ij} P_{ji} - K_{ij}(p_i P_{ij} + p_j P_{ji})}{\pi r}.$$

    Centring over the grid multiplies the rows of $K$ and $P$, and the columns of $K$, by $H = I - 1/M$.

    Parameters
    ----------
    inputs : array_like of float, shape (inputs,)
        Distinct scalar inputs.
    depth : int
        Number of gated layers.
    centred : bool
        Whether each unit is centred over the inputs from the second gated layer on.

    Returns
    -------
    ndarray, shape (inputs, inputs)
        Squared slope, in units of the input weight variance; 1 on the diagonal.

    Raises
    ------
    ValueError
        If ``depth`` is negative or not whole, or the inputs are not distinct numbers in one dimension.

    References
    ----------
    The book's own; derived in the chapter *Gradients as noise*.
    """
    x = np.asarray(inputs, dtype=np.float64)
    if x.ndim != 1 or x.size == 0 or len(np.unique(x)) < x.size or not np.all(np.isfinite(x)):
        raise ValueError(f"inputs: shape {x.shape}, but distinct finite numbers in one dimension are needed")
    same = np.eye(len(x), dtype=bool)
    k, p, q = np.outer(x, x) + 1, np.outer(x, np.ones_like(x)), np.ones((len(x), len(x)))
    for layer in range(1, arguments.one_depth(depth) + 1):
        if centred and layer > 1:
            k = k - k.mean(0)
            k, p = k - k.mean(1, keepdims=True), p - p.mean(0)
            scale = np.trace(k) / len(x)  # gates feel no common scale; without this, k would shrink with depth
            k, p = k / scale, p / np.sqrt(scale)
        kk, pp = np.diag(k), np.diag(p)
        root = np.sqrt(np.maximum(np.outer(kk, kk) - k**2, np.finfo(float).tiny))
        t = np.where(same, 1.0, 1 - np.arctan2(root, k) / np.pi)
        slopes = p * (pp / kk)[:, None]
        bend = np.outer(pp, pp) + p * p.T - k * (slopes + slopes.T)
        q = q * t + np.where(same, 0.0, bend / (np.pi * root))
        root = np.where(same, 0.0, root)
        k, p = k * t + root / np.pi, p * t + pp / kk * root / np.pi
    return q


def autocorrelation(covariance: ArrayLike, lags: int) -> Array:
    r"""Autocorrelation that a covariance matrix predicts, $E[\sum_i z_i z_{i+k}] / E[\sum_i z_i^2]$.

    $z$ is the curve less its mean over the grid, so its covariance is $H C H$ with $H = I - 1/M$. This is a ratio of
    expectations; the expectation of the ratio that one curve shows differs when a curve holds few independent pieces.

    Parameters
    ----------
    covariance : array_like, shape (inputs, inputs)
        Of the curve at each pair of points of an evenly spaced grid.
    lags : int
        Largest lag, in grid steps.

    Returns
    -------
    ndarray, shape (lags + 1,)
        Dimensionless; the first entry is 1.

    Raises
    ------
    ValueError
        If the matrix is not square, or ``lags`` is not between 0 and ``inputs - 1``, or the curve is constant.

    References
    ----------
    Balduzzi et al. (2017), Figure 2. Used in the chapter *Gradients as noise*.
    """
    c = np.asarray(covariance, dtype=np.float64)
    if c.ndim != 2 or c.shape[0] != c.shape[1]:
        raise ValueError(f"covariance: shape {c.shape}, but a square matrix is needed")
    if not (isinstance(lags, int | np.integer) and 0 <= lags < len(c)):
        raise ValueError(f"lags={lags}: with {len(c)} inputs, choose between 0 and {len(c) - 1}")
    centred = c - c.mean(0)
    centred = centred - centred.mean(1, keepdims=True)
    if not np.trace(centred) > 0:
        raise ValueError("covariance: a constant curve has no autocorrelation")
    return np.array([np.trace(centred, k) for k in range(lags + 1)]) / np.trace(centred)
