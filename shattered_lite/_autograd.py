"""An elementwise function of torch as mathematics sees it: its value, its slope, and where either jumps."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Array = NDArray[np.float64]

REACH = 10.0  # a standard normal lies farther out once in 10^23
CELLS = 4_000  # of the scan for jumps, each of which shows one at most
BISECTIONS = 60  # until the ends of a cell are neighbours in float64
JUMP = 1e-6  # of the largest value in the scan: what less than this remains is rounding, or does not matter


@dataclass(frozen=True)
class Elementwise:
    """A function or module of torch that acts on each entry alone, with its derivative by autograd."""

    function: Callable[[Tensor], Tensor]

    def at(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Value and slope at each entry, in the dtype of ``z`` and on its device."""
        function = self.function
        if isinstance(function, nn.Module) and function.state_dict():  # threads share it, and its dtype may differ
            function = copy.deepcopy(function).to(z)
        with torch.inference_mode(False), torch.enable_grad():
            points = z.detach().flatten().clone().requires_grad_()
            values = function(points.clone())  # which may be changed in place
            if not isinstance(values, Tensor):
                raise ValueError(f"it returns a {type(values).__name__}, not a tensor")
            if (values.shape, values.dtype) != (points.shape, points.dtype):
                shapes = [f"{each.dtype} of shape {tuple(each.shape)}" for each in (points, values)]
                raise ValueError(f"it makes of {shapes[0]} a {shapes[1]}, but must act on each entry alone")
            if not values.requires_grad:
                raise ValueError("autograd finds no derivative")
            [slopes] = torch.autograd.grad(values.sum(), points)
        return values.detach().view(z.shape), slopes.view(z.shape)

    def value(self, z: Array) -> Array:
        """Values at an array, in float64."""
        return self.at(torch.as_tensor(z, dtype=torch.float64))[0].numpy()

    def slope(self, z: Array) -> Array:
        """Derivatives at an array, in float64."""
        return self.at(torch.as_tensor(z, dtype=torch.float64))[1].numpy()

    def kinks(self) -> tuple[float, ...]:
        """Where value or slope jumps, by bisection of each cell between -10 and 10."""
        found = np.concatenate([_jumps(self.value), _jumps(self.slope)])
        return tuple(np.unique(found.round(14) + 0.0).tolist())  # + 0.0: no -0.0


def elementwise(name: str, function: Callable[..., Any]) -> Elementwise:
    """Refuse, by the name of the argument, what is no differentiable function of each entry alone.

    Of a module a copy is taken, as in evaluation, so that training it goes on without consequence.
    """
    if isinstance(function, type):
        raise ValueError(f"{name}={function!r}: a class; an instance of it is needed, such as nn.Mish()")
    kept = copy.deepcopy(function).eval().requires_grad_(False) if isinstance(function, nn.Module) else function
    found, points = Elementwise(kept), torch.as_tensor(_ends())
    some = torch.arange(len(points) - 1, 0, -7)  # others beside them, in another order
    try:
        values, slopes = found.at(points)
        again = found.at(points[some])
    except Exception as error:  # a stranger's function may raise anything
        raise ValueError(
            f"{name}={function!r}: fails on a tensor of float64 ({error}); a function or module of torch that autograd "
            "can differentiate is needed, or an Activation(value, slope)"
        ) from error
    if not (values.isfinite().all() and slopes.isfinite().all()):
        worst = points[~(values.isfinite() & slopes.isfinite())][0].item()
        raise ValueError(f"{name}={function!r}: its value or slope at {worst:.3g} is not finite")
    if not all(
        torch.allclose(one[some], two, rtol=1e-9, atol=1e-12) for one, two in zip((values, slopes), again, strict=True)
    ):
        raise ValueError(f"{name}={function!r}: it must act on each entry alone, and give the same each time")
    return found


def is_rectifier(function: object) -> bool:
    """Whether this is one of torch's own spellings of the rectifier."""
    return any(function is each for each in (torch.relu, nn.functional.relu, Tensor.relu)) or type(function) is nn.ReLU


def _ends() -> Array:
    """Ends of the cells; 0 and other round numbers, where kinks like to be, lie inside of one."""
    return np.linspace(-REACH, REACH, CELLS + 1) + REACH / CELLS / np.pi


def _jumps(function: Callable[[Array], Array]) -> Array:
    """Where a function jumps: bisect every cell towards its steeper half, and see what is left of the difference."""
    ends = _ends()
    low, high, at_low, at_high = ends[:-1], ends[1:], function(ends[:-1]), function(ends[1:])
    least = JUMP * float(np.abs(at_low).max())
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        at_middle = function(middle)
        left = np.abs(at_middle - at_low) > np.abs(at_high - at_middle)
        low, at_low = np.where(left, low, middle), np.where(left, at_low, at_middle)
        high, at_high = np.where(left, middle, high), np.where(left, at_middle, at_high)
    return high[np.abs(at_high - at_low) > least]
