"""What the theory expects of each signal and its gradient in a wide network whose weights have the size of these."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .. import theory
from ._signals import Signal


def expected_sizes(signals: Sequence[Signal]) -> list[float]:
    """Root mean square of each signal, from that of the inputs on; nan behind what the theory does not know."""
    squares: list[float] = []
    for signal in signals:
        if not signal.sources:
            squares.append(signal.own.mean().item())
            continue
        before, step = sum(squares[source] for source in signal.sources), signal.step
        if step.activation is not None and 0 < before < math.inf:
            squares.append(float(theory.through(step.activation, covariance=[[before]]).value[0, 0]))
        elif step.gain == 0:
            squares.append(step.offset)
        else:
            squares.append(step.gain * before + step.offset)
    return [math.sqrt(square) for square in squares]


def expected_gradients(signals: Sequence[Signal], output: int) -> list[Tensor | None]:
    """Covariance of the gradients between inputs, summed over entries; None before what the theory does not know.

    A gradient is the sum of those of all that is made of a signal. Weights multiply it, and gates decide at which two
    inputs it passes together, by the similarity of what they see. It is measured there.
    """
    inputs = next(len(each.covariance) for each in signals if each.covariance is not None)
    found: list[Tensor | None] = [torch.zeros(inputs, inputs, dtype=torch.float64) for _ in signals]
    start = found[output]
    assert start is not None
    found[output] = start + signals[output].size
    for place in range(output, -1, -1):
        signal, own = signals[place], found[place]
        if own is not None and not own.any():
            continue
        for source in signal.sources:
            before = found[source]
            if before is None or own is None or not signal.step.known:
                found[source] = None
            elif signal.step.activation is None:
                found[source] = before + signal.step.back * own
            else:
                found[source] = _through_gates(before, own, signals[source].covariance, signal.step.activation)
    return found


def _through_gates(before: Tensor, own: Tensor, seen: Tensor | None, activation: theory.Activation) -> Tensor | None:
    if seen is None or not seen.isfinite().all() or not (seen.diagonal() > 0).all():
        return None
    return before + torch.as_tensor(theory.through(activation, covariance=seen.numpy()).slope) * own
