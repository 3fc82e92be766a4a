"""What theory expects of a network that is given operation by operation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from . import _through
from ._accepted import Array
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
    >>> [round(square, 4) for square in sl.theory.mean_squares(chain, inputs={0: 1.0})]
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


def mean_squares(steps: Sequence[Step], *, inputs: Mapping[int, float]) -> list[float]:
    r"""Mean square of every signal of a wide network, from that of its inputs on.

    Parameters
    ----------
    steps : sequence of Step
        Each behind its sources.
    inputs : mapping of int to float
        Mean square of each step without sources, by its place.

    Returns
    -------
    list of float
        Squared unit of the inputs; nan behind what theory does not know.

    Raises
    ------
    ValueError
        If a step comes before one of its sources, or an input has no mean square.

    References
    ----------
    He et al. (2015), Section 2.2. Used by :func:`shattered_lite.diagnose`.

    Examples
    --------
    >>> skip = [sl.theory.Step(), sl.theory.Step((0,), gain=0.5, back=0.5), sl.theory.Step((0, 1), gain=1.0, back=1.0)]
    >>> sl.theory.mean_squares(skip, inputs={0: 2.0})
    [2.0, 1.0, 3.0]
    """
    _check(steps)
    squares: list[float] = []
    for place, step in enumerate(steps):
        if not step.sources:
            if place not in inputs:
                raise ValueError(f"inputs={dict(inputs)}: step {place} has no sources, so its mean square is needed")
            squares.append(float(inputs[place]))
            continue
        before = sum(squares[source] for source in step.sources)
        if step.activation is not None and 0 < before < math.inf:
            squares.append(float(_through.through(step.activation, covariance=[[before]]).value[0, 0]))
        else:
            squares.append(step.offset if step.gain == 0 else step.gain * before + step.offset)
    return squares


def gradient_covariances(
    steps: Sequence[Step], *, output: int, start: Array, covariances: Mapping[int, Array]
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
    start : ndarray, shape (inputs, inputs)
        Covariance of that gradient.
    covariances : mapping of int to ndarray, shape (inputs, inputs)
        Of the signals that activations see, by their place.

    Returns
    -------
    list of ndarray or None
        Unit of ``start``; zero where nothing of the output comes from a signal, None before what theory does not know.

    Raises
    ------
    ValueError
        If a step comes before one of its sources, or ``output`` is no place.

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
    if not 0 <= output < len(steps):
        raise ValueError(f"output={output}: there are {len(steps)} steps, counted from 0")
    found: list[Array | None] = [np.zeros(np.shape(start)) for _ in steps]
    found[output] = np.asarray(start, dtype=np.float64)
    for place in range(output, -1, -1):
        step, own = steps[place], found[place]
        if own is not None and not own.any():
            continue
        for source in step.sources:
            before, passed = found[source], _back(step, own, covariances.get(source))
            found[source] = None if before is None or passed is None else before + passed
    return found


def _back(step: Step, own: Array | None, seen: Array | None) -> Array | None:
    """What comes back through one step."""
    if own is None or not step.known:
        return None
    if step.activation is None:
        return step.back * own
    if seen is None or not np.isfinite(seen).all() or not (np.diagonal(seen) > 0).all():
        return None
    return _through.through(step.activation, covariance=seen).slope * own


def _check(steps: Sequence[Step]) -> None:
    for place, step in enumerate(steps):
        if not all(0 <= source < place for source in step.sources):
            raise ValueError(f"steps: number {place} has sources {step.sources}, but each must come before it")
