"""What theory expects of a network that is given operation by operation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .._arguments import whole
from . import _accepted, _through
from ._accepted import HUGE, Array
from ._activations import Activation


class Step(NamedTuple):
    r"""One operation of a wide network, at random weights of a given size.

    With $q$ the mean square of a signal, and $\delta$ the gradient by it, the signals $s$ that it is made of give

    $$q = \text{gain} \cdot \sum_s q_s + \text{offset}, \qquad \delta_s = \text{back} \cdot \delta$$

    in the mean of squares; an activation gives what :func:`through` says. A layer of weights has a gain of its mean
    squared weight times ``fan_in``, and the mean squared bias as offset; a sum has gain and back 1.

    Attributes
    ----------
    sources : tuple of int
        Places, in the list of steps, of the signals that it is made of; none for an input.
    gain, offset, back : float
        As above; nan where theory does not know them.
    activation : Activation or None
        If it is one.

    Examples
    --------
    >>> rectifier = sl.theory.activation("relu")
    >>> chain = [sl.theory.Step(), sl.theory.Step((0,), gain=2.0, back=2.0), sl.theory.Step((1,), activation=rectifier)]
    >>> [round(square, 4) for square in sl.theory.mean_squares(chain, squares={0: 1.0})]
    [1.0, 2.0, 1.0]
    """

    sources: tuple[int, ...] = ()
    gain: float = math.nan
    offset: float = 0.0
    back: float = math.nan
    activation: Activation | None = None

    @property
    def zero(self) -> bool:
        """Whether its weights, its gain or its factor are exactly zero."""
        return self.back == 0

    @property
    def known(self) -> bool:
        """Whether a gradient can be followed through it."""
        return self.activation is not None or not math.isnan(self.back)


def mean_squares(steps: Sequence[Step], *, squares: Mapping[int, float]) -> list[float]:
    r"""Mean square of every signal of a wide network, from that of its inputs on.

    Parameters
    ----------
    steps : sequence of Step
        Each behind its sources.
    squares : mapping of int to float
        Mean square of each step without sources, by its place; from 0 to $10^{100}$.

    Returns
    -------
    list of float
        Squared unit of the inputs; nan behind what theory does not know.

    Raises
    ------
    ValueError
        If ``steps`` are not such, a step comes before one of its sources, or an input has no allowed mean square.

    References
    ----------
    He et al. (2015), Section 2.2. Used by :func:`shattered_lite.diagnose`.

    Examples
    --------
    >>> skip = [sl.theory.Step(), sl.theory.Step((0,), gain=0.5, back=0.5), sl.theory.Step((0, 1), gain=1.0, back=1.0)]
    >>> sl.theory.mean_squares(skip, squares={0: 2.0})
    [2.0, 1.0, 3.0]
    """
    _check(steps)
    if not isinstance(squares, Mapping):
        raise ValueError(f"squares={squares!r}: a mapping from places to numbers is needed")
    found: list[float] = []
    for place, step in enumerate(steps):
        if not step.sources:
            found.append(_given(squares, place))
            continue
        before = sum(found[source] for source in step.sources)
        if step.activation is not None and not math.isnan(before):
            found.append(_activated(step.activation, before))
        else:
            found.append(step.offset if step.gain == 0 else step.gain * before + step.offset)
    return found


def gradient_covariances(
    steps: Sequence[Step], *, output: int, start: ArrayLike, covariances: Mapping[int, Array]
) -> list[Array | None]:
    r"""Covariance, between inputs, of the gradient by every signal of a wide network.

    $C_s = \sum \text{back} \cdot C$ over all that is made of the signal $s$; through an activation
    $C_s = E[\varphi'(z_i)\varphi'(z_j)] \cdot C$, since gates decide at which two inputs a gradient passes together.

    Parameters
    ----------
    steps : sequence of Step
        Each behind its sources.
    output : int
        Place of the signal whose gradient is given.
    start : array_like, shape (inputs, inputs)
        Covariance of that gradient.
    covariances : mapping of int to ndarray, shape (inputs, inputs)
        Of the signals that activations see, by their place; positive on the diagonal. One that is missing is unknown.

    Returns
    -------
    list of ndarray or None
        Unit of ``start``; zero where nothing of the output comes from a signal, None before what theory does not know.

    Raises
    ------
    ValueError
        If ``steps`` are not such, a step comes before one of its sources, ``output`` is no place, or a covariance is no
        square of finite numbers of the size of ``start``.

    References
    ----------
    Balduzzi et al. (2017), Theorem 1, for rectifiers. Used by :func:`shattered_lite.diagnose`.

    Examples
    --------
    >>> rectifier = sl.theory.activation("relu")
    >>> chain = [sl.theory.Step(), sl.theory.Step((0,), activation=rectifier)]
    >>> [first, _] = sl.theory.gradient_covariances(chain, output=1, start=np.ones((2, 2)), covariances={0: np.eye(2)})
    >>> first
    array([[0.5 , 0.25],
           [0.25, 0.5 ]])
    """
    _check(steps)
    last = len(steps) - 1
    output = whole("output", output, 0, last, f"a place from 0 to {last}, in the list of steps: one is needed")
    begin = _square("start", start)
    seen = _seen(covariances, len(begin))
    found: list[Array | None] = [np.zeros_like(begin) for _ in steps]
    found[output] = begin
    for place in range(output, -1, -1):
        step, own = steps[place], found[place]
        if own is not None and not own.any():
            continue
        for source in step.sources:
            before, passed = found[source], _back(step, own, seen.get(source))
            found[source] = None if before is None or passed is None else before + passed
    return found


def _given(squares: Mapping[int, float], place: int) -> float:
    if place not in squares:
        raise ValueError(f"squares={dict(squares)}: step {place} has no sources, so its mean square is needed")
    allowed = f"the mean square of step {place} is needed, from 0 to {HUGE:g}"
    square = _accepted.numbers("squares", squares[place], lambda q: (q >= 0) & (q <= HUGE), allowed)
    if square.ndim:
        raise ValueError(f"squares={dict(squares)}: {allowed}")
    return float(square)


def _activated(activation: Activation, square: float) -> float:
    """Mean square behind an activation; of the value at 0, if nothing comes in."""
    if square == 0:
        return float(activation.value(np.zeros(1))[0]) ** 2
    return float(_through.through(activation, covariance=[[square]]).value[0, 0]) if square < math.inf else math.nan


def _square(name: str, matrix: ArrayLike) -> Array:
    found = _accepted.numbers(name, matrix, np.isfinite, "finite numbers are needed")
    if found.ndim != 2 or found.shape[0] != found.shape[1] or not found.size:
        raise ValueError(f"{name}: shape {found.shape}, but a square matrix is needed")
    return found


def _seen(covariances: Mapping[int, Array], inputs: int) -> dict[int, Array]:
    if not isinstance(covariances, Mapping):
        raise ValueError(f"covariances={covariances!r}: a mapping from places to matrices is needed")
    found = {place: _square("covariances", matrix) for place, matrix in covariances.items()}
    for place, matrix in found.items():
        if len(matrix) != inputs or not (np.diagonal(matrix) > 0).all():
            raise ValueError(
                f"covariances: that of step {place} has shape {matrix.shape}, and {np.diagonal(matrix).min():g} on its "
                f"diagonal; needed are that of start: {(inputs, inputs)}, and positive numbers there"
            )
    return found


def _back(step: Step, own: Array | None, seen: Array | None) -> Array | None:
    """What comes back through one step."""
    if own is None or not step.known:
        return None
    if step.activation is None:
        return step.back * own
    if seen is None:
        return None
    return _through.through(step.activation, covariance=seen).slope * own


def _check(steps: Sequence[Step]) -> None:
    if not isinstance(steps, Sequence) or not steps or not all(isinstance(step, Step) for step in steps):
        raise ValueError(f"steps: {type(steps).__name__}, but a sequence of Step is needed, and not an empty one")
    for place, step in enumerate(steps):
        if not all(0 <= source < place for source in step.sources):
            raise ValueError(f"steps: number {place} has sources {step.sources}, but each must come before it")
