r"""Gaussian averages of an activation: one number for how much any of them shatters."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import integrate

from .._arguments import whole
from . import _activations
from ._accepted import Array
from ._activations import Spelling, normal_density

FARTHEST = 38.0  # the density of a standard normal is below the smallest number of float64 from here on
DIVERGED = 1  # what quad_vec reports when it gives up
HIGHEST = 100  # degree up to which the quadrature keeps its digits


class Averages(NamedTuple):
    r"""Averages of an activation over a standard normal $Z$, and what they say about networks.

    Attributes
    ----------
    mean, square : float
        $E[\varphi(Z)]$ and $E[\varphi(Z)^2]$; weights of variance $1/(N E[\varphi(Z)^2])$ keep a branch at variance 1.
    mean_slope, square_slope : float
        $E[\varphi'(Z)]$ and $E[\varphi'(Z)^2]$.

    Examples
    --------
    >>> tanh = sl.theory.averages("tanh")
    >>> round(tanh.decay, 4), round(tanh.shattering_index, 4)
    (0.79, 0.2473)
    """

    mean: float
    square: float
    mean_slope: float
    square_slope: float

    @property
    def variance(self) -> float:
        r"""$\operatorname{Var} \varphi(Z)$."""
        return self.square - self.mean**2

    @property
    def decay(self) -> float:
        r"""What a gated layer multiplies the correlation by, $s = E[\varphi']^2 / E[\varphi'^2]$."""
        return self.mean_slope**2 / self.square_slope

    @property
    def growth(self) -> float:
        r"""Growth of the variance in a layer with batch norm, $\chi = E[\varphi'^2] / \operatorname{Var} \varphi$."""
        return self.square_slope / self.variance

    @property
    def shattering_index(self) -> float:
        r"""$\kappa = \operatorname{Var} \varphi' / \operatorname{Var} \varphi = \chi (1 - s)$.

        In a residual network with batch norm $R \sim L^{-\kappa}$.
        """
        return (self.square_slope - self.mean_slope**2) / self.variance


def averages(activation: Spelling) -> Averages:
    r"""Gaussian averages of an activation by adaptive quadrature, to about $10^{-12}$.

    Parameters
    ----------
    activation : str, Activation, nn.Module or callable
        As for :func:`activation`.

    Returns
    -------
    Averages
        Dimensionless.

    Raises
    ------
    ValueError
        If :func:`activation` refuses it, an average is not finite, or the activation is constant.

    References
    ----------
    The book's own; derived in the chapter *One number for any activation*.

    Examples
    --------
    >>> round(sl.theory.averages(lambda z: z * torch.sigmoid(1.702 * z)).shattering_index, 4)
    0.5831
    """
    value, slope, kinks = _activations.activation(activation)

    def powers(z: Array) -> Array:
        both = np.stack([value(z), slope(z)])
        return np.stack([both, both**2], axis=1).ravel()

    integrals = mean(powers, kinks)
    must_be_finite(activation, integrals)
    found = Averages(*integrals.tolist())
    if not found.variance > 1e-12 * found.square:
        raise ValueError(f"activation={activation!r}: a constant carries no signal")
    if not found.square_slope > 0:
        raise ValueError(f"activation={activation!r}: its slope is 0 wherever it has one, and no gradient passes")
    return found


def hermite_coefficients(activation: Spelling, *, degree: int) -> Array:
    r"""Coefficients $a_k = E[\varphi(Z)\, \mathrm{He}_k(Z)] / \sqrt{k!}$ of an activation.

    Then $\operatorname{Var} \varphi = \sum_{k \ge 1} a_k^2$ and $\operatorname{Var} \varphi' = \sum_{k \ge 2} k a_k^2$.

    Parameters
    ----------
    activation : str, Activation, nn.Module or callable
        As for :func:`activation`.
    degree : int
        Largest $k$, from 0 to 100.

    Returns
    -------
    ndarray, shape (degree + 1,)

    Raises
    ------
    ValueError
        If :func:`activation` refuses it, an average is not finite, or the degree is not a whole number from 0 to 100.

    References
    ----------
    Derived in the chapter *One number for any activation*.

    Examples
    --------
    >>> sl.theory.hermite_coefficients("relu", degree=2).round(4)
    array([0.3989, 0.5   , 0.2821])
    """
    whole("degree", degree, 0, HIGHEST)
    value, _, kinks = _activations.activation(activation)

    def integrand(z: Array) -> Array:
        polynomials = np.ones(degree + 1)
        if degree:
            polynomials[1] = z
        for k in range(1, degree):  # normalised: He_k / sqrt(k!)
            polynomials[k + 1] = (z * polynomials[k] - np.sqrt(k) * polynomials[k - 1]) / np.sqrt(k + 1)
        return value(z) * polynomials

    found = mean(integrand, kinks)
    must_be_finite(activation, found)
    return found


def mean(function: Callable[[Array], Array], kinks: tuple[float, ...] = ()) -> Array:
    """Mean of a vector-valued function of a standard normal; nan where the quadrature does not settle."""
    found, _, report = integrate.quad_vec(
        lambda z: function(np.asarray(z)) * normal_density(np.asarray(z)),
        -FARTHEST,
        FARTHEST,
        epsabs=1e-14,
        epsrel=1e-13,
        norm="max",
        limit=2_000,
        points=(-6.0, *kinks, 6.0),
        full_output=True,
    )
    return found if report.status != DIVERGED else np.full_like(found, np.nan)


def must_be_finite(activation: Spelling, found: ArrayLike) -> None:
    """Refuse an activation that is too steep somewhere, grows too fast, or is no number."""
    if not np.all(np.isfinite(found)):
        raise ValueError(f"activation={activation!r}: its averages over a standard normal, or a batch, do not exist")
