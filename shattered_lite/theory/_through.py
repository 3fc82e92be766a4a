"""What an activation makes of Gaussian preactivations of any covariance."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from . import _accepted, _activations
from ._accepted import Array
from ._activations import Spelling, normal_density
from ._gates import arc_cosine

DEGREE = 60  # of the expansion in Hermite polynomials
END, POINTS = 12.0, 150  # Gauss-Legendre, on either side of 0
ASIDE = 1e-9  # of 0
ROUNDED = 1e-4  # correlations that float32 may have moved beyond 1

Function = Callable[[Array], Any]


class Through(NamedTuple):
    r"""Second moments behind an activation.

    Attributes
    ----------
    value, slope : ndarray, shape (inputs, inputs)
        $E[\varphi(z_i)\varphi(z_j)]$ and $E[\varphi'(z_i)\varphi'(z_j)]$.

    Examples
    --------
    >>> sl.theory.through("relu", covariance=[[2.0, 0.0], [0.0, 2.0]]).slope.round(4)
    array([[0.5 , 0.25],
           [0.25, 0.5 ]])
    """

    value: Array
    slope: Array


def through(activation: Spelling, *, covariance: ArrayLike) -> Through:
    r"""Second moments of an activation, and of its slope, at Gaussian preactivations.

    With $z_i = \sqrt{q_i}\, u_i$, $c$ the correlation of $u_i$ and $u_j$, and Hermite coefficients
    $a_k(q) = E[\varphi(\sqrt q\, u)\, \mathrm{He}_k(u)]/\sqrt{k!}$,

    $$E[\varphi(z_i)\varphi(z_j)] = \sum_k a_k(q_i)\, a_k(q_j)\, c^k .$$

    A jump of the slope at 0 makes such a series slow: the rectifier in it is taken out, and put in by its closed form.

    Parameters
    ----------
    activation : str, Activation, nn.Module or callable
        As for :func:`activation`; value and slope have no jump but the slope's at 0.
    covariance : array_like, shape (inputs, inputs)
        Of the preactivations, positive on the diagonal.

    Returns
    -------
    Through

    Raises
    ------
    ValueError
        If :func:`activation` refuses it or it has other kinks, or the covariance is not such a matrix.

    References
    ----------
    Daniely, Frostig and Singer (2016) for the series; Cho and Saul (2009) for the rectifier. Used by
    :func:`shattered_lite.diagnose`.

    Examples
    --------
    >>> sl.theory.through("tanh", covariance=[[1.0, 0.5], [0.5, 1.0]]).value.round(4)
    array([[0.3943, 0.1863],
           [0.1863, 0.3943]])
    """
    found = _activations.activation(activation)
    if set(found.kinks) - {0.0}:
        raise ValueError(f"activation={activation!r}: kinks at {found.kinks}, but only one at 0 is allowed")
    products = _accepted.numbers("covariance", covariance, np.isfinite, "finite numbers are needed")
    if products.ndim != 2 or products.shape[0] != products.shape[1] or not np.all(np.diagonal(products) > 0):
        raise ValueError(f"covariance: shape {products.shape}, but a square with a positive diagonal is needed")
    deviation = np.sqrt(np.diagonal(products))
    cosine = products / np.outer(deviation, deviation)
    if not np.allclose(products, products.T, rtol=1e-6, atol=0) or np.any(np.abs(cosine) > 1 + ROUNDED):
        raise ValueError(
            f"covariance={covariance}: no covariance; it must be symmetric, with correlations from -1 to 1"
        )
    cosine = np.clip(cosine, -1, 1)
    np.fill_diagonal(cosine, 1.0)
    [left, right] = found.slope(np.array([-ASIDE, ASIDE])) if found.kinks else (0.0, 0.0)
    jump, rectifier = float(right - left), arc_cosine(cosine)
    smooth = _series(found.value, lambda z: jump * np.maximum(z, 0), deviation, cosine)
    smooth_slope = _series(found.slope, lambda z: jump * (z > 0), deviation, cosine)
    return Through(
        smooth + jump**2 / 2 * np.outer(deviation, deviation) * rectifier.cosine,
        smooth_slope + jump**2 * rectifier.coactivation,
    )


def _series(function: Function, rectifier: Function, deviation: Array, cosine: Array) -> Array:
    """Of a function less the product of its rectifying part with itself; what is left of it dies out."""
    points, weights, polynomials = _rule()
    at_points = deviation[:, None] * points
    whole, part = (each(at_points) * weights @ polynomials.T for each in (function, rectifier))
    missing = [
        each(at_points) ** 2 @ weights - (found**2).sum(1) for each, found in ((function, whole), (rectifier, part))
    ]
    rest = np.sqrt(np.maximum(missing[0] - missing[1], 0))  # of higher degrees: exact for one input, and close for two
    total = np.outer(rest, rest)
    for k in reversed(range(DEGREE + 1)):  # Horner's rule
        total = total * cosine + np.outer(whole[:, k], whole[:, k]) - np.outer(part[:, k], part[:, k])
    return total


@cache
def _rule() -> tuple[Array, Array, Array]:
    """Points and weights of a standard normal's mean, split at 0, and the normalised polynomials there."""
    x, weight = np.polynomial.legendre.leggauss(POINTS)
    half = (x + 1) * END / 2
    points = np.concatenate([-half[::-1], half])
    weights = np.concatenate([weight[::-1], weight]) * END / 2 * normal_density(points)
    polynomials = np.ones((DEGREE + 1, len(points)))
    polynomials[1] = points
    for k in range(1, DEGREE):
        polynomials[k + 1] = (points * polynomials[k] - np.sqrt(k) * polynomials[k - 1]) / np.sqrt(k + 1)
    return points, weights, polynomials
