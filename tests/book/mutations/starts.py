"""Mistakes about the starts of networks that came after the paper."""

from __future__ import annotations

import torch
from torch import nn

from .patching import Patch


def draw_weights_a_little_too_large(patch: Patch) -> None:
    """Gaussian weights with a deviation five per cent above what was asked for."""
    original = nn.init.normal_
    patch.setattr(
        nn.init,
        "normal_",
        lambda tensor, mean=0.0, std=1.0, generator=None: original(tensor, mean, 1.05 * std, generator),
    )


def start_biases_at_zero(patch: Patch) -> None:
    """Gaussian weights, and no biases."""
    original = nn.init.normal_

    def weights_alone(tensor, *arguments, **options):
        return original(tensor, *arguments, **options) if tensor.ndim > 1 else nn.init.zeros_(tensor)

    patch.setattr(nn.init, "normal_", weights_alone)


def draw_what_should_be_orthogonal(patch: Patch) -> None:
    """Gaussian entries of variance 1/columns in place of an orthogonal matrix."""

    def gaussian(tensor, gain=1, generator=None):
        return nn.init.normal_(tensor, std=gain * tensor.shape[1] ** -0.5, generator=generator)

    patch.setattr(nn.init, "orthogonal_", gaussian)


def attend_to_oneself(patch: Patch) -> None:
    """Tokens that look at themselves alone."""
    patch.setattr(nn.functional, "scaled_dot_product_attention", lambda query, key, value: value)


def rectify_by_halves(patch: Patch) -> None:
    """Rectifiers that let a tenth of what is negative through."""
    patch.setattr(nn.ReLU, "forward", lambda self, x: torch.where(x > 0, x, 0.1 * x))
