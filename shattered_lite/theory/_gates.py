r"""Who is active with whom: angles between two inputs, and the gates they share, layer by layer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr, ndtri

from .._arguments import real, whole
from . import _accepted
from ._accepted import HUGE, MOST, Array
from ._averages import FARTHEST, mean
from ._moments import shown
from ._similarity import similarity


class ArcCosine(NamedTuple):
    r"""One rectifier layer of infinite width, seen by two inputs at angle $\theta$.

    Attributes
    ----------
    cosine : ndarray
        Correlation of the next preactivations, $(\sin\theta + (\pi - \theta)\cos\theta)/\pi$.
    tangent : ndarray
        Factor by which the layer multiplies the correlation of gradients, $1 - \theta/\pi$.
    coactivation : ndarray
        Probability that a unit is active at both inputs, $(\pi - \theta)/(2\pi)$.

    Examples
    --------
    >>> sl.theory.arc_cosine([1, 0, -1]).coactivation
    array([0.5 , 0.25, 0.  ])
    """

    cosine: Array
    tangent: Array
    coactivation: Array

    def __repr__(self) -> str:
        return shown(self, *self._fields)


def arc_cosine(cosine: ArrayLike) -> ArcCosine:
    r"""Arc-cosine maps of values, tangents and gates of a He-initialised rectifier layer.

    Parameters
    ----------
    cosine : array_like of float
        Correlation $\cos\theta$ of the two preactivations that enter the layer, in $[-1, 1]$.

    Returns
    -------
    ArcCosine
        Dimensionless, each field with the shape of ``cosine``.

    Raises
    ------
    ValueError
        If a cosine lies outside $[-1, 1]$.

    References
    ----------
    Cho and Saul (2009). Derived in the chapter *Who is active with whom*.

    Examples
    --------
    >>> sl.theory.arc_cosine([1, 0]).cosine.round(4)
    array([1.    , 0.3183])
    """
    c = _accepted.correlations(cosine)
    angle = np.arccos(c)
    active_at_both = (np.pi - angle) / np.pi
    value = np.sin(angle) / np.pi + active_at_both * c
    return ArcCosine(np.clip(value, -1, 1), active_at_both, active_at_both / 2)


def cosines(depth: int, *, cosine: ArrayLike = 0.0) -> Array:
    r"""Correlation of the preactivations of two inputs, layer by layer, in an uncentred plain network.

    Parameters
    ----------
    depth : int
        Number of gated layers, at most $10^6$.
    cosine : array_like of float
        Correlation of the first preactivations; 0 for orthogonal inputs.

    Returns
    -------
    ndarray, shape (depth + 1, ...)
        Entry ``l`` is the correlation that enters gated layer ``l + 1``; the first is ``cosine`` itself.

    Raises
    ------
    ValueError
        If ``depth`` is not a whole number from 0 to $10^6$, a cosine lies outside $[-1, 1]$, or there are so many
        that the result would hold more than $10^8$ numbers.

    References
    ----------
    Cho and Saul (2009). Used in the chapters *Who is active with whom* and *Theorem 1: plain networks*.

    Examples
    --------
    >>> sl.theory.cosines(3).round(4)
    array([0.    , 0.3183, 0.4937, 0.6048])
    """
    return similarity(np.arange(_accepted.one_depth(depth) + 1), cosine=cosine).cosine


def centred_coactivation(batch_size: ArrayLike) -> Array:
    r"""Co-activation when each unit is centred over $M$ alike inputs, $1/4 - \arcsin(1/(M-1))/(2\pi)$.

    Parameters
    ----------
    batch_size : array_like of float
        Number $M \ge 3$ of inputs; infinite gives 1/4.

    Returns
    -------
    ndarray
        Share of pairs of inputs, with the shape of ``batch_size``.

    Raises
    ------
    ValueError
        If ``batch_size`` is below 3.

    References
    ----------
    The book's own; derived in the chapter *Who is active with whom*.

    Examples
    --------
    >>> sl.theory.centred_coactivation([3, 10, np.inf]).round(4)
    array([0.1667, 0.2323, 0.25  ])
    """
    batch = _accepted.batches(batch_size)
    return 0.25 - np.arcsin(1 / (batch - 1)) / (2 * np.pi)


def constant_units(cosine: float, *, batch_size: int) -> float:
    r"""Share of units that are on for every input or for none, $2 \int \Phi(\tau s)^M \varphi(s)\,ds$.

    Any two of the $M$ preactivations of a unit have correlation $c$, and $\tau^2 = c/(1 - c)$.

    Parameters
    ----------
    cosine : float
        Correlation $c$, in $[0, 1)$.
    batch_size : int
        Number $M$ of inputs, from 1 to $10^6$.

    Returns
    -------
    float
        Between $2^{1-M}$ (independent inputs; 0 where that is no number of float64) and 1.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed.

    References
    ----------
    The book's own; derived in the chapter *Who is active with whom*.

    Examples
    --------
    >>> round(sl.theory.constant_units(0.9, batch_size=100), 4)
    0.408
    """
    shared = "what many inputs share is between 0 (nothing) and 1, excluded"
    c = real("cosine", cosine, lambda c: 0 <= c < 1, shared)
    batch = whole("batch_size", batch_size, 1, MOST)
    tau = np.sqrt(c / (1 - c))
    middle = ndtri(0.5 ** (1 / batch))  # where the power climbs from 0 to 1, steeply for many inputs
    kinks = tuple(s / tau for s in (-8, middle, 8) if abs(s) < FARTHEST * tau)
    return float(2 * mean(lambda s: np.exp(batch * log_ndtr(tau * s)), kinks))  # a power would blow rounding up


def expected_runs(cosine: ArrayLike) -> float:
    r"""Mean number of runs of equal bits along a line of inputs, $1 + \sum_i \theta_{i,i+1}/\pi$.

    Parameters
    ----------
    cosine : array_like of float, shape (inputs - 1,)
        Correlations $\cos\theta_{i,i+1}$ of the preactivations of neighbours, in $[-1, 1]$.

    Returns
    -------
    float
        Runs per unit, between 1 (the unit never switches) and ``inputs``.

    Raises
    ------
    ValueError
        If a cosine lies outside $[-1, 1]$.

    References
    ----------
    The book's own; derived in the chapter *Who is active with whom*.

    Examples
    --------
    >>> round(sl.theory.expected_runs([0.0, 0.0, 1.0]), 4)
    2.0
    """
    return 1 + float(np.sum(1 - arc_cosine(cosine).tangent))


def centred_length(length: ArrayLike, *, batch_size: ArrayLike = np.inf) -> Array:
    r"""What centring does to one input whose length differs, $a^2 \to (\pi a^2 - 2a + 1)/(\pi - 1)$.

    One rectifier layer sees orthogonal inputs, one of length $a$ and the other $M - 1$ of length 1, and is centred
    over them.

    Parameters
    ----------
    length : array_like of float
        $a$, from 0 to $10^{100}$.
    batch_size : array_like of float
        Number $M \ge 3$ of inputs; the formula above is the limit of large $M$.

    Returns
    -------
    ndarray
        Squared length of that input relative to each of the others, after the layer; with the broadcast shape of the
        arguments.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed.

    References
    ----------
    The book's own; derived in the chapter *Who is active with whom*.

    Examples
    --------
    >>> sl.theory.centred_length([0.5, 1, 2]).round(4)
    array([0.3667, 1.    , 4.4669])
    """
    allowed = f"a length is not negative, and {HUGE:g} or less"
    a = _accepted.numbers("length", length, lambda a: (a >= 0) & (a <= HUGE), allowed)
    a, batch = _accepted.broadcast(length=a, batch_size=_accepted.batches(batch_size))
    one = 1 / batch  # the part of one input among all
    with_mean = one * a**2 + (1 - one) * a / np.pi  # twice E[h_1 m], where m is the mean of the rectified h
    other_with_mean = one + ((1 - 2 * one) + one * a) / np.pi
    mean_square = one * with_mean + (1 - one) * other_with_mean
    return (a**2 - 2 * with_mean + mean_square) / (1 - 2 * other_with_mean + mean_square)
