r"""The toy network of one scalar input, at infinite width: covariance and autocorrelation of its slope."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .. import _arguments
from . import _accepted
from ._accepted import Array
from ._dual import rectifier_gap

LONGEST = 10**5  # layers, of which one costs about 10 microseconds
CLOSEST = 1e-8  # inputs of a grid, relative: at less the angle between them is rounding
DEEPEST_GRID = 10_000  # layers of a grid: a second or two for a few inputs ...
WORK = 3 * 10**8  # ... and a minute or so for many


def scalar_covariance(first: ArrayLike, second: ArrayLike, *, depth: int) -> Array:
    r"""Covariance of $f'(x)$ and $f'(x')$ for a scalar network of infinite width, without centring.

    It is the mixed derivative $\partial^2 K_L(x, x') / \partial x\, \partial x'$ of the kernel, which starts as
    $K_0 = x x' + 1$ and passes the arc-cosine map at every gated layer: $K_L = \ell \ell' f(\cos\theta)$ with
    $\ell^2 = x^2 + 1$, the angle $\theta$ of $(x, 1)$ and $(x', 1)$, and the arc-cosine map $f$ of all layers. So

    $$\frac{\partial^2 K_L}{\partial x\, \partial x'} = \frac{x x' f + \cos\theta\, f' - \sin^2\theta\, f''}{\ell \ell'}
      + \sin^2\theta\, f' .$$

    The product of the tangent maps, $f'$, would not do: here the tangent of a unit is correlated with its value.

    Parameters
    ----------
    first, second : array_like of float
        Scalar inputs $x$ and $x'$, in any shapes that broadcast; at most $10^{100}$ in size.
    depth : int
        Number of gated layers, from 0 to 100,000.

    Returns
    -------
    ndarray
        Squared slope, in units of the input weight variance; 1 where $x = x'$.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed.

    References
    ----------
    The book's own; derived on the page *The scalar network: kernels, limits and rounding*.

    Examples
    --------
    >>> sl.theory.scalar_covariance(0.0, [0.0, 0.5, 1.0], depth=5).round(4)
    array([1.    , 0.1932, 0.0847])
    """
    layers = _accepted.one_depth(depth, LONGEST)
    x, y = _accepted.broadcast(first=_accepted.finite("first", first), second=_accepted.finite("second", second))
    start = angle = np.arctan2(np.abs(x - y), 1 + x * y)
    slope, bend, square = np.ones(x.shape), np.zeros(x.shape), np.sin(start) ** 2  # f'; sin^2(start) f''
    for _ in range(layers):
        kept, sine = 1 - angle / np.pi, np.where(angle > 0, np.sin(angle), 1)
        slope, bend = kept * slope, square * slope**2 / (np.pi * sine) + kept * bend
        angle = 2 * np.arcsin(np.sqrt(np.clip(rectifier_gap(angle) / 2, 0, 1)))
    lengths = np.hypot(x, 1) * np.hypot(y, 1)
    product: Array = (x * y * np.cos(angle) + np.cos(start) * slope - bend) / lengths + square * slope
    return product


def grid_covariance(inputs: ArrayLike, *, depth: int, centred: bool) -> Array:
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
        Scalar inputs, at most $10^{50}$ in size, any two at least ``CLOSEST`` of $1 + |x|$ apart.
    depth : int
        Number of gated layers, from 0 to 10,000, and at most $3 \cdot 10^8$ over the square of the number of inputs.
    centred : bool
        Whether each unit is centred over the inputs from the second gated layer on.

    Returns
    -------
    ndarray, shape (inputs, inputs)
        Squared slope, in units of the input weight variance; 1 on the diagonal. Rounding grows with depth where inputs
        nearly coincide: at a distance of $10^{-8}$ to about $10^{-7}$ at 20 layers, $2 \cdot 10^{-6}$ at 500.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed, or the inputs are not numbers in one dimension, well apart.

    References
    ----------
    The book's own; derived on the page *The scalar network: kernels, limits and rounding*.

    Examples
    --------
    >>> sl.theory.grid_covariance([-1, 0, 2], depth=5, centred=True).round(4)
    array([[ 1.    , -0.0704, -0.089 ],
           [-0.0704,  1.    ,  0.0159],
           [-0.089 ,  0.0159,  1.    ]])
    """
    x, layers = _accepted.finite("inputs", inputs, most=1e50), _accepted.one_depth(depth, DEEPEST_GRID)
    if x.ndim != 1 or x.size == 0 or len(np.unique(x)) < x.size:
        raise ValueError(f"inputs: shape {x.shape}, but distinct numbers in one dimension are needed")
    in_order = np.sort(x)
    if np.any(np.diff(in_order) < CLOSEST * (1 + np.abs(in_order[1:]))):
        raise ValueError(f"inputs={inputs}: two lie closer than {CLOSEST:g} of 1 + |x|, where rounding hides the angle")
    if layers * x.size**2 > WORK:
        raise ValueError(f"depth={depth}, inputs: {x.size} of them, but depth times inputs squared is at most {WORK:,}")
    if _arguments.truth("centred", centred) and x.size < 3:
        raise ValueError(f"inputs={inputs}: centring needs 3 inputs or more, since 2 become mirror images")
    same = np.eye(len(x), dtype=bool)
    k, p, q = np.outer(x, x) + 1, np.outer(x, np.ones_like(x)), np.ones((len(x), len(x)))
    for layer in range(1, layers + 1):
        if centred and layer > 1:
            k = k - k.mean(0)
            k, p = k - k.mean(1, keepdims=True), p - p.mean(0)
            scale = np.trace(k) / len(x)  # gates feel no common scale; without this, k would shrink with depth
            k, p = k / scale, p / np.sqrt(scale)
        kk, pp = np.diag(k), np.diag(p)
        products = np.outer(kk, kk)
        root = np.sqrt(np.maximum(products - k**2, np.finfo(float).eps * products))  # below that is rounding
        t = np.where(same, 1.0, 1 - np.arctan2(root, k) / np.pi)
        slopes = p * (pp / kk)[:, None]
        bend = np.outer(pp, pp) + p * p.T - k * (slopes + slopes.T)
        q = q * t + np.where(same, 0.0, bend / (np.pi * root))
        root = np.where(same, 0.0, root)
        k, p = k * t + root / np.pi, p * t + pp / kk * root / np.pi
    return q


def autocorrelation(covariance: ArrayLike, *, lags: int) -> Array:
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
        If the matrix is not square, of finite numbers, ``lags`` is not between 0 and ``inputs - 1``, or the curve is
        constant.

    References
    ----------
    Balduzzi et al. (2017), Figure 2. Used in the chapter *Gradients as noise*.

    Examples
    --------
    >>> covariance = sl.theory.grid_covariance(np.linspace(-2, 2, 64), depth=5, centred=True)
    >>> sl.theory.autocorrelation(covariance, lags=3).round(3)
    array([1.   , 0.765, 0.578, 0.429])
    """
    c = _accepted.finite("covariance", covariance)
    if c.ndim != 2 or c.shape[0] != c.shape[1] or c.size == 0:
        raise ValueError(f"covariance: shape {c.shape}, but a square matrix is needed")
    _arguments.lags(lags, len(c))
    centred = c - c.mean(0)
    centred = centred - centred.mean(1, keepdims=True)
    power = float(np.trace(centred))
    if not power > 1e-12 * np.abs(c).max():  # of a constant curve, rounding is left
        raise ValueError("covariance: a constant curve has no autocorrelation")
    return np.array([np.trace(centred, k) for k in range(lags + 1)]) / power
