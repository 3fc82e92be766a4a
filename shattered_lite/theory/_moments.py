r"""Second moments of gradients at two inputs, kept as logarithms so that no depth overflows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._accepted import Array, Depths


class Moments(NamedTuple):
    r"""Second moments of the gradients at two inputs, over random weights.

    Attributes
    ----------
    log_variance : ndarray
        $\log C(i)$ with $C(i) = E[\nabla_i^2]$; the neuron's own gradient is 1.
    log_correlation : ndarray
        $\log |R(i, j)|$.
    sign : ndarray
        Sign of $R$: 1, save where differentiated batch norm makes two gradients lean apart.

    Examples
    --------
    >>> moments = sl.theory.residual([1, 2, 3])
    >>> moments.variance.round(4), moments.correlation.round(4)
    (array([2., 4., 8.]), array([0.75  , 0.5625, 0.4219]))
    """

    log_variance: Array
    log_correlation: Array
    sign: Array | float = 1.0

    def __repr__(self) -> str:
        return shown(self, "variance", "correlation")

    @property
    def variance(self) -> Array:
        """$C(i)$, dimensionless; infinite where it exceeds the largest number of float64."""
        with np.errstate(over="ignore"):
            return np.exp(self.log_variance)

    @property
    def covariance(self) -> Array:
        r"""$C(i, j) = E[\nabla_i \nabla_j]$ for two typical inputs, dimensionless."""
        with np.errstate(over="ignore"):
            return self.sign * np.exp(self.log_variance + self.log_correlation)

    @property
    def correlation(self) -> Array:
        r"""$R(i, j) = C(i, j) / \sqrt{C(i) C(j)}$."""
        return self.sign * np.exp(self.log_correlation)


def shown(thing: object, *names: str) -> str:
    """What a tuple of numbers or arrays prints: a number as Python writes it, not as NumPy does."""
    values = {name: getattr(thing, name) for name in names}
    written = (f"{name}={float(value) if np.ndim(value) == 0 else value!r}" for name, value in values.items())
    return f"{type(thing).__name__}({', '.join(written)})"


def deepest(layers: Depths) -> int:
    """The largest of some depths; 0 where there are none."""
    return int(np.max(layers, initial=0))


def of_layers(depths: Depths, log_variance: Array, log_correlation: Array) -> Moments:
    """Moments at some depths, from what each layer (from 1) adds to the two logarithms."""
    at_depth = (np.concatenate([[0.0], np.cumsum(steps)])[depths] for steps in (log_variance, log_correlation))
    return Moments(*at_depth)
