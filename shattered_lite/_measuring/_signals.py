"""Every signal of one run of a network: statistics of it and of its gradient, never the tensors themselves."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

from .._modules import tensors_in
from ..theory import Step
from ._numbers import by_input, identical, largest, over_positions, products, real
from ._operations import (
    MATRICES,
    RECTIFIERS,
    SHOWN,
    WEIGHTS,
    dropped_by,
    flat_share,
    kind_of,
    makes_cosines,
    step_of,
    weights_of,
)


@dataclass
class Signal:
    """What one operation hands on, at all inputs at once.

    Covariances are means over the entries of a signal; those of gradients are sums.
    """

    name: str
    operation: str  # name of the function
    kind: str  # of the operation
    step: Step  # from the signals that it is made of, as the theory sees it
    size: int = 0  # entries at one input
    covariance: Tensor | None = None  # (inputs, inputs); None where an entry is infinite, or no axis counts inputs
    largest: float = math.nan
    finite: bool = True
    overflows: bool = False  # its gradient
    dead: float = math.nan  # share of units that are off at every input and position; of rectifiers
    always_on: float = math.nan
    varied: float = math.nan  # share of its power that tells positions of one input apart: tokens, nodes, pixels
    dropped: float = 0.0  # share of it that dropout leaves out in training
    saturated: float = math.nan  # share of it that lies where an activation, or a softmax, is flat; but for rectifiers
    identical: bool = False  # whether all units of a layer of weights make the same, and so will learn the same
    gradients: Tensor | None = None  # (directions, inputs, inputs); None where none came
    came: int = 0  # gradients that came back so far
    ancestors: frozenset[int] = frozenset()  # signals that reach it by known steps, without passing weights
    over_time: Tensor | None = None  # squared gradient at each step of a sequence that goes into a recurrent layer
    along: Tensor | None = None  # the same along the second of three axes of what the network is given
    weights: int | None = None  # which of the network's matrices it is made with, in the order of their first use

    @property
    def sources(self) -> tuple[int, ...]:
        """Places of the signals that it is made of."""
        return self.step.sources

    @property
    def shown(self) -> bool:
        """Whether it has a line in a table."""
        return self.kind in SHOWN

    @property
    def gradient(self) -> Tensor | None:
        """Mean over the directions; None where no gradient came back."""
        return None if self.gradients is None else self.gradients.mean(0)

    @property
    def heard(self) -> bool:
        """Whether a gradient came back that is not exactly zero."""
        return self.gradients is not None and bool(self.gradients.diagonal(dim1=1, dim2=2).sum() > 0)

    @property
    def typical(self) -> float:
        """Size of its gradient at the median input, relative to the root mean square over inputs."""
        if self.gradient is None or not self.heard:
            return math.nan
        squares = self.gradient.diagonal()
        return (squares.median() / squares.mean()).sqrt().item()

    @property
    def own(self) -> Tensor:
        """Mean square at each input."""
        return torch.tensor(math.nan) if self.covariance is None else self.covariance.diagonal()

    @property
    def rms(self) -> float:
        """Root mean square."""
        return self.own.mean().sqrt().item()

    @property
    def spread(self) -> float:
        """Share of its power that tells inputs apart."""
        return math.nan if self.covariance is None else 1 - (self.covariance.mean() / self.own.mean()).item()


@dataclass
class Recording(TorchFunctionMode):
    """While it is on, every operation on what comes from the inputs is written down.

    Operations are met where they are called, whichever module calls them; the global hooks only tell whose call it is.
    """

    network: nn.Module
    count: int
    directions: int
    keep: int | None = None  # place of the one signal that is kept itself
    precise: bool = False  # in float64 it can be seen whether a signal is linear
    signals: list[Signal] = field(default_factory=list)
    kept: Tensor | None = None

    def __post_init__(self) -> None:
        super().__init__()
        self._places: Any = WeakIdKeyDictionary()
        self._weights: Any = WeakIdKeyDictionary()
        self._names = {module: name for name, module in self.network.named_modules()}
        self._running: list[str] = []
        self._calls: Counter[tuple[str, str]] = Counter()
        self._channels_last = True
        self._lost: set[int] = set()  # signals whose gradient no theory knows, and so none of those before

    @contextmanager
    def on(self) -> Iterator[None]:
        """Write down what is computed meanwhile."""

        def enters(module: nn.Module, _: Any) -> None:
            self._running.append(self._names.get(module, self._running[-1] if self._running else ""))

        def leaves(*_: Any) -> None:
            self._running.pop()

        handles = [
            hooks.register_module_forward_pre_hook(enters),
            hooks.register_module_forward_hook(leaves, always_call=True),
        ]
        try:
            with self:
                yield
        finally:
            for handle in handles:
                handle.remove()

    def place_of(self, x: Tensor) -> int:
        """Of a tensor that was made while this was on; how, may be unknown."""
        if x not in self._places:  # by an autograd function, which no mode sees: all before may have a part in it
            name = (self._running[-1] if self._running else "") or "a function of its own"
            self._write(x, name, "unknown", "other", Step(tuple(range(len(self.signals)))))
        return int(self._places[x])

    def enter(self, x: Tensor, name: str) -> None:
        """What the network gets, as a signal of its own."""
        self._write(x, name, "inputs", "inputs", Step())
        self._watch_time(x, self.signals[-1], 1, "along")

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        given = [
            each
            for each in tensors_in((args, kwargs))
            if each.requires_grad and (each in self._places or not each.is_leaf)
        ]
        sources = tuple(dict.fromkeys(self.place_of(each) for each in given))
        kind = kind_of(function, args, kwargs)
        result = function(*args, **kwargs)
        written = args[0] if function is Tensor.__setitem__ else result
        made = [each for each in tensors_in(written) if each.requires_grad]
        if not made or (not sources and kind != "embedding"):
            return result
        if kind == "same" and len(sources) == 1:
            for each in made:
                self._places[each] = sources[0]
            self.signals[sources[0]].dropped = max(self.signals[sources[0]].dropped, dropped_by(function, args, kwargs))
            return result
        operation = "cosine_similarity" if makes_cosines(function, args, kwargs) else function.__name__.strip("_")
        name = (self._running[-1] if self._running else "") or operation
        self._calls[name, operation] += 1
        calls = self._calls[name, operation]
        name += f" (call {calls})" if calls > 1 else ""
        weights = weights_of(function, args, kwargs)
        step = self._followed(step_of(function, args, kwargs, given, made[0]), given, weights)
        self._write(made[0], name, operation, kind, step)
        if weights is not None:
            self.signals[-1].weights = self._weights.setdefault(weights, len(self._weights))
        for each in made[1:]:
            self._write(each, name, "part", "other", Step(sources))
        if kind == "embedding":
            self._watch_time(made[0], self.signals[-1], 1, "along")
        if kind == "recurrent":
            axis = 1 if args[-1] is True else 0  # batch_first
            self._watch_time(given[0], self.signals[sources[0]], axis, "over_time")
        return result

    def _followed(self, step: Step, given: Sequence[Tensor], weights: Tensor | None) -> Step:
        """The step, if theory knows it: the theory of independent weights, and of ways that meet behind such."""
        places = [self._places[each] for each in given]
        sources = tuple(dict.fromkeys(places))
        if weights is not None:
            known = weights not in self._weights or step.zero
        else:
            met = [self.signals[place].ancestors for place in places]
            known = sum(map(len, met)) == len(frozenset().union(*met))
        return step._replace(sources=sources) if known else Step(sources)

    def _ancestors(self, place: int, kind: str, step: Step) -> frozenset[int]:
        """A loop would have very many, but no theory asks for any behind a step that it does not know."""
        if not step.known:
            self._lost.update(step.sources)
        apart = kind in WEIGHTS or not step.known
        before = [] if apart else [self.signals[each].ancestors for each in step.sources if each not in self._lost]
        return frozenset({place}).union(*before)

    def _write(self, x: Tensor, name: str, operation: str, kind: str, step: Step) -> None:
        place = len(self.signals)
        signal = Signal(name, operation, kind, step, ancestors=self._ancestors(place, kind, step))
        self._places[x] = place
        if place == self.keep:
            self.kept = x
        self.signals.append(signal)
        if kind in WEIGHTS:
            self._channels_last = kind != "convolution"
        values = real(x.detach())
        if not values.numel():  # of inputs that a branch does not get
            return
        signal.largest = largest(values)
        if signal.largest == math.inf:  # minus infinity is how a mask leaves out what follows it
            values = values.masked_fill(values == -math.inf, 0.0)
            signal.largest = largest(values)
        signal.finite = math.isfinite(signal.largest)
        rows = by_input(values, self.count)
        if rows is None or not signal.finite:
            return
        signal.size = rows.shape[1]
        signal.covariance = products(rows.double() if self.precise else rows) / signal.size
        signal.varied = over_positions(values, self.count, self._channels_last)
        units = values.movedim(-1 if self._channels_last or values.ndim < 3 else 1, 0)
        units = units.reshape(len(units), -1)
        if operation in RECTIFIERS:
            signal.dead = (units == 0).all(1).double().mean().item()
            signal.always_on = (units != 0).all(1).double().mean().item()
        signal.saturated = flat_share(operation, values)
        if kind in MATRICES:
            signal.identical = identical(units)
        x.register_hook(self._gradient_of(signal))

    def _gradient_of(self, signal: Signal) -> Callable[[Tensor], None]:
        def came_back(gradient: Tensor | None) -> None:
            rows = None if gradient is None else by_input(real(gradient.detach()), self.count)
            if rows is None:
                return
            if not math.isfinite(largest(rows)):
                signal.overflows = True
                return
            if signal.gradients is None:  # once: memory that is kept between big pieces would hold them all
                signal.gradients = torch.zeros(self.directions, self.count, self.count, dtype=torch.float64)
            signal.gradients[signal.came % self.directions] = products(rows)
            signal.came += 1

        return came_back

    def _watch_time(self, x: Tensor, signal: Signal, axis: int, name: str) -> None:
        def came_back(gradient: Tensor | None) -> None:
            if gradient is None:
                return
            found = gradient.detach().double().square().movedim(axis, 0).flatten(1).sum(1)
            before = getattr(signal, name)
            setattr(signal, name, found if before is None else before + found)

        if x.ndim == 3:
            x.register_hook(came_back)
