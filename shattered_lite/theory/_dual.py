r"""Duals of an activation: what one wide layer makes of two inputs, as a function of the angle between them.

Everything is kept as its distance from what identical inputs get, since deep networks bring inputs so close that a
correlation of nearly 1 would have lost its digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial import Chebyshev

from ._accepted import Array
from ._activations import ACTIVATIONS, Spelling, activation, normal_density
from ._averages import averages

DEGREE = 64  # of the polynomials in the angle
END = 10.0  # the density of a standard normal is below 10^-22 from here on
STEP = 2.0  # width of a panel, in which a Gaussian rule has this many points:
POINTS = 14
ASIDE = 1e-9  # of a kink

Gap = Callable[[Any], Any]  # of an angle, one number or an array


class Dual(NamedTuple):
    r"""A layer of weights of variance $1/(N E[\varphi^2])$, seen by two inputs at angle $\theta$.

    Attributes
    ----------
    value_gap, slope_gap : callable
        $\frac12 E[(\varphi(z_1) - \varphi(z_2))^2] / E[\varphi^2]$, and the same of $\varphi'$, still divided by
        $E[\varphi^2]$, for standard normals of correlation $\cos\theta$.
    square_mean, square_slope : float
        $E[\varphi]^2 / E[\varphi^2]$ and $E[\varphi'^2] / E[\varphi^2]$.
    """

    value_gap: Gap
    slope_gap: Gap
    square_mean: float
    square_slope: float


def rectifier_gap(angle: Any) -> Any:
    r"""$1 - \cos\theta - (\sin\theta - \theta\cos\theta)/\pi$ (Cho and Saul, 2009)."""
    sine, cosine = (math.sin, math.cos) if isinstance(angle, float) else (np.sin, np.cos)  # ten times as fast
    return 2 * sine(angle / 2) ** 2 - (sine(angle) - angle * cosine(angle)) / math.pi


def dual(spelling: Spelling) -> Dual:
    """Dual of an activation: the rectifier's in closed form; others' to $10^{-12}$, or with many kinks to $10^{-8}$."""
    found = activation(spelling)
    if found is ACTIVATIONS["relu"]:
        return Dual(rectifier_gap, lambda angle: angle / math.pi, 1 / math.pi, 1.0)
    wide, kinks = averages(found), np.array(found.kinks)
    left, right = found.value(kinks - ASIDE), found.value(kinks + ASIDE)
    if np.any(np.abs(right - left) > 1e-6 * (1 + np.abs(left))):
        raise ValueError(f"activation={spelling!r}: its value jumps, and gradients know nothing of that")

    def gap(function: Callable[[Array], Array], power: int) -> Gap:
        """A gap vanishes like the angle, or like its square where nothing jumps: what is left is smooth."""
        smooth = Chebyshev.interpolate(
            lambda angles: np.array([_half_square(function, found.kinks, a) / a**power for a in angles]) / wide.square,
            DEGREE,
            domain=[0, math.pi],
        )
        return lambda angle: angle**power * smooth(angle)

    return Dual(gap(found.value, 2), gap(found.slope, 1), wide.mean**2 / wide.square, wide.square_slope / wide.square)


def _half_square(function: Callable[[Array], Array], kinks: tuple[float, ...], angle: float) -> float:
    r"""$\frac12 E[(f(cu + sv) - f(cu - sv))^2]$ with $c$ and $s$ of half the angle, and $u$, $v$ independent."""
    c, s = math.cos(angle / 2), math.sin(angle / 2)
    near = np.array([0, 1, 2, 4, 8]) * s / c
    crossings = [kink / c + side * near for kink in kinks for side in (-1, 1)]
    u, weight_of_u = _panels(np.concatenate([np.empty(0), *crossings]))
    jumps = [np.abs(kink - c * u) / s for kink in kinks]  # the difference is odd in v: half of the line is enough
    v, weight_of_v = _panels(np.stack(jumps, axis=-1) if jumps else np.empty((len(u), 0)), start=0.0)
    inner = np.sum(weight_of_v * (function(c * u[:, None] + s * v) - function(c * u[:, None] - s * v)) ** 2, axis=-1)
    return float(np.sum(weight_of_u * inner))


def _panels(cuts: Array, start: float = -END) -> tuple[Array, Array]:
    """Points and weights of a normal's mean beyond a start, in panels that end at the cuts in the last axis."""
    regular = np.arange(start, END + STEP / 2, STEP)
    ends = np.sort(np.concatenate([np.broadcast_to(regular, (*cuts.shape[:-1], len(regular))), cuts], axis=-1))
    ends = np.clip(ends, start, END)
    x, weight = np.polynomial.legendre.leggauss(POINTS)
    half = np.diff(ends)[..., None] / 2
    points = ends[..., :-1, None] + half * (1 + x)
    flat = (*cuts.shape[:-1], -1)
    return points.reshape(flat), (half * weight * normal_density(points)).reshape(flat)
