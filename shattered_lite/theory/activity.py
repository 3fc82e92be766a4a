r"""Who is active with whom: angles between two inputs, and the gates they share, layer by layer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from . import arguments
from .arguments import Array


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
    """

    cosine: Array
    tangent: Array
    coactivation: Array


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
    """
    c = arguments.correlations(cosine)
    angle = np.arccos(c)
    active_at_both = (np.pi - angle) / np.pi
    value = np.sin(angle) / np.pi + active_at_both * c
    return ArcCosine(np.clip(value, -1, 1), active_at_both, active_at_both / 2)


def cosines(depth: int, cosine: ArrayLike = 0.0) -> Array:
    r"""Correlation of the preactivations of two inputs, layer by layer, in an uncentred plain network.

    Parameters
    ----------
    depth : int
        Number of gated layers.
    cosine : array_like of float
        Correlation of the first preactivations; 0 for orthogonal inputs.

    Returns
    -------
    ndarray, shape (depth + 1, ...)
        Entry ``l`` is the correlation that enters gated layer ``l + 1``; the first is ``cosine`` itself.

    Raises
    ------
    ValueError
        If ``depth`` is negative or not whole, or a cosine lies outside $[-1, 1]$.

    References
    ----------
    Cho and Saul (2009). Used in the chapters *Who is active with whom* and *Theorem 1: plain networks*.
    """
    trajectory = [arguments.correlations(cosine)]
    for _ in range(arguments.one_depth(depth)):
        trajectory.append(arc_cosine(trajectory[-1]).cosine)
    return np.stack(trajectory)


def centred_coactivation(inputs: ArrayLike) -> Array:
    r"""Co-activation when each unit is centred over $M$ alike inputs, $1/4 - \arcsin(1/(M-1))/(2\pi)$.

    Parameters
    ----------
    inputs : array_like of float
        Number $M \ge 3$ of inputs; infinite gives 1/4.

    Returns
    -------
    ndarray
        Share of pairs of inputs, with the shape of ``inputs``.

    Raises
    ------
    ValueError
        If ``inputs`` is below 3.

    References
    ----------
    The book's own; derived in the chapter *Who is active with whom*.
    """
    batch = arguments.batches(inputs)
    return 0.25 - np.arcsin(1 / (batch - 1)) / (2 * np.pi)


def constant_units(cosine: float, inputs: int) -> float:
    r"""Share of units that are on for every input or for none, $2 \int \Phi(\tau s)^M \varphi(s)\,ds$.

    Any two of the $M$ preactivations of a unit have correlation $c$, and $\tau^2 = c/(1 - c)$.

    Parameters
    ----------
    cosine : float
        Correlation $c$, in $[0, 1)$.
    inputs : int
        Number $M \ge 1$ of inputs.

    Returns
    -------
    float
        Between $2^{1-M}$ (independent inputs) and 1.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed.

    References
    ----------
    The book's own; derived in the chapter *Who is active with whom*.
    """
    if not 0 <= cosine < 1:
        raise ValueError(f"cosine={cosine}: what many inputs share is between 0 (nothing) and 1, excluded")
    if not (isinstance(inputs, int | np.integer) and inputs >= 1):
        raise ValueError(f"inputs={inputs}: a whole number, 1 or more, is needed")
    shared, step = np.linspace(-9, 9, 20_001, retstep=True)
    weight = step * np.exp(-(shared**2) / 2) / np.sqrt(2 * np.pi)
    return float(2 * weight @ ndtr(np.sqrt(cosine / (1 - cosine)) * shared) ** inputs)


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
    """
    return 1 + float(np.sum(1 - arc_cosine(cosine).tangent))


def centred_length(length: ArrayLike, inputs: float = np.inf) -> Array:
    r"""What centring does to one input whose length differs, $a^2 \to (\pi a^2 - 2a + 1)/(\pi - 1)$.

    One rectifier layer sees orthogonal inputs, one of length $a$ and the other $M - 1$ of length 1, and is centred
    over them.

    Parameters
    ----------
    length : array_like of float
        $a \ge 0$.
    inputs : float
        Number $M \ge 3$ of inputs; the formula above is the limit of large $M$.

    Returns
    -------
    ndarray
        Squared length of that input relative to each of the others, after the layer.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed.

    References
    ----------
    The book's own; derived in the chapter *Who is active with whom*.
    """
    a, others = np.asarray(length, dtype=np.float64), inputs - 1
    if np.any(~(a >= 0)):
        raise ValueError(f"length={length}: a length is not negative")
    arguments.batches(inputs)
    if np.isinf(inputs):
        return (np.pi * a**2 - 2 * a + 1) / (np.pi - 1)
    with_mean = (a**2 + others * a / np.pi) / inputs  # twice E[h_1 m], where m is the mean of the rectified h
    other_with_mean = (1 + (others - 1 + a) / np.pi) / inputs
    mean = (with_mean + others * other_with_mean) / inputs
    return (a**2 - 2 * with_mean + mean) / (1 - 2 * other_with_mean + mean)
