"""Mistakes about the size of gradients, and of changes."""

from __future__ import annotations

import torch
import torch.nn.functional as F

import shattered_lite as sl

from .patching import Patch, in_theory

_coefficient = sl.structure.gradient_scale_coefficient


def leave_out_the_signals(patch: Patch) -> None:
    """The root mean square length of gradients, in no unit."""
    patch.setattr(
        sl.structure,
        "gradient_scale_coefficient",
        lambda signals, outputs, gradients: _coefficient(torch.ones_like(signals), torch.ones_like(outputs), gradients),
    )


def divide_by_no_number_of_columns(patch: Patch) -> None:
    """Frobenius' norm in place of the quadratic mean."""
    patch.setattr(
        sl.structure,
        "gradient_scale_coefficient",
        lambda signals, outputs, gradients: signals.shape[-1] ** 0.5 * _coefficient(signals, outputs, gradients),
    )


def take_the_mean_length(patch: Patch) -> None:
    """The mean length of gradients in place of its root mean square: a little less."""

    def shorter(signals, outputs, gradients):
        lengths = gradients.norm(dim=-1)
        ratio = lengths.mean(-1) / lengths.square().mean(-1).sqrt()
        return ratio * _coefficient(signals, outputs, gradients)

    patch.setattr(sl.structure, "gradient_scale_coefficient", shorter)


def raise_the_slopes_a_little(patch: Patch) -> None:
    """Mean squares of slopes that are a twentieth too large."""
    original = sl.theory.averages

    def steeper(activation):
        exact = original(activation)
        return exact._replace(square_slope=1.05 * exact.square_slope)

    in_theory(patch, "averages", steeper)


def cut_the_tangent_off(patch: Patch) -> None:
    """A straight line cut off at one in place of the hyperbolic tangent."""
    patch.setattr(F, "tanh", F.hardtanh)


def count_each_change_twice(patch: Patch) -> None:
    """A changed matrix counts for two."""
    original = torch.Tensor.roll
    patch.setattr(torch.Tensor, "roll", lambda self, shift, axis: original(self, 2 * shift, axis))


def weigh_changes_a_little_more(patch: Patch) -> None:
    """Every change a hundredth too large."""
    original = torch.Tensor.roll
    patch.setattr(torch.Tensor, "roll", lambda self, shift, axis: 1.01 * original(self, shift, axis))
