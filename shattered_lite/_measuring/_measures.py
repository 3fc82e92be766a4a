"""What the covariances of signals and of gradients say of each layer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .. import structure, theory
from ._operations import MATRICES
from ._signals import Signal

LARGEST = 1e100  # mean square of inputs that theory follows


@dataclass(frozen=True)
class Layer:
    r"""What one operation hands on, and what comes back to it. What cannot be measured, or expected, is nan.

    Attributes
    ----------
    name, operation : str
        Of the module in whose forward the operation is called, and what it is.
    signal, expected_signal : float
        Root mean square over inputs and entries; and the theory's.
    largest : float
        Largest size of an entry; half precision ends at 65,504.
    spread : float
        Share of the signal's power that is not in its mean over the inputs, so that it tells them apart: 0 where inputs
        have collapsed.
    gradient, expected_gradient : float
        Root mean square length of the gradient of a random combination of the outputs.
    scale, expected_scale : float
        Gradient scale coefficient of Philipp, Song and Carbonell: by what share the outputs change if the signal
        changes by its own size in a random direction.
    correlation, expected_correlation : float
        $R$, the correlation of the gradients at two inputs.
    autocorrelation : tuple of float
        Correlation of the gradients at points of the line between two inputs, at lags of 0 to 32 of its 32 steps; empty
        without a line.
    structure : float
        Structured part of the tangent kernel of one layer of weights: what a step on one end of the line does to its
        middle, less what it does to its other end, over what it does to itself.
    curvature : float
        Distance of the signal in the middle of the line from the mean of those at its ends, over half their distance.
    dead, always_on : float
        Share of a rectifier's units that are off, or on, at every input and position.
    errors : mapping of str to float
        Standard errors: of ``nearby`` and ``structure`` over the random combinations of outputs; of what is a mean over
        inputs by leaving out one input at a time. The others are no means. ``nearby`` is the autocorrelation at lag 1.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 10))
    >>> first, *_, last = sl.diagnose(network, torch.randn(32, 100), generator=generator).layers
    >>> last.correlation, abs(first.correlation - first.expected_correlation) < 0.1
    (1.0, True)
    """

    name: str
    operation: str
    signal: float
    expected_signal: float
    largest: float
    spread: float
    gradient: float
    expected_gradient: float
    scale: float
    expected_scale: float
    correlation: float
    expected_correlation: float
    autocorrelation: tuple[float, ...]
    structure: float
    curvature: float
    dead: float
    always_on: float
    errors: Mapping[str, float]

    @property
    def nearby(self) -> float:
        """Correlation of the gradients at neighbouring points of the line."""
        return self.autocorrelation[1] if self.autocorrelation else math.nan


def layers_of(signals: Sequence[Signal], line: Sequence[Signal], output: int, rows: Tensor) -> list[Layer]:
    """One for each signal; on the line the operations are the same, if there is a line."""
    sizes, gradients = _expected(signals, output)
    at_outputs = sizes[output] * gradients[output][0]
    outputs = rows.detach().double().square().sum(1)
    power = torch.cat([outputs.mean()[None], (outputs.sum() - outputs) / (len(outputs) - 1)])
    found = []
    for place, signal in enumerate(signals):
        beside = line[place] if len(line) == len(signals) else None
        entering = line[beside.sources[0]].covariance if beside is not None and beside.sources else None
        measured = _over_inputs(signal, power)
        autocorrelation, structured, errors = _over_directions(beside, entering)
        found.append(
            Layer(
                signal.name, signal.operation, largest=signal.largest, dead=signal.dead, always_on=signal.always_on,
                **{name: values[0].item() for name, values in measured.items()},
                autocorrelation=autocorrelation, structure=structured, curvature=_curvature(beside),
                expected_signal=sizes[place], expected_gradient=gradients[place][0],
                expected_scale=sizes[place] * gradients[place][0] / at_outputs if at_outputs else math.nan,
                expected_correlation=gradients[place][1],
                errors={name: _jackknife(values[1:]) for name, values in measured.items()} | errors,
            )
        )  # fmt: skip
    return found


def _expected(signals: Sequence[Signal], output: int) -> tuple[list[float], list[tuple[float, float]]]:
    """Size of each signal; size and correlation of each gradient. Similarities are taken as they were measured."""
    steps = [signal.step for signal in signals]
    given = {place: signal.own.mean().item() for place, signal in enumerate(signals) if not signal.sources}
    measured = {place: each.covariance.numpy() for place, each in enumerate(signals) if each.covariance is not None}
    seen = {
        place: each for place, each in measured.items() if np.isfinite(each).all() and (np.diagonal(each) > 0).all()
    }
    start = np.full_like(next(iter(measured.values())), signals[output].size)
    sizes = [math.nan] * len(steps)
    if all(square <= LARGEST for square in given.values()):
        sizes = [math.sqrt(square) for square in theory.mean_squares(steps, squares=given)]
    gradients = theory.gradient_covariances(steps, output=output, start=start, covariances=seen)
    return sizes, [_size_and_correlation(each) for each in gradients]


def _size_and_correlation(covariance: NDArray[np.float64] | None) -> tuple[float, float]:
    if covariance is None:
        return math.nan, math.nan
    across, own = _moments(torch.from_numpy(covariance), len(covariance))[0].tolist()
    return math.sqrt(own), across / own if own > 0 else math.nan


def _over_inputs(signal: Signal, outputs: Tensor) -> dict[str, Tensor]:
    """Means over inputs: over all of them, and then over all but each. ``outputs`` is the power of the outputs so."""
    inputs = torch.full_like(outputs, len(outputs) - 2)
    inputs[0] += 1
    across, own = _moments(signal.covariance, len(outputs) - 1).unbind(1)
    back_across, back = _moments(signal.gradient, len(outputs) - 1).unbind(1)
    return {
        "signal": own.sqrt(),
        "spread": ((1 - across / own) * (1 - 1 / inputs)).clamp(min=0),
        "gradient": back.sqrt(),
        "scale": (back * own / outputs).sqrt(),
        "correlation": back_across / back,
    }


def _moments(covariance: Tensor | None, inputs: int) -> Tensor:
    """Of pairs and alone, of all inputs and without each; where squares overflow, infinite."""
    if covariance is None or not covariance.isfinite().all():
        return torch.full((inputs + 1, 2), math.nan if covariance is None else math.inf, dtype=torch.float64)
    return structure.pair_moments_without_each(covariance)


def _jackknife(without: Tensor) -> float:
    inputs = len(without)
    return ((inputs - 1) / inputs * (without - without.mean()).square().sum()).sqrt().item()


def _over_directions(line: Signal | None, entering: Tensor | None) -> tuple[tuple[float, ...], float, dict[str, float]]:
    """On the line, of all directions together: autocorrelation and structured part; and the errors over directions."""
    if line is None or line.gradients is None or not line.heard or not line.gradients.isfinite().all():
        return (), math.nan, {}
    every = line.gradients.mean(0)
    errors = {"nearby": _error([structure.line_correlation(each)[1].item() for each in line.gradients])}
    structured = math.nan
    if line.kind in MATRICES and entering is not None and entering.isfinite().all():
        structured = structure.line_structure(entering * every).item()  # of the tangent kernel
        errors["structure"] = _error([structure.line_structure(entering * each).item() for each in line.gradients])
    return tuple(structure.line_correlation(every).tolist()), structured, errors


def _error(values: Sequence[float]) -> float:
    each = torch.tensor(values, dtype=torch.float64)
    return (each.std() / len(each) ** 0.5).item() if len(each) > 1 else math.nan


def _curvature(line: Signal | None) -> float:
    if line is None or line.covariance is None or not line.covariance.isfinite().all():
        return math.nan
    return structure.line_curvature(line.covariance).item()
