"""What the covariances of signals and of gradients say of each layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ._expected import expected_gradients, expected_sizes
from ._operations import MATRICES
from ._signals import Signal


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
    similarity : float
        Mean product of the signals at two inputs over their mean square: 1 where inputs have collapsed.
    spread : float
        Share of the signal's power that is not in its mean over the inputs, so that it tells them apart.
    gradient, expected_gradient : float
        Root mean square length of the gradient of a random combination of the outputs.
    scale : float
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
    similarity: float
    spread: float
    gradient: float
    expected_gradient: float
    scale: float
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
    sizes, gradients = expected_sizes(signals), expected_gradients(signals, output)
    power = _without_each(rows.detach().double().square().sum(1))
    found = []
    for place, signal in enumerate(signals):
        beside = line[place] if len(line) == len(signals) else None
        entering = line[beside.sources[0]].covariance if beside is not None and beside.sources else None
        measured, expected = _over_inputs(signal, power), gradients[place]
        structure, errors = _over_directions(beside, entering)
        found.append(
            Layer(
                signal.name, signal.operation, largest=signal.largest, dead=signal.dead, always_on=signal.always_on,
                **{name: value for name, (value, _) in measured.items()},
                autocorrelation=_autocorrelation(beside), structure=structure, curvature=_curvature(beside),
                expected_signal=sizes[place],
                expected_gradient=math.nan if expected is None else expected.diagonal().mean().sqrt().item(),
                expected_correlation=math.nan if expected is None else correlation(expected),
                errors={name: error for name, (_, error) in measured.items()} | errors,
            )
        )  # fmt: skip
    return found


def correlation(covariance: Tensor) -> float:
    """Mean over pairs of inputs, over the mean of the inputs' own."""
    inputs, own = len(covariance), covariance.trace()
    return ((covariance.sum() - own) / (inputs - 1) / own).item() if own > 0 else math.nan


def _over_inputs(signal: Signal, outputs: Tensor) -> dict[str, tuple[float, float]]:
    """Means over inputs, with their errors: each is computed of all inputs, and again without each of them."""
    inputs = torch.full_like(outputs, len(outputs) - 2)
    inputs[0] += 1
    nothing = torch.full((len(outputs) - 1,) * 2, math.nan, dtype=torch.float64)
    own, pairs = _sums(nothing if signal.covariance is None else signal.covariance)
    back, back_pairs = _sums(nothing if signal.gradient is None else signal.gradient)
    found = {
        "signal": (own / inputs).sqrt(),
        "similarity": pairs / own / (inputs - 1),
        "spread": (1 - (pairs + own) / own / inputs).clamp(min=0),
        "gradient": (back / inputs).sqrt(),
        "scale": (back / inputs * own / outputs).sqrt(),
        "correlation": back_pairs / back / (inputs - 1),
    }
    return {name: (values[0].item(), _jackknife(values[1:])) for name, values in found.items()}


def _sums(covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Of the diagonal, and of all else: of all inputs, and then without each of them."""
    own, rows = covariance.diagonal(), covariance.sum(1)
    pairs = rows.sum() - own.sum() - 2 * (rows - own)
    return _without_each(own), torch.cat([(rows - own).sum()[None], pairs])


def _without_each(values: Tensor) -> Tensor:
    return torch.cat([values.sum()[None], values.sum() - values])


def _jackknife(without: Tensor) -> float:
    inputs = len(without)
    return ((inputs - 1) / inputs * (without - without.mean()).square().sum()).sqrt().item()


def _over_directions(line: Signal | None, entering: Tensor | None) -> tuple[float, dict[str, float]]:
    """The structured part of all directions together; and the errors of what is measured on the line over them."""
    if line is None or line.gradients is None or not line.heard:
        return math.nan, {}
    measures: dict[str, Callable[[Tensor], float]] = {"nearby": lambda gradient: _at_lag(gradient, 1)}
    structure = math.nan
    if line.kind in MATRICES and entering is not None:
        measures["structure"] = lambda gradient: _structured(entering * gradient)
        structure = measures["structure"](line.gradients.mean(0))
    errors = {}
    for name, measure in measures.items():
        each = torch.tensor([measure(gradient) for gradient in line.gradients], dtype=torch.float64)
        errors[name] = (each.std() / len(each) ** 0.5).item() if len(each) > 1 else math.nan
    return structure, errors


def _autocorrelation(line: Signal | None) -> tuple[float, ...]:
    if line is None or line.gradients is None or not line.heard:
        return ()
    gradient = line.gradients.mean(0)
    return tuple(_at_lag(gradient, lag) for lag in range(len(gradient)))


def _at_lag(gradient: Tensor, lag: int) -> float:
    own = gradient.diagonal()
    return (gradient.diagonal(lag).sum() / (own[lag:] * own[: len(own) - lag]).sqrt().sum()).item()


def _structured(kernel: Tensor) -> float:
    """What comes in times what comes back is the tangent kernel of one linear layer."""
    return ((kernel[0, len(kernel) // 2] - kernel[0, -1]) / kernel[0, 0]).item()


def _curvature(line: Signal | None) -> float:
    if line is None or line.covariance is None:
        return math.nan
    start, middle, end = 0, len(line.covariance) // 2, len(line.covariance) - 1
    corners = line.covariance[[start, middle, end]][:, [start, middle, end]]
    bent = torch.tensor([-0.5, 1.0, -0.5], dtype=torch.float64)
    moved = torch.tensor([-0.5, 0.0, 0.5], dtype=torch.float64)
    return ((bent @ corners @ bent).clamp(min=0) / (moved @ corners @ moved)).sqrt().item()
