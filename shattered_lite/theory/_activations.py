"""What an activation is, and those that have a name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from .._arguments import real
from . import _accepted
from ._accepted import HUGE, Array


class Activation(NamedTuple):
    r"""An activation $\varphi$ as the theory sees it.

    Attributes
    ----------
    value, slope : callable
        $\varphi$ and its derivative $\varphi'$, elementwise on arrays.
    kinks : tuple of float
        Where $\varphi$ or $\varphi'$ jumps; quadrature stops there and begins again.

    Examples
    --------
    >>> square = sl.theory.Activation(value=lambda z: z**2, slope=lambda z: 2 * z)
    >>> round(sl.theory.averages(square).variance, 6)
    2.0
    """

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    kinks: tuple[float, ...] = ()


Spelling = Activation | str | Callable[..., Any]


def normal_density(z: Array) -> Array:
    """Density of a standard normal."""
    return np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


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

    Examples
    --------
    >>> sl.theory.leaky_relu(0.1).value(np.array([-1.0, 2.0]))
    array([-0.1,  2. ])
    """
    a = real("slope", slope, lambda a: abs(a) <= HUGE, f"a finite number, at most {HUGE:g} in size, is needed")
    return Activation(lambda z: np.where(z > 0, z, a * z), lambda z: np.where(z > 0, 1.0, a), kinks=(0.0,))


def _elu(scale: float, alpha: float) -> Activation:
    return Activation(
        lambda z: scale * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))),
        lambda z: scale * np.where(z > 0, 1.0, alpha * np.exp(np.minimum(z, 0))),
        kinks=(0.0,),
    )


def _slope_of_mish(z: Array) -> Array:
    tanh: Array = np.tanh(np.logaddexp(0, z))
    logistic: Array = special.expit(z)
    return tanh + z * (1 - tanh**2) * logistic


ACTIVATIONS: dict[str, Activation] = {  # by their names in torch.nn.functional, with its defaults
    "relu": leaky_relu(0.0),
    "leaky_relu": leaky_relu(0.01),
    "elu": _elu(1.0, 1.0),
    "selu": _elu(1.0507009873554805, 1.6732632423543772),
    "gelu": Activation(lambda z: z * special.ndtr(z), lambda z: special.ndtr(z) + z * normal_density(z)),
    "silu": Activation(lambda z: z * special.expit(z), lambda z: special.expit(z) * (1 + z * special.expit(-z))),
    "softplus": Activation(lambda z: np.logaddexp(0, z), special.expit),
    "mish": Activation(lambda z: z * np.tanh(np.logaddexp(0, z)), _slope_of_mish),
    "tanh": Activation(np.tanh, lambda z: 1 - np.tanh(z) ** 2),
}


def activation(activation: Spelling, *, kinks: ArrayLike | None = None) -> Activation:
    r"""One activation of whatever stands for it: this is what every argument ``activation`` accepts.

    Value and slope of a function or module of torch come from autograd in float64. Kinks are found by a scan of
    $[-10, 10]$, 200 cells to a unit, and bisection of each.

    Parameters
    ----------
    activation : str, Activation, nn.Module or callable
        A name in ``ACTIVATIONS``; an :class:`Activation`, which may be of NumPy; or a function or module of torch that
        acts on each entry alone. Of a module a copy is taken, as in evaluation, with the parameters that it has now.
    kinks : array_like of float, shape (kinks,), optional
        Where value or slope jumps, if you know better than the scan, or than the activation.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If the name is unknown; the function fails on a tensor of float64 (of an ``Activation``: on an array), mixes
        entries, or is not finite between -10 and 10; autograd finds no derivative; or a kink is not finite.

    References
    ----------
    Used in the chapter *One number for any activation*.

    Examples
    --------
    >>> sl.theory.activation("relu").slope(np.array([-1.0, 2.0]))
    array([0., 1.])
    >>> sl.theory.activation(nn.Hardtanh()).kinks
    (-1.0, 1.0)
    """
    if isinstance(activation, Activation):
        found = activation
        _must_be_numbers(found)
    elif isinstance(activation, str) and activation in ACTIVATIONS:
        found = ACTIVATIONS[activation]
    elif callable(activation):
        found = _of_torch(activation, kinks is None)
    else:
        names = ", ".join(map(repr, ACTIVATIONS))
        raise ValueError(
            f"activation={activation!r}: choose one of {names}, or give a function or module of torch, or an "
            "Activation(value, slope)"
        )
    if kinks is None:
        return found
    given = _accepted.numbers("kinks", kinks, np.isfinite, "finite numbers are needed")
    if given.ndim != 1:
        raise ValueError(f"kinks={kinks}: a row of numbers is needed")
    return found._replace(kinks=tuple(np.unique(given).tolist()))


def _must_be_numbers(activation: Activation) -> None:
    points = np.linspace(-10, 10, 100)  # without 0
    for name, function in (("value", activation.value), ("slope", activation.slope)):
        try:
            finite = np.all(np.isfinite(function(points)))
        except Exception as error:  # a stranger's function may raise anything
            raise ValueError(f"activation={activation!r}: its {name} fails on an array of float64 ({error})") from error
        if not finite:
            raise ValueError(f"activation={activation!r}: its {name} is not finite between -10 and 10")


def _of_torch(function: Callable[..., Any], scan: bool) -> Activation:
    from .. import _autograd  # the theory knows no torch; who hands over a function of torch does

    if _autograd.is_rectifier(function):
        return ACTIVATIONS["relu"]
    known = _autograd.elementwise("activation", function)
    return Activation(known.value, known.slope, known.kinks() if scan else ())
