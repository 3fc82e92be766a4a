r"""Corollary 1: highway networks, whose coefficients keep the variance of every layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from . import _accepted
from ._accepted import MOST, Array
from ._moments import Moments
from ._similarity import similarity


def highway(depth: ArrayLike, *, gamma1: ArrayLike) -> Moments:
    r"""Corollary 1: gradients of a highway network, $x_l = \gamma_1 x_{l-1} + \gamma_2 W_l\, \rho(x_{l-1})$.

    With $\gamma_1^2 + \gamma_2^2 = 1$, $C(i) = 1$ and $R(i, j) = (\gamma_1^2 + \gamma_2^2/2)^L$.

    Parameters
    ----------
    depth : array_like of int
        Number $L \ge 0$ of layers.
    gamma1 : array_like of float
        Coefficient of the skip, in [0, 1]; broadcasts with ``depth``. For coefficients that differ from layer to
        layer, ask for depth 1 and multiply the correlations.

    Returns
    -------
    Moments
        Dimensionless, with the broadcast shape of the arguments.

    Raises
    ------
    ValueError
        If a depth is not a whole number from 0 to $10^6$, or a coefficient lies outside [0, 1].

    References
    ----------
    Balduzzi et al. (2017), Corollary 1. Derived in the chapter *Highway networks*.

    Examples
    --------
    >>> sl.theory.highway([1, 10, 100], gamma1=0.95).correlation.round(4)
    array([0.9512, 0.6067, 0.0068])
    """
    layers, kept = _accepted.broadcast(depth=_accepted.depths(depth), gamma1=_accepted.gammas(gamma1) ** 2)
    log_correlation: Array = np.log1p(-(1 - kept) / 2) * layers
    return Moments(np.zeros(np.shape(log_correlation)), log_correlation)


def highway_uncentred(gamma1: ArrayLike, *, cosine: float = 0.0) -> Moments:
    r"""Gradients after each layer of a highway network of infinite width with real gates, without centring.

    The recursion of :func:`residual_uncentred` with $w_l = 1 - \gamma_{1,l}^2$; $C(i) = 1$.

    Parameters
    ----------
    gamma1 : array_like of float, shape (depth,)
        Coefficient of each layer's skip, in [0, 1].
    cosine : float
        Correlation of the first preactivations; 0 for orthogonal inputs.

    Returns
    -------
    Moments
        Dimensionless, shape (depth + 1,): after 0, 1, ..., depth layers.

    Raises
    ------
    ValueError
        If a coefficient lies outside [0, 1], they are not a row of at most $10^6$, or the cosine lies outside
        $[-1, 1]$.

    References
    ----------
    The book's own; derived in the chapter *Highway networks*.

    Examples
    --------
    >>> sl.theory.highway_uncentred([0.9, 0.8, 0.7]).correlation.round(4)
    array([1.    , 0.905 , 0.7484, 0.5776])
    """
    kept = _accepted.gammas(gamma1)
    if kept.ndim != 1 or len(kept) > MOST:
        raise ValueError(
            f"gamma1: shape {kept.shape}, but one coefficient for each of at most {MOST:,} layers is needed"
        )
    depth, squared = np.arange(len(kept) + 1), kept**2
    return similarity(depth, kept=squared, added=1 - squared, cosine=_accepted.one_correlation(cosine)).gradients
