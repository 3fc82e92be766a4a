"""What an activation is, and those that have a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special

from .._arguments import real
from ._accepted import HUGE, Array


class Activation(NamedTuple):
    r"""An activation $\varphi$ as the theory sees it.

    Attributes
    ----------
    value, slope : callable
        $\varphi$ and its derivative $\varphi'$, elementwise on arrays.
    kinks : tuple of float
        Where $\varphi$ or $\varphi'$ jumps; quadrature stops there and begins again.
    """

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    kinks: tuple[float, ...] = ()


def normal_density(z: Array) -> Array:
    """Density of a standard normal."""
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def leaky_relu(slope: float) -> Activation:
    r"""Leaky rectifier, $\max(0, z) + a \min(0, z)$.

    Parameters
    ----------
    slope : float
        $a$; 0 gives the rectifier, 1 the identity, $-1$ the absolute value.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If the slope is not a finite number, or exceeds $10^{100}$ in size.

    References
    ----------
    Used in the chapter *One number for any activation*.
    """
    a = real("slope", slope, lambda a: abs(a) <= HUGE, f"a finite number, at most {HUGE:g} in size, is needed")
    return Activation(lambda z: np.where(z > 0, z, a * z), lambda z: np.where(z > 0, 1.0, a), kinks=(0.0,))


def _elu(scale: float, alpha: float) -> Activation:
    return Activation(
        lambda z: scale * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))),
        lambda z: scale * np.where(z > 0, 1.0, alpha * np.exp(np.minimum(z, 0))),
        kinks=(0.0,),
    )


ACTIVATIONS: dict[str, Activation] = {  # by their names in torch.nn.functional, with its defaults
    "relu": leaky_relu(0.0),
    "leaky_relu": leaky_relu(0.01),
    "elu": _elu(1.0, 1.0),
    "selu": _elu(1.0507009873554805, 1.6732632423543772),
    "gelu": Activation(lambda z: z * special.ndtr(z), lambda z: special.ndtr(z) + z * normal_density(z)),
    "silu": Activation(lambda z: z * special.expit(z), lambda z: special.expit(z) * (1 + z * special.expit(-z))),
    "softplus": Activation(lambda z: np.logaddexp(0, z), special.expit),
    "tanh": Activation(np.tanh, lambda z: 1 - np.tanh(z) ** 2),
}


def named(activation: Activation | str) -> Activation:
    """The activation of a name."""
    if isinstance(activation, Activation):
        return activation
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        names = ", ".join(map(repr, ACTIVATIONS))
        raise ValueError(f"activation={activation!r}: choose one of {names}, or give an Activation(value, slope)")
    return ACTIVATIONS[activation]
