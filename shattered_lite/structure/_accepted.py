"""What only the measures accept: tensors of gradients, curves or gates, with a size to be relative to."""

from __future__ import annotations

import torch
from torch import Tensor


def precisely(name: str, tensor: Tensor, axes: int) -> Tensor:
    """In float64, where nothing wraps around and little overflows."""
    needs(name, tensor, axes)
    if tensor.is_complex() or not torch.isfinite(tensor).all():
        raise ValueError(f"{name}: dtype {tensor.dtype}, but finite real numbers are needed, and some are not")
    return tensor.double()


def of_size_one(gradients: Tensor, measure: str, over: tuple[int, ...] | None = None) -> Tensor:
    """Divided by the largest of a set, or of all, so that squares neither overflow nor underflow."""
    largest = gradients.abs().amax(over or tuple(range(gradients.ndim)), keepdim=True)
    if (largest == 0).any():
        raise ValueError(
            f"gradients: every one is zero, so their {measure} is not defined; a last layer that starts at zero stops "
            "them all, and so does a layer whose units are all off"
        )
    return gradients / largest


def needs(name: str, tensor: Tensor, axes: int, dtype: torch.dtype | None = None) -> None:
    """A tensor with so many axes or more, none of them empty."""
    if not isinstance(tensor, Tensor):
        raise ValueError(f"{name}: {type(tensor).__name__}, but a tensor is needed")
    if tensor.ndim < axes or tensor.numel() == 0:
        raise ValueError(f"{name}: shape {tuple(tensor.shape)}, but {axes} axes or more, none empty, are needed")
    if dtype is not None and tensor.dtype != dtype:
        raise ValueError(f"{name}: dtype {tensor.dtype}, but {dtype} is needed")
