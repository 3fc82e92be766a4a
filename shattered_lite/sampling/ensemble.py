"""Which law the random networks have: the arguments that the samplers share, and what they allow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from .. import theory
from .._autograd import Elementwise
from ..theory import Statistics

Kind = Literal["plain", "residual", "highway"]
Normalisation = Literal["none", "centred", "batch", "layer"]
Gates = Literal["own", "independent"]
Method = Literal["weights", "gram"]
Scale = float | Sequence[float]  # the same in every gated layer, or one for each
MOST = 10**6  # layers or units: beyond, no sampling ends


@dataclass(frozen=True)
class Ensemble:
    """A law of random networks; the fields are the arguments of :func:`shattered_lite.sample_gradients`."""

    kind: Kind
    depth: int
    width: int
    normalisation: Normalisation = "none"
    statistics: Statistics = "frozen"
    alpha: Scale = 1.0
    beta: Scale = 1.0
    gamma1: Scale | None = None
    activation: theory.Activation | str | Callable[[Tensor], Tensor] = "relu"
    variance: float = 2.0
    gates: Gates = "own"
    method: Method = "weights"

    def __post_init__(self) -> None:
        one_of("kind", self.kind, Kind)
        one_of("normalisation", self.normalisation, Normalisation)
        one_of("statistics", self.statistics, Statistics)
        one_of("gates", self.gates, Gates)
        one_of("method", self.method, Method)
        whole("depth", self.depth)
        whole("width", self.width)
        for name in ("alpha", "beta"):
            self._per_layer(name)
        if self.kind != "residual" and (self.alpha, self.beta) != (1.0, 1.0):
            raise ValueError(f"alpha={self.alpha}, beta={self.beta}: only a residual network has these scales")
        if (self.kind == "highway") != (self.gamma1 is not None):
            raise ValueError(f"gamma1={self.gamma1}: a highway network has this coefficient, and no other network")
        if self.gamma1 is not None:
            self._per_layer("gamma1")
        if not (_is_number(self.variance) and 0 < self.variance < math.inf):
            raise ValueError(f"variance={self.variance!r}: N times the variance of a weight is positive and finite")
        if self.value_and_slope is not None and self.gates == "independent":
            raise ValueError(f"gates='independent', activation={self.activation!r}: coins take the rectifier's place")

    @cached_property
    def value_and_slope(self) -> Callable[[Tensor], tuple[Tensor, Tensor]] | None:
        """The activation and its derivative at each entry of a tensor; None for the rectifier, which is its gates."""
        value, slope, _ = theory.activation(self.activation, kinks=())
        for name, known in theory.ACTIVATIONS.items():
            if (value, slope) == (known.value, known.slope):
                return None if name == "relu" else Elementwise(getattr(nn.functional, name)).at
        made_of = getattr(value, "__self__", None)
        if isinstance(made_of, Elementwise) and (value, slope) == (made_of.value, made_of.slope):
            return made_of.at  # in the dtype of the computation

        def through_numpy(z: Tensor) -> tuple[Tensor, Tensor]:
            points = z.detach().double().cpu().numpy()
            at_points = (np.broadcast_to(np.asarray(each(points)), points.shape) for each in (value, slope))
            values, slopes = (torch.tensor(each).to(z) for each in at_points)
            return values, slopes

        return through_numpy

    def scales(self) -> list[tuple[float, float]]:
        """What multiplies the state, and what multiplies the branch, in each gated layer."""
        if self.kind == "plain":
            return [(0.0, 1.0)] * self.depth
        if self.gamma1 is not None:
            return [(kept, math.sqrt(1 - kept**2)) for kept in self._per_layer("gamma1")]
        alphas, betas = (self._per_layer(name) for name in ("alpha", "beta"))
        return [(alpha, alpha * beta) for alpha, beta in zip(alphas, betas, strict=True)]

    def _per_layer(self, name: str) -> list[float]:
        value = getattr(self, name)
        if isinstance(value, Iterable) and not isinstance(value, str):
            scales = [scale.item() if isinstance(scale, Tensor) else scale for scale in value]
        else:
            scales = [value] * self.depth
        if len(scales) != self.depth:
            raise ValueError(f"{name}: {len(scales)} values, but one number or one for each of {self.depth} layers")
        for scale in scales:
            if not _is_number(scale):
                raise ValueError(f"{name}={value!r}: one number, or one for each layer, is needed")
            if name == "alpha" and not 0 < scale < math.inf:
                raise ValueError(f"alpha={scale}: a scale is positive and finite")
            if name == "beta" and not 0 <= scale < math.inf:
                raise ValueError(f"beta={scale}: a scale is 0 or more, and finite")
            if name == "gamma1" and not 0 <= scale <= 1:
                raise ValueError(
                    f"{name}={scale}: highway coefficients need 0 <= {name} <= 1, since gamma1^2 + gamma2^2 = 1 keeps "
                    "the variance"
                )
        return [float(scale) for scale in scales]


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def one_of(name: str, value: object, allowed: object) -> None:
    """Refuse a word that is not among the allowed ones."""
    choices = get_args(allowed)
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}={value!r}: choose one of {', '.join(map(repr, choices))}")


def whole(name: str, value: object, most: int = MOST) -> None:
    """Refuse what is not a whole number from 1 up to what a computer may end."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}={value!r}: a whole number, 1 or more, is needed")
    if int(value) > most:
        raise ValueError(f"{name}={value}: {most:,} is the most")


def increasing(name: str, depths: Sequence[int]) -> None:
    """Refuse depths that are not whole, not positive, or not in order."""
    if isinstance(depths, Sequence) and not isinstance(depths, str) and depths:
        counts = [isinstance(depth, Integral) and not isinstance(depth, bool) and depth >= 1 for depth in depths]
        if all(counts) and list(depths) == sorted(set(depths)):
            return
    raise ValueError(f"{name}={depths!r}: give one or more depths, increasing from 1 or more")
