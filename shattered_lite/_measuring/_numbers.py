"""Statistics of the numbers of one signal, or of its gradient."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def by_input(values: Tensor, count: int) -> Tensor | None:
    """One row an input: along the first axis, or the second, or a first that counts pieces of each input."""
    if values.ndim and len(values) == count:
        return values.reshape(count, -1)
    if values.ndim > 1 and values.shape[1] == count:
        return values.transpose(0, 1).reshape(count, -1)
    return values.reshape(count, -1) if values.ndim and len(values) % count == 0 else None


def real(values: Tensor) -> Tensor:
    """Each complex number as two real ones."""
    return torch.view_as_real(values.resolve_conj()) if values.is_complex() else values


def over_positions(values: Tensor, count: int, channels_last: bool) -> float:
    """Share of the power that tells positions of one input apart; nan if there is one position."""
    if values.ndim < 3 or len(values) != count:
        return math.nan
    at_positions = values.movedim(-1 if channels_last else 1, -1).flatten(1, -2).float()
    if at_positions.shape[1] == 1:
        return math.nan
    at_positions = at_positions / (largest(values) or 1.0)
    return 1 - (at_positions.mean(1).square().mean() / at_positions.square().mean()).item()


def identical(units: Tensor) -> bool:
    """Whether all rows are the same, but for rounding, and not zero; some hundred entries of each tell."""
    some = units[:, :: max(1, units.shape[1] // 256)].double()
    apart, size = (some - some[:1]).abs().max().item(), some.abs().max().item()
    return len(units) > 1 and apart <= 8 * torch.finfo(units.dtype).eps * size and size > 0


def largest(values: Tensor) -> float:
    """Size of the largest entry; nan or infinite if there is such a one."""
    low, high = torch.aminmax(values)
    return max(-low.item(), high.item()) if low == low else math.nan


def products(rows: Tensor) -> Tensor:
    """Of each row with each, in numbers that neither overflow nor underflow; float32 is fast and exact enough."""
    size = min(largest(rows), 1e150) or 1.0
    scaled = (rows if rows.dtype == torch.float64 else rows.float()) / size
    found = (scaled @ scaled.mT).double().cpu() * size**2
    return (found + found.mT) / 2
