"""Somebody's network, forward once and back a few times, at the inputs and along a line between two of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence, ValuesView
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge

from .._modules import (
    DEPENDENCE,
    NO_LOOK_UP,
    BatchStatistics,
    Embedding,
    Held,
    Measured,
    Normalising,
    Output,
    check_outputs,
    refuse_if_company_matters,
    select,
)
from ._numbers import by_input
from ._signals import Recording, Signal

POINTS = 33  # on the line between two inputs, its ends and its middle among them

Inputs = Tensor | Sequence[Tensor] | Mapping[str, Tensor]


@dataclass
class Ran:
    """One pass forward, ready to go back."""

    signals: list[Signal]
    mode: Normalising
    outputs: Tensor
    place: int  # of the outputs among the signals
    count: int
    cut: bool = False  # whether the outputs no longer depend on the inputs by steps that can be differentiated

    @property
    def rows(self) -> Tensor:
        """The outputs, a row for each input."""
        rows = by_input(self.outputs, self.count)
        assert rows is not None
        return rows

    def back(self, directions: Tensor) -> None:
        """Send back the gradient of the outputs' sum, weighed by each of the directions: of one input, or of all."""
        for weights in directions:
            with self.mode:  # checkpoints compute layers again
                combination = (self.rows * weights.to(self.outputs)).sum()
                _send_back(combination)
        self.mode.restore()

    @property
    def unlisted(self) -> int:
        """How many parameters the network uses that are not among its own, since all of these are held here."""
        return self.mode.parameters

    def forget(self) -> None:
        """Let go of the way back, which takes most of the memory."""
        self.outputs = self.outputs.detach()


def statistics_of(network: nn.Module, inputs: Inputs) -> list[BatchStatistics]:
    """What each batch norm meets when all inputs pass."""
    measured = Measured()
    with torch.no_grad(), Normalising(measured):
        try:
            _call(network, each_of(inputs, torch.clone))
        except (RuntimeError, IndexError, TypeError) as error:
            shapes = ", ".join(str(tuple(x.shape)) for x in tensors_of(inputs))
            said = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise ValueError(f"inputs: of shape {shapes}, at which the network raises {said}") from error
    return measured.statistics


def forward(
    network: nn.Module,
    inputs: Inputs,
    statistics: Sequence[BatchStatistics],
    output: Output,
    directions: int,
    keep: int | None = None,
    precise: bool = False,
) -> Ran:
    """Run it, and write everything down; the outputs are those of the network, or the one signal to keep."""
    points = each_of(inputs, lambda x: x.detach().clone().requires_grad_(x.is_floating_point()))
    tensors = tensors_of(points)
    recording = Recording(network, len(tensors[0]), directions, keep, precise)
    mode = Normalising(Held(statistics))
    with warnings.catch_warnings(), mode, Embedding(*tensors), recording.on():
        warnings.filterwarnings("ignore", "Using `torch.compile", UserWarning)  # with hooks that fire twice: they may
        for x, name in zip(tensors, _names(inputs), strict=True):
            if x.requires_grad:
                recording.enter(x, name)
        returned = _call(network, each_of(points, torch.clone))
        mode.finish()
        outputs = select(returned, output, len(tensors[0])) if keep is None else recording.kept
    if keep is None:
        check_outputs(outputs, len(tensors[0]))
    assert isinstance(outputs, Tensor)
    if not recording.signals:
        raise ValueError(NO_LOOK_UP)
    cut = not outputs.requires_grad
    outputs = outputs.detach().requires_grad_() if cut else outputs
    place = recording.place_of(outputs)
    return Ran(recording.signals, mode, outputs, place, len(tensors[0]), cut)


def directions_of(ran: Ran, directions: int, generator: torch.Generator) -> Tensor:
    """Random combinations of the outputs of one input, the same for all inputs."""
    return torch.randn(directions, ran.rows.shape[1], generator=generator, device=generator.device)


def _send_back(combination: Tensor) -> None:
    """From an edge of the graph: with a tensor, torch would switch the mode off, and checkpoints need it."""
    edge = get_gradient_edge(combination)
    torch.autograd.backward([edge], [torch.ones_like(combination)], retain_graph=True)


def gradients_of(
    network: nn.Module,
    inputs: Inputs,
    statistics: Sequence[BatchStatistics],
    output: Output,
    parameters: Sequence[nn.Parameter],
) -> Sequence[Tensor | None]:
    """Of a random combination of the outputs of all inputs, by parameters: empty where only their values are used."""
    mode, kept = Normalising(Held(statistics)), [each.grad for each in parameters]
    for each in parameters:
        each.requires_grad_(True)
        each.grad = None
    try:
        with mode:
            outputs = select(_call(network, each_of(inputs, torch.clone)), output, len(tensors_of(inputs)[0]))
            mode.finish()
            assert isinstance(outputs, Tensor)
            if outputs.requires_grad:
                _send_back((outputs * torch.randn(outputs.shape).to(outputs)).sum())
        return [
            each.new_empty(0) if each.grad is None and mode.constant.get(each) else each.grad for each in parameters
        ]
    finally:
        mode.restore()
        for each, gradient in zip(parameters, kept, strict=True):
            each.requires_grad_(False)
            each.grad = gradient


def line_between(inputs: Inputs) -> Inputs | None:
    """Points from the first input to the one farthest from it; none between tokens, or where all inputs are equal."""
    first = next((x for x in tensors_of(inputs) if x.is_floating_point()), None)
    if first is None:
        return None
    distances = (first - first[:1]).double().flatten(1).norm(dim=1)
    far = int(distances.argmax())
    if not distances[far] > 0:
        return None

    def between(x: Tensor) -> Tensor:
        if not x.is_floating_point():
            return x[:1].expand(POINTS, *x.shape[1:])
        share = torch.linspace(0, 1, POINTS, dtype=torch.float64, device=x.device).view(-1, *[1] * (x.ndim - 1))
        return ((1 - share) * x[0].double() + share * x[far].double()).to(x.dtype)

    return each_of(inputs, between)


def refuse_company(network: nn.Module, inputs: Inputs, statistics: Sequence[BatchStatistics], output: Output) -> None:
    """As far as a change of some inputs shows it, where gradients do not."""
    tensors = [x.detach() for x in tensors_of(inputs)]

    def run(points: list[Tensor]) -> Tensor:
        rest = iter(points)
        outputs = select(_call(network, each_of(inputs, lambda _: next(rest))), output, len(tensors[0]))
        check_outputs(outputs, len(tensors[0]))
        assert isinstance(outputs, Tensor)
        return outputs

    refuse_if_company_matters(run, tensors, lambda: Normalising(Held(statistics)))


def refuse_dependence(ran: Ran) -> None:
    """The gradient at other inputs is exactly zero where the output at one input depends on that one alone."""
    chosen = torch.arange(ran.count) % 2 == 0
    for here in (chosen, ~chosen):
        alone = torch.zeros_like(ran.rows)
        alone[here] = torch.randn(int(here.sum()), alone.shape[1]).to(alone)
        ran.back(alone.unsqueeze(0))
        for signal in ran.signals:
            signal.came, signal.over_time, signal.along = 0, None, None
            if signal.gradients is not None:
                if not signal.sources and signal.gradients.diagonal(dim1=1, dim2=2)[:, ~here].any():
                    raise ValueError(DEPENDENCE)
                signal.gradients.zero_()


def tensors_of(inputs: Inputs) -> list[Tensor]:
    """In their order."""
    several = inputs.values() if isinstance(inputs, Mapping) else inputs
    if not isinstance(several, Tensor | list | tuple | ValuesView):
        raise ValueError(f"inputs: {type(inputs).__name__}, but a tensor is needed, or several (torch.as_tensor?)")
    found: list[Any] = [several] if isinstance(several, Tensor) else list(several)
    if not found:
        raise ValueError(f"inputs: an empty {type(inputs).__name__}, but a tensor is needed, or several")
    if not all(isinstance(each, Tensor) for each in found):
        raise ValueError(f"inputs: {type(inputs).__name__} of something else, but a tensor is needed, or several")
    return found


def _names(inputs: Inputs) -> list[str]:
    """Of its tensors, as a table shows them."""
    if isinstance(inputs, Tensor):
        return ["inputs"]
    return [f"inputs[{place!r}]" for place in (inputs if isinstance(inputs, Mapping) else range(len(inputs)))]


def each_of(inputs: Inputs, function: Callable[[Tensor], Tensor]) -> Inputs:
    """The same arrangement of other tensors."""
    if isinstance(inputs, Tensor):
        return function(inputs)
    if isinstance(inputs, Mapping):
        return {name: function(x) for name, x in inputs.items()}
    return [function(x) for x in inputs]


def _call(network: nn.Module, inputs: Inputs) -> Any:
    if isinstance(inputs, Tensor):
        return network(inputs)
    return network(**inputs) if isinstance(inputs, Mapping) else network(*inputs)
