r"""One curve for every network: how similar two outputs are, as a function of how similar the inputs were.

The covariance of the gradients at two inputs is its slope.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .._arguments import truth
from . import _accepted
from ._accepted import TABLE, Array
from ._activations import Spelling
from ._dual import Dual, dual
from ._moments import Moments, deepest, shown


class Similarity(NamedTuple):
    r"""What a network makes of the similarity of two inputs, and of their gradients.

    Attributes
    ----------
    cosine : ndarray
        Correlation of the values, $K_L(i, j)/K_L(i, i)$.
    log_variance : ndarray
        $\log K_L(i, i)$, of the variance of the values, where 1 enters.
    gradients : Moments
        Slopes of the map: $C(i, j) = dK_L(i, j)/dK_0(i, j)$, and $C(i)$ the slope where $i = j$.

    Examples
    --------
    >>> curve = sl.theory.similarity(10, kept=1.0, added=0.01)
    >>> round(float(curve.cosine), 4), round(float(curve.gradients.correlation), 4)
    (0.0308, 0.952)
    """

    cosine: Array
    log_variance: Array
    gradients: Moments

    def __repr__(self) -> str:
        return shown(self, "variance", "cosine", "gradients")

    @property
    def variance(self) -> Array:
        """$K_L(i, i)$, dimensionless; infinite where it exceeds the largest number of float64."""
        with np.errstate(over="ignore"):
            return np.exp(self.log_variance)


def similarity(
    depth: ArrayLike,
    *,
    cosine: ArrayLike = 0.0,
    kept: ArrayLike = 0.0,
    added: ArrayLike = 1.0,
    activation: Spelling = "relu",
    centred: bool = False,
    normalised: bool = False,
) -> Similarity:
    r"""The similarity map of a network of infinite width, and its slope: the covariance of gradients.

    A layer keeps a part of what enters it and adds a branch. With $K$ the covariance of the values of two inputs,
    $v$ their variance and $\hat\varphi(c) = E[\varphi(z_1)\varphi(z_2)]/E[\varphi^2]$ for standard normals of
    correlation $c$,

    $$K_l = \text{kept}_l\, K_{l-1} + \text{added}_l\, S_l\, \hat\varphi(c_{l-1}), \qquad
      \frac{dK_L}{dK_0} = \prod_l \Big(\text{kept}_l + \text{added}_l \frac{S_l}{v_{l-1}} \hat\varphi'(c_{l-1})\Big),$$

    where $c_l = K_l/v_l$, and $S_l$ is $v_{l-1}$, or 1 where the branch is normalised; a centred branch has
    $\hat\varphi(c) - \hat\varphi(0)$ in place of $\hat\varphi(c)$.

    =========================  ============================  ================================
    network                    ``kept``, ``added``           besides
    =========================  ============================  ================================
    plain                      0, 1
    plain, centred             0, 1                          ``centred``
    plain, batch norm          0, 1                          ``centred``, ``normalised``
    residual                   1, ``beta**2``
    residual, layer norm       1, ``beta**2``                ``normalised``
    residual, batch norm       1, ``beta**2``                ``centred``, ``normalised``
    highway                    ``gamma1**2``, the rest of 1
    looks linear               0, 1                          ``activation=leaky_relu(1.0)``
    =========================  ============================  ================================

    Where the variance changes and nothing is normalised, the activation must be homogeneous, as rectifiers are.

    Parameters
    ----------
    depth : array_like of int
        Number $L \ge 0$ of layers.
    cosine : array_like of float
        Correlation of the values that enter layer 1, in $[-1, 1]$; 0 for orthogonal inputs.
    kept, added : float or array_like, shape (layers,)
        Squared scales of skip and branch, 0 or more and not both 0; a row gives each layer its own, from the first.
    activation : str, Activation, nn.Module or callable
        As for :func:`activation`; weights of the branch have variance $1/(N E[\varphi^2])$.
    centred : bool
        Whether the branch loses its mean over many inputs, any two of which are orthogonal.
    normalised : bool
        Whether the branch is divided by the root of the variance that enters it, so that its own does not grow.

    Returns
    -------
    Similarity
        Dimensionless, with the shape of ``depth`` followed by that of ``cosine``.

    Raises
    ------
    ValueError
        If :func:`activation` refuses the activation, or its value jumps; a depth is not a whole number from 0 to
        $10^6$; a cosine lies outside $[-1, 1]$; ``kept`` or ``added`` is negative, exceeds $10^{100}$, is a row shorter
        than the depth, or leaves nothing, or a variance that is no number of float64; or layers times cosines exceed
        $10^8$.

    References
    ----------
    Daniely et al. (2016) for duals, Poole et al. (2016) for the map; that its slope away from identical inputs is the
    covariance of gradients is the book's own. Derived in the chapter *One curve for every network*.

    Examples
    --------
    >>> sl.theory.similarity([1, 2, 3], centred=True).gradients.correlation
    array([0.5  , 0.25 , 0.125])
    >>> sl.theory.similarity(10, cosine=[0.5, 0.9], activation="tanh").cosine.round(4)
    array([0.2675, 0.6879])
    """
    layers, start = _accepted.depths(depth), _accepted.correlations(cosine)
    deep = deepest(layers)
    if (deep + 1) * start.size > TABLE:
        raise ValueError(f"depth={depth}, cosine: {start.size:,} of them, but a table of {TABLE:,} numbers is the most")
    skip, branch = (_accepted.squared_scales(n, value, deep) for n, value in (("kept", kept), ("added", added)))
    layer, alike = dual(activation), 1.0
    if truth("centred", centred):
        alike -= layer.square_mean  # what the branch makes of identical inputs
    if truth("normalised", normalised):
        branch = branch / _entering(skip, branch * alike)
    growth, own = skip + branch * alike, skip + branch * layer.square_slope
    if not np.all((growth > 0) & (own > 0)):
        raise ValueError(f"kept={kept}, added={added}: in some layer nothing is kept, and nothing added")
    angles = _angles(np.arccos(start), branch / growth, alike, layer)
    lost = _along(branch / own, start) * layer.slope_gap(angles[:-1])
    log_growth, log_own = (np.zeros_like(lost) + _along(np.log(factor), start) for factor in (growth, own))
    with np.errstate(divide="ignore"):  # where nothing is left
        log_ratio = np.log(np.abs(1 - lost))
    sign = 1.0 - 2 * (_summed(lost > 1) % 2)
    log_variance, *slopes = (_summed(steps)[layers] for steps in (log_growth, log_own, log_ratio))
    cosines = np.concatenate([start[None], np.cos(angles[1:])])
    return Similarity(cosines[layers], log_variance, Moments(slopes[0], slopes[1], sign[layers]))


def _entering(kept: Array, fed: Array) -> Array:
    """Variance that enters each layer, the first with 1."""
    entering, variance = [], 1.0
    for skip, branch in zip(kept.tolist(), fed.tolist(), strict=True):
        entering.append(variance)
        variance = (skip * variance if skip else 0.0) + branch
        if not 0 < variance < math.inf:
            raise ValueError(
                f"kept={kept}, added: the variance becomes {variance:g} in layer {len(entering)}, and normalising "
                "divides by it"
            )
    return np.array(entering)


def _angles(start: Array, shares: Array, alike: float, layer: Dual) -> Array:
    r"""Angles that enter each layer, and leave the last: with $s = \sin^2(\theta/2)$ no digit is lost near 0."""
    single = start.ndim == 0
    sine, root, arcsine = (math.sin, math.sqrt, math.asin) if single else (np.sin, np.sqrt, np.arcsin)
    least = min if single else np.minimum
    angle = float(start) if single else start
    found = [angle]
    for share in shares.tolist():  # of the branch, before it is centred
        square = (1 - share * alike) * sine(angle / 2) ** 2 + share * layer.value_gap(angle) / 2
        angle = 2 * arcsine(root(least(abs(square), 1.0)))
        found.append(angle)
    return np.array(found)


def _along(layers: Array, start: Array) -> Array:
    """A number for each layer, ready to meet an array for each."""
    return layers.reshape(-1, *[1] * start.ndim)


def _summed(steps: Array) -> Array:
    """Sums over the first 0, 1, ... layers."""
    sums: Array = np.cumsum(np.concatenate([np.zeros((1, *steps.shape[1:])), steps]), axis=0)
    return sums
