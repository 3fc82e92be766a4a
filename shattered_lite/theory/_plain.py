r"""Theorem 1 and its neighbours: plain networks, centred or not, wide or not."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from . import _accepted
from ._accepted import Array
from ._gates import centred_coactivation
from ._moments import Moments, deepest
from ._similarity import similarity

DEEPEST = 500  # here the first correction exceeds the theorem at every width below 10^60


def plain(depth: ArrayLike, *, batch_size: ArrayLike = np.inf) -> Moments:
    r"""Theorem 1: gradients of a plain rectifier network with weight variance $2/N$.

    $C(i) = 1$ and $C(i, j) = (2q)^L$, where $q$ is the co-activation of two typical inputs:
    $q = 1/4$, hence $2^{-L}$, when the gates of the two inputs are independent.

    Centring on the mean over a batch of $M$ inputs makes two preactivations correlate by $-1/(M-1)$, so that
    $q = 1/4 - \arcsin(1/(M-1)) / (2\pi)$ from the second gated layer on: the theorem is the limit of large $M$.

    Parameters
    ----------
    depth : array_like of int
        Number $L \ge 0$ of gated layers between the neuron and the output.
    batch_size : array_like of float
        Number $M \ge 3$ of inputs the network is centred on; infinite gives the paper's theorem.

    Returns
    -------
    Moments
        Dimensionless, with the broadcast shape of the arguments.

    Raises
    ------
    ValueError
        If a depth is not a whole number from 0 to $10^6$, or ``batch_size`` is below 3.

    References
    ----------
    Balduzzi et al. (2017), Theorem 1. Derived in the chapter *Theorem 1: plain networks*.

    Examples
    --------
    >>> sl.theory.plain([1, 2, 3]).correlation.round(4)
    array([0.5  , 0.25 , 0.125])
    >>> sl.theory.plain([1, 2, 3], batch_size=10).correlation.round(4)
    array([0.5   , 0.2323, 0.1079])
    """
    layers, batch = _accepted.broadcast(depth=_accepted.depths(depth), batch_size=_accepted.batches(batch_size))
    first = np.log(0.5) * (layers > 0)  # the first layer is not centred: there the gates are independent
    later = np.log(2 * centred_coactivation(batch)) * np.maximum(layers - 1, 0)
    return Moments(np.zeros(np.shape(first + later)), first + later)


def plain_uncentred(depth: ArrayLike, *, cosine: float = 0.0) -> Moments:
    r"""Gradients of a plain network of infinite width without centring: a power law, not Theorem 1.

    $R = \prod_{l=1}^{L} (1 - \theta_l/\pi)$ with the angles of the arc-cosine recursion; for large $L$,
    $\theta_l \sim 3\pi/l$ and $R \sim \mathrm{const} \cdot L^{-3}$.

    Parameters
    ----------
    depth : array_like of int
        Number of gated layers.
    cosine : float
        Correlation of the first preactivations; 0 for orthogonal inputs.

    Returns
    -------
    Moments
        Dimensionless, with the shape of ``depth``.

    Raises
    ------
    ValueError
        If a depth is not a whole number from 0 to $10^6$, or the cosine lies outside $[-1, 1]$.

    References
    ----------
    The book's own; derived in the chapter *Theorem 1: plain networks*.

    Examples
    --------
    >>> sl.theory.plain_uncentred([1, 10, 30]).correlation.round(4)
    array([0.5   , 0.0337, 0.0032])
    """
    return similarity(depth, cosine=_accepted.one_correlation(cosine)).gradients


def plain_finite_width(depth: ArrayLike, *, width: ArrayLike, batch_size: ArrayLike = np.inf) -> Moments:
    r"""Gradients of a centred plain network of finite width: Theorem 1 and its first correction.

    To first order in $1/N$, gates remember the layers before through the correlation $r$ of two preactivations and
    the covariances $c$ of preactivations with tangents. With $T = E[\nabla_i \nabla_j]$, $A = E[c_{ii} c_{jj}]$,
    $B = E[c_{ij} c_{ji}]$, $U = E[r\, \nabla_i \nabla_j]$, $S = E[r^2]$ and $\mu = 1 - 1/\pi$, one layer makes of them

    $$T' = 2qT + (A + B + U)/\pi, \quad A' = \mu A + \kappa T, \quad B' = B/(4\mu) + \kappa T,$$
    $$U' = U/(4\mu) + (\kappa + S/(2\pi\mu))\, T, \quad S' = S/(4\mu^2) + 1/N, \quad \kappa = \frac{1}{2(\pi - 1)N},$$

    from $T = 1$, the others 0. A formal expansion: what is neglected, of order $1/N^2$ and $1/(NM)$, is not bounded.

    Parameters
    ----------
    depth : array_like of int
        Number $L$ of gated layers between the neuron and the output, from 0 to 500.
    width : array_like of int
        Units $N \ge 1$ of every layer; infinite gives :func:`plain`.
    batch_size : array_like of float
        Number $M \ge 3$ of inputs the network is centred on.

    Returns
    -------
    Moments
        Dimensionless, with the broadcast shape of the arguments.

    Raises
    ------
    ValueError
        If a depth is not a whole number from 0 to 500, a width is below 1, or ``batch_size`` is below 3.

    References
    ----------
    The book's own; derived on the page *Finite width: gates that remember*.

    Examples
    --------
    >>> sl.theory.plain_finite_width(8, width=[10, 100, np.inf], batch_size=64).correlation.round(4)
    array([0.021 , 0.005 , 0.0036])
    """
    layers, units, batch = _accepted.broadcast(
        depth=_accepted.depths(depth, DEEPEST), width=_accepted.widths(width), batch_size=_accepted.batches(batch_size)
    )
    mu, source = 1 - 1 / np.pi, 1 / (2 * (np.pi - 1) * units)
    covariance = t = np.ones(layers.shape)
    a = b = u = s = np.zeros(layers.shape)
    for layer in range(1, deepest(layers) + 1):
        one_less, one_more = (plain(n, batch_size=batch).log_correlation for n in (layer - 1, layer))
        kept = np.exp(one_more - one_less)
        u, a, b, t = (
            u / (4 * mu) + (source + s / (2 * np.pi * mu)) * t,
            mu * a + source * t,
            b / (4 * mu) + source * t,
            kept * t + (a + b + u) / np.pi,
        )
        s = s / (4 * mu**2) + 1 / units
        covariance = np.where(layers >= layer, t, covariance)
    return Moments(np.zeros_like(covariance), np.log(covariance))


def plain_kurtosis(depth: ArrayLike, *, width: ArrayLike) -> Array:
    r"""Fluctuation of a plain network's squared gradient at finite width, exact at every width.

    For the gradients $g$ of all $N$ outputs,
    $E[\lVert g\rVert^4] / E[\lVert g\rVert^2]^2 = (1 + 2/N)(1 + 5/N)^L$.

    Parameters
    ----------
    depth : array_like of int
        Number of gated layers.
    width : array_like of int
        Units $N \ge 1$ of every hidden layer, and of the output.

    Returns
    -------
    ndarray
        Dimensionless; 1 would mean that every network has the same gradient norm. Infinite where it exceeds the largest
        number of float64.

    Raises
    ------
    ValueError
        If a depth is not a whole number from 0 to $10^6$, or a width is below 1.

    References
    ----------
    The book's own; compare Hanin (2018). Derived on the page *One network is not the ensemble*.

    Examples
    --------
    >>> sl.theory.plain_kurtosis(10, width=[10, 100, 1_000]).round(4)
    array([69.198 ,  1.6615,  1.0532])
    """
    layers, units = _accepted.broadcast(depth=_accepted.depths(depth), width=_accepted.widths(width))
    with np.errstate(over="ignore"):
        kurtosis: Array = (1 + 2 / units) * np.exp(layers * np.log1p(5 / units))
    return kurtosis
