"""Which law the random networks have: the arguments that the samplers share, and what they allow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from .. import theory
from .._arguments import HIGHWAY, one_of, positive_scale, real, refuse_scales_without_branch, scale, whole
from .._autograd import Elementwise
from ..theory import Statistics

EnsembleKind = Literal["plain", "residual", "highway"]
Normalisation = Literal["none", "centred", "batch_norm", "layer_norm"]
Gates = Literal["real", "independent"]
Method = Literal["auto", "weights", "gram"]
Scale = float | Sequence[float]  # the same in every gated layer, or one for each


def coefficient(name: str, value: object) -> float:
    """What a highway layer keeps of the state."""
    return real(name, value, lambda kept: 0 <= kept <= 1, HIGHWAY)


CHECKS = {"alpha": positive_scale, "beta": scale, "gamma1": coefficient}


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """A law of random networks; the fields are the arguments of :func:`shattered_lite.sample_gradients`."""

    kind: EnsembleKind
    depth: int
    width: int
    normalisation: Normalisation = "none"
    statistics: Statistics = "frozen"
    alpha: Scale = 1.0
    beta: Scale = 1.0
    gamma1: Scale | None = None
    activation: theory.Activation | str | Callable[[Tensor], Tensor] = "relu"
    variance: float = 2.0
    gates: Gates = "real"
    method: Method = "auto"

    def __post_init__(self) -> None:
        one_of("kind", self.kind, EnsembleKind)
        one_of("normalisation", self.normalisation, Normalisation)
        one_of("statistics", self.statistics, Statistics)
        one_of("gates", self.gates, Gates)
        one_of("method", self.method, Method)
        whole("depth", self.depth)
        whole("width", self.width)
        for name in ("alpha", "beta"):
            self._per_layer(name)
        refuse_scales_without_branch(self.kind, self.alpha, self.beta)
        if (self.kind == "highway") != (self.gamma1 is not None):
            raise ValueError(f"gamma1={self.gamma1}: a highway network has this coefficient, and no other network")
        if self.gamma1 is not None:
            self._per_layer("gamma1")
        allowed = "N times the variance of a weight is positive and finite"
        real("variance", self.variance, lambda variance: 0 < variance < math.inf, allowed)
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

    def _per_layer(self, name: Literal["alpha", "beta", "gamma1"]) -> list[float]:
        value = getattr(self, name)
        if isinstance(value, Iterable) and not isinstance(value, str):
            scales = [scale.item() if isinstance(scale, Tensor) else scale for scale in value]
        else:
            scales = [value] * self.depth
        if len(scales) != self.depth:
            raise ValueError(f"{name}: {len(scales)} values, but one number or one for each of {self.depth} layers")
        return [CHECKS[name](name, scale) for scale in scales]


def depths_of(depth: int | Iterable[int]) -> list[int]:
    """One depth, or several in increasing order."""
    if not isinstance(depth, Iterable) or isinstance(depth, str):
        return [whole("depth", depth)]
    found = [whole("depth", each) for each in depth]
    if not found or found != sorted(set(found)):
        raise ValueError(f"depth={depth!r}: one depth is needed, or several, increasing")
    return found
