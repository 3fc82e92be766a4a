"""One layer after another: values and tangents of many networks, from z_0 to z_L.

A state has shape ``(networks, 2, inputs, width)``: values, then tangents.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ._ensemble import Ensemble

LOSS = 1e-12  # of the largest entry: far above rounding, far below float32


def preactivations(ensemble: Ensemble, inputs: Tensor, networks: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield the states z_0, ..., z_L of independent networks, where the inputs lie; drawn where the generator lies."""
    mix = _mix_by_weights if ensemble.method == "weights" else _mix_by_gram
    columns = input_columns(inputs)
    source = generator.device
    shape = (networks, 1, columns.shape[-1], ensemble.width)
    first_weights = torch.randn(shape, generator=generator, dtype=inputs.dtype, device=source).to(inputs.device)
    state = columns @ first_weights
    yield state
    rows = ensemble.width if ensemble.method == "weights" else 2 * len(inputs)
    normals = torch.empty(networks, rows, ensemble.width, dtype=inputs.dtype, device=source)
    for layer, (kept, added) in enumerate(ensemble.scales(), start=1):
        branch = _activate(ensemble, normalise(ensemble, state, layer), generator)
        torch.randn(normals.shape, generator=generator, out=normals)  # fresh memory costs a third of the drawing
        drawn = normals.to(inputs.device)
        branch = mix(branch.flatten(1, 2), ensemble.variance / ensemble.width, drawn).view_as(state)
        state = kept * state + added * branch if kept else branch
        yield state


def normalise(ensemble: Ensemble, state: Tensor, layer: int) -> Tensor:
    """What the gates of a layer (from 1) see; the first layer is never normalised."""
    if ensemble.normalisation == "none" or layer == 1:
        return state
    over = 2 if ensemble.normalisation == "layer_norm" else 1  # over the units of an input, or the inputs of a unit
    differentiated = ensemble.statistics == "differentiated"
    values, tangents = state.unbind(1)
    values = values - values.mean(over, keepdim=True)
    if differentiated:
        tangents = tangents - tangents.mean(over, keepdim=True)
    if ensemble.normalisation == "centred":
        if ensemble.kind == "plain":  # its gates feel no common scale, and centring would shrink it with depth
            values = values / _size(values, (1, 2))
        return torch.stack([values, tangents], dim=1)
    size = _size(values, over)
    values = values / size
    if differentiated:
        tangents = tangents - values * (values * tangents).mean(over, keepdim=True)
    return torch.stack([values, tangents / size], dim=1)


def input_columns(inputs: Tensor) -> Tensor:
    """What the first weights multiply, inputs then directions of differentiation; shape (2, inputs, columns)."""
    one = inputs.new_ones(len(inputs), 1)
    if inputs.ndim == 1:  # the input, and a constant for the bias; moving x moves the first alone
        x = inputs[:, None]
        return torch.stack([torch.cat([x, one], 1), torch.cat([one, 0 * one], 1)])
    return torch.stack([torch.cat([inputs, 0 * one], 1), torch.cat([0 * inputs, one], 1)])


def _size(values: Tensor, axes: int | tuple[int, ...]) -> Tensor:
    """Root mean square; 1 where all is zero, since a dead unit stays dead."""
    size = values.square().mean(axes, keepdim=True).sqrt()
    return torch.where(size > 0, size, 1)


def _activate(ensemble: Ensemble, state: Tensor, generator: torch.Generator) -> Tensor:
    """Pass values through the activation, and tangents through its derivative."""
    if ensemble.value_and_slope is None:
        return state * _active(ensemble, state, generator).unsqueeze(1)
    values, slopes = ensemble.value_and_slope(state[:, 0])
    return torch.stack([values, slopes * state[:, 1]], dim=1)


def _active(ensemble: Ensemble, state: Tensor, generator: torch.Generator) -> Tensor:
    values = state[:, 0]
    if ensemble.gates == "independent":
        coins = torch.randint(0, 2, values.shape, generator=generator, dtype=state.dtype, device=generator.device)
        return coins.to(state.device)
    return values.sign().clamp_min_(0)  # three times as fast as a comparison, and it was a tenth of the whole


def _mix_by_weights(branch: Tensor, variance: float, normals: Tensor) -> Tensor:
    return torch.baddbmm(branch.new_zeros(1), branch, normals, beta=0, alpha=math.sqrt(variance))


def _mix_by_gram(branch: Tensor, variance: float, normals: Tensor) -> Tensor:
    precise = branch.double()
    return _square_root(variance * (precise @ precise.mT)).to(branch.dtype) @ normals


def _square_root(gram: Tensor) -> Tensor:
    """F with F F' = gram; pivots that rounding made negative count as zero.

    Values and tangents are nearly collinear in deep networks, where ``torch.linalg.cholesky`` refuses. Where
    elimination loses digits, as it does for many inputs close together, taking the largest pivot first keeps them, but
    takes longer. Rows that are the same stay the same: within a linear piece, gradients are equal to the last bit.
    """
    # A copy with the networks last, so that each step runs over contiguous numbers.
    rest = gram.movedim(0, -1).clone(memory_format=torch.contiguous_format)
    factor = torch.zeros_like(rest)
    floor = 1e-14 * rest.diagonal().mT
    for j in range(len(rest)):
        pivot = rest[j, j]
        column = rest[j:, j] * torch.where(pivot > floor[j], pivot, math.inf).rsqrt()
        factor[j:, j] = column
        rest[j + 1 :, j + 1 :] -= column[1:, None] * column[1:]
    factor = factor.movedim(-1, 0).contiguous()
    largest = gram.diagonal(dim1=-2, dim2=-1).amax(-1)
    lossy = (factor @ factor.mT - gram).abs().amax((-2, -1)) > LOSS * largest
    if lossy.any():
        factor[lossy] = _square_root_by_largest_pivots(gram[lossy])
    return factor


def _square_root_by_largest_pivots(gram: Tensor) -> Tensor:
    rest, factor = gram.clone(), torch.zeros_like(gram)
    floor = 1e-14 * gram.diagonal(dim1=-2, dim2=-1).amax(-1)
    networks = torch.arange(len(gram), device=gram.device)
    for step in range(gram.shape[-1]):
        pivot, place = rest.diagonal(dim1=-2, dim2=-1).max(-1)
        column = rest[networks, :, place] * torch.where(pivot > floor, pivot, math.inf).rsqrt().unsqueeze(-1)
        factor[..., step] = column
        rest -= column.unsqueeze(-1) * column.unsqueeze(-2)
    return factor
