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
from ._operations import MATRICES, RECTIFIERS, SHOWN, WEIGHTS, dropped_by, flat_share, kind_of, step_of, weights_of


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
        operation = function.__name__.strip("_")
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

    def _write(self, x: Tensor, name: str, operation: str, kind: str, step: Step) -> None:
        place = len(self.signals)
        apart = kind in WEIGHTS or not step.known  # theory ends where it is not; and a loop has very many of them
        before = [] if apart else [self.signals[source].ancestors for source in step.sources]
        signal = Signal(name, operation, kind, step, ancestors=frozenset({place}).union(*before))
        self._places[x] = place
        if place == self.keep:
            self.kept = x
        self.signals.append(signal)
        if kind in WEIGHTS:
            self._channels_last = kind != "convolution"
        values = _real(x.detach())
        if not values.numel():  # of inputs that a branch does not get
            return
        signal.largest = _largest(values)
        if signal.largest == math.inf:  # minus infinity is how a mask leaves out what follows it
            values = values.masked_fill(values == -math.inf, 0.0)
            signal.largest = _largest(values)
        signal.finite = math.isfinite(signal.largest)
        rows = by_input(values, self.count)
        if rows is None or not signal.finite:
            return
        signal.size = rows.shape[1]
        signal.covariance = _products(rows.double() if self.precise else rows) / signal.size
        signal.varied = self._over_positions(values)
        units = values.movedim(-1 if self._channels_last or values.ndim < 3 else 1, 0)
        units = units.reshape(len(units), -1)
        if operation in RECTIFIERS:
            signal.dead = (units == 0).all(1).double().mean().item()
            signal.always_on = (units != 0).all(1).double().mean().item()
        signal.saturated = flat_share(operation, values)
        if kind in MATRICES:
            signal.identical = _identical(units)
        x.register_hook(self._gradient_of(signal))

    def _over_positions(self, values: Tensor) -> float:
        if values.ndim < 3 or len(values) != self.count:
            return math.nan
        at_positions = values.movedim(-1 if self._channels_last else 1, -1).flatten(1, -2).float()
        if at_positions.shape[1] == 1:
            return math.nan
        at_positions = at_positions / max(_largest(values), 1e-30)
        return 1 - (at_positions.mean(1).square().mean() / at_positions.square().mean()).item()

    def _gradient_of(self, signal: Signal) -> Callable[[Tensor], None]:
        def came_back(gradient: Tensor | None) -> None:
            rows = None if gradient is None else by_input(_real(gradient.detach()), self.count)
            if rows is None:
                return
            if not math.isfinite(_largest(rows)):
                signal.overflows = True
                return
            if signal.gradients is None:  # once: memory that is kept between big pieces would hold them all
                signal.gradients = torch.zeros(self.directions, self.count, self.count, dtype=torch.float64)
            signal.gradients[signal.came % self.directions] = _products(rows)
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


def by_input(values: Tensor, count: int) -> Tensor | None:
    """One row an input: along the first axis, or the second, or a first that counts pieces of each input."""
    if values.ndim and len(values) == count:
        return values.reshape(count, -1)
    if values.ndim > 1 and values.shape[1] == count:
        return values.transpose(0, 1).reshape(count, -1)
    return values.reshape(count, -1) if values.ndim and len(values) % count == 0 else None


def _real(values: Tensor) -> Tensor:
    """Each complex number as two real ones."""
    return torch.view_as_real(values.resolve_conj()) if values.is_complex() else values


def _identical(units: Tensor) -> bool:
    """Whether all rows are the same, but for rounding, and not zero; some hundred entries of each tell."""
    some = units[:, :: max(1, units.shape[1] // 256)].double()
    apart, size = (some - some[:1]).abs().max().item(), some.abs().max().item()
    return len(units) > 1 and apart <= 8 * torch.finfo(units.dtype).eps * size and size > 0


def _largest(values: Tensor) -> float:
    """Size of the largest entry; nan or infinite if there is such a one."""
    low, high = torch.aminmax(values)
    return max(-low.item(), high.item()) if low == low else math.nan


def _products(rows: Tensor) -> Tensor:
    """Of each row with each, in numbers that neither overflow nor underflow; float32 is fast and exact enough."""
    largest = min(_largest(rows), 1e150) or 1.0
    scaled = (rows if rows.dtype == torch.float64 else rows.float()) / largest
    products = (scaled @ scaled.mT).double().cpu() * largest**2
    return (products + products.mT) / 2
