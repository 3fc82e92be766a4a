r"""Gradients of many random networks at once, without automatic differentiation.

A network maps an input to preactivations $z_0 = V x$ with $V_{kd} \sim N(0, 1)$, then passes ``depth`` gated layers,

$$z_l = W_l\, \rho(\hat z_{l-1}) \quad\text{(plain)}, \qquad
  z_l = \alpha\,(z_{l-1} + \beta\, W_l\, \rho(\hat z_{l-1})) \quad\text{(residual)},$$

with $W_l \sim N(0, 2/N)$ and $\rho(a) = \max(0, a)$; the outputs are the units of $z_L$. The hat normalises each unit
over the inputs; the first gated layer is never normalised, because centred scalar inputs would put every kink of that
layer at the same point. Values and tangents travel forwards together, so memory does not grow with depth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Literal, get_args

import torch
from torch import Tensor

Kind = Literal["plain", "residual"]
Normalisation = Literal["none", "centred", "batch"]
Gates = Literal["relu", "independent"]
Method = Literal["weights", "gram"]

CHUNK_BYTES = 2 * 2**20  # networks are sampled in chunks whose state fits in the processor's cache


def sample_gradients(
    kind: Kind,
    *,
    depth: int,
    width: int,
    inputs: Tensor,
    networks: int,
    generator: torch.Generator,
    outputs: int = 1,
    normalisation: Normalisation = "none",
    alpha: float = 1.0,
    beta: float = 1.0,
    gates: Gates = "relu",
    method: Method = "weights",
) -> Tensor:
    r"""Gradients of the outputs of independent random networks, at each input.

    For scalar inputs the gradient is the slope $\partial f/\partial x$ of a network with input weights and biases
    $N(0, 1)$. For vector inputs it is the gradient of Definition 1, with respect to a neuron $n$ of the layer before
    $z_0$: one direction of that wide layer, orthogonal to every input.

    Parameters
    ----------
    kind : {"plain", "residual"}
        Without or with a skip around every gated layer.
    depth : int
        Gated layers $L \ge 1$.
    width : int
        Units $N \ge 1$ of each layer.
    inputs : Tensor, shape (inputs,) or (inputs, fan_in)
        Scalars, or vectors; a vector of length 1 gives preactivations of variance 1. Its dtype is the dtype of the
        computation.
    networks : int
        Number of independent networks.
    generator : torch.Generator
        Source of all randomness.
    outputs : int
        How many of the ``width`` outputs to return.
    normalisation : {"none", "centred", "batch"}
        What happens to each unit before its gate: nothing, subtract its mean over the inputs, or batch norm (its
        standard deviation as well). Statistics are constant in the gradient.
    alpha, beta : float
        Scales of a residual layer (Equation 2 of the paper).
    gates : {"relu", "independent"}
        Gates of the rectifier, or fair coins, independent over units and inputs: the assumption of Theorem 1.
    method : {"weights", "gram"}
        Draw every weight matrix; or draw only the preactivations, whose law given the layer before is
        $N(0, \sigma^2 Z^\top Z)$ independently for each unit. Same law; the second is faster up to about 16 inputs.

    Returns
    -------
    Tensor, shape (networks, inputs, outputs)
        Dimensionless.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed.

    References
    ----------
    Balduzzi et al. (2017), Definition 1 and Equation 2; Burkholz and Dubatovka (2019) for the law of a layer given
    the last. Used in every chapter.
    """
    ensemble = Ensemble(kind, depth, width, normalisation, alpha, beta, gates, method)
    if not isinstance(outputs, Integral) or not 1 <= outputs <= width:
        raise ValueError(f"outputs={outputs}: choose between 1 and width={width} outputs")
    gradients = []
    for chunk in _chunks(ensemble, inputs, networks):
        for state in _preactivations(ensemble, inputs, chunk, generator):
            last = state
        gradients.append(last[:, 1, :, :outputs].clone())
    return torch.cat(gradients)


def sample_activations(
    kind: Kind,
    *,
    depths: Sequence[int],
    width: int,
    inputs: Tensor,
    networks: int,
    generator: torch.Generator,
    normalisation: Normalisation = "none",
    alpha: float = 1.0,
    beta: float = 1.0,
    method: Method = "weights",
) -> Tensor:
    """Activations (which units are on) of independent random networks, at each input.

    Parameters
    ----------
    depths : sequence of int
        Gated layers to look at, increasing from 1.
    kind, width, inputs, networks, generator, normalisation, alpha, beta, method
        As in :func:`sample_gradients`.

    Returns
    -------
    Tensor of bool, shape (depths, networks, inputs, width)
        Whether the unit's (normalised) preactivation is positive.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed.

    References
    ----------
    Balduzzi et al. (2017), Section 2. Used in the chapter *Who is active with whom*.
    """
    counts = [isinstance(depth, Integral) and depth >= 1 for depth in depths]
    if not counts or not all(counts) or list(depths) != sorted(set(depths)):
        raise ValueError(f"depths={depths}: give one or more depths, increasing from 1 or more")
    ensemble = Ensemble(kind, max(depths), width, normalisation, alpha, beta, method=method)
    active = []
    for chunk in _chunks(ensemble, inputs, networks):
        states = _preactivations(ensemble, inputs, chunk, generator)
        normalised = (_normalise(ensemble, state, layer) for layer, state in enumerate(states, start=1))
        active.append(torch.stack([state[:, 0] > 0 for layer, state in enumerate(normalised, 1) if layer in depths]))
    return torch.cat(active, dim=1)


@dataclass(frozen=True)
class Ensemble:
    """A law of random networks; the fields are the arguments of :func:`sample_gradients`."""

    kind: Kind
    depth: int
    width: int
    normalisation: Normalisation = "none"
    alpha: float = 1.0
    beta: float = 1.0
    gates: Gates = "relu"
    method: Method = "weights"

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, Kind)
        _one_of("normalisation", self.normalisation, Normalisation)
        _one_of("gates", self.gates, Gates)
        _one_of("method", self.method, Method)
        for name in ("depth", "width"):
            _positive(name, getattr(self, name))
        for name in ("alpha", "beta"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name}={getattr(self, name)}: a scale is positive and finite")
        if self.kind == "plain" and (self.alpha, self.beta) != (1.0, 1.0):
            raise ValueError(f"alpha={self.alpha}, beta={self.beta}: only a residual network has these scales")


def _preactivations(ensemble: Ensemble, inputs: Tensor, networks: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield z_0, ..., z_L as states of shape (networks, 2, inputs, width): values, then tangents."""
    mix = _mix_by_weights if ensemble.method == "weights" else _mix_by_gram
    columns = _input_columns(inputs)
    first_weights = torch.randn(networks, 1, columns.shape[-1], ensemble.width, generator=generator, dtype=inputs.dtype)
    state = columns @ first_weights
    yield state
    rows = ensemble.width if ensemble.method == "weights" else 2 * len(inputs)
    normals = state.new_empty(networks, rows, ensemble.width)  # once: fresh memory costs a third of the drawing
    for layer in range(1, ensemble.depth + 1):
        normalised = _normalise(ensemble, state, layer)
        branch = normalised * _active(ensemble, normalised, generator).unsqueeze(1)
        torch.randn(normals.shape, generator=generator, out=normals)
        branch = mix(branch.flatten(1, 2), 2 / ensemble.width, normals).view_as(state)
        state = branch if ensemble.kind == "plain" else ensemble.alpha * (state + ensemble.beta * branch)
        yield state


def _input_columns(inputs: Tensor) -> Tensor:
    """What the first weights multiply, inputs then directions of differentiation; shape (2, inputs, columns)."""
    one = torch.ones(len(inputs), 1, dtype=inputs.dtype)
    if inputs.ndim == 1:  # the input, and a constant for the bias; moving x moves the first alone
        x = inputs[:, None]
        return torch.stack([torch.cat([x, one], 1), torch.cat([one, 0 * one], 1)])
    return torch.stack([torch.cat([inputs, 0 * one], 1), torch.cat([0 * inputs, one], 1)])


def _normalise(ensemble: Ensemble, state: Tensor, layer: int) -> Tensor:
    if ensemble.normalisation == "none" or layer == 1:
        return state
    values, tangents = state.unbind(1)
    values = values - values.mean(1, keepdim=True)
    if ensemble.normalisation == "batch":
        deviation = _size(values, 1)
        return torch.stack([values / deviation, tangents / deviation], dim=1)
    if ensemble.kind == "plain":  # its gates feel no common scale, and centring would shrink it with depth
        values = values / _size(values, (1, 2))
    return torch.stack([values, tangents], dim=1)


def _size(values: Tensor, axes: int | tuple[int, ...]) -> Tensor:
    """Root mean square; 1 where all is zero, since a dead unit stays dead."""
    size = values.square().mean(axes, keepdim=True).sqrt()
    return torch.where(size > 0, size, 1)


def _active(ensemble: Ensemble, state: Tensor, generator: torch.Generator) -> Tensor:
    values = state[:, 0]
    if ensemble.gates == "independent":
        return torch.randint(0, 2, values.shape, generator=generator, dtype=state.dtype)
    return values.sign().clamp_min_(0)  # three times as fast as a comparison, and it was a tenth of the whole


def _mix_by_weights(branch: Tensor, variance: float, normals: Tensor) -> Tensor:
    return torch.baddbmm(branch.new_zeros(1), branch, normals, beta=0, alpha=math.sqrt(variance))


def _mix_by_gram(branch: Tensor, variance: float, normals: Tensor) -> Tensor:
    precise = branch.double()
    return _square_root(variance * (precise @ precise.mT)).to(branch.dtype) @ normals


def _square_root(gram: Tensor) -> Tensor:
    """Lower triangular F with F F' = gram; pivots that rounding made negative count as zero.

    Values and tangents are nearly collinear in deep networks, where ``torch.linalg.cholesky`` refuses.
    """
    rest = gram.movedim(0, -1).contiguous()  # the networks last, so that each step runs over contiguous numbers
    factor = torch.zeros_like(rest)
    floor = 1e-14 * rest.diagonal().mT
    for j in range(len(rest)):
        pivot = rest[j, j]
        column = rest[j:, j] * torch.where(pivot > floor[j], pivot, math.inf).rsqrt()
        factor[j:, j] = column
        rest[j + 1 :, j + 1 :] -= column[1:, None] * column[1:]
    return factor.movedim(-1, 0).contiguous()


def _chunks(ensemble: Ensemble, inputs: Tensor, networks: int) -> Iterator[int]:
    _positive("networks", networks)
    if not (isinstance(inputs, Tensor) and inputs.ndim in (1, 2) and inputs.is_floating_point() and len(inputs)):
        raise ValueError(f"inputs={inputs}: a floating-point tensor of shape (inputs,) or (inputs, fan_in) is needed")
    if not torch.isfinite(inputs).all():
        raise ValueError("inputs: every entry must be finite")
    if ensemble.normalisation != "none" and len(inputs) < 3:
        raise ValueError(f"inputs: {len(inputs)} of them, but normalising a unit over its inputs needs 3 or more")
    size = max(1, CHUNK_BYTES // (2 * len(inputs) * ensemble.width * inputs.element_size()))
    for start in range(0, networks, size):
        yield min(size, networks - start)


def _one_of(name: str, value: object, allowed: object) -> None:
    choices = get_args(allowed)
    if value not in choices:
        raise ValueError(f"{name}={value!r}: choose one of {', '.join(map(repr, choices))}")


def _positive(name: str, value: object) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}={value!r}: a whole number, 1 or more, is needed")
