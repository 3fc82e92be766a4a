"""Mistakes about very deep convolutional networks: what they cost, and what they do to an image."""

from __future__ import annotations

import torch
from torch import nn

import shattered_lite as sl

from .patching import Patch


def count_products_only(patch: Patch) -> None:
    """Multiplications without the additions."""
    original = sl.networks.flops
    patch.setattr(sl.networks, "flops", lambda *a: original(*a) // 2)


def leave_out_the_biases(patch: Patch) -> None:
    """Parameters of more than one dimension only."""
    patch.setattr(sl.networks, "parameters", lambda network: sum(p.numel() for p in network.parameters() if p.ndim > 1))


def match_half_the_cost(patch: Patch) -> None:
    """As if a concatenated network were to cost half as much as the other."""
    original = sl.networks.matching_width
    patch.setattr(sl.networks, "matching_width", lambda build, cost, target: original(build, cost, target / 2))


def fold_pixels_before_channels(patch: Patch) -> None:
    """Folded channels ordered by pixel, then by channel: positive and negative halves are mixed."""

    def forward(self, image):
        size = self.downscale_factor
        folded = nn.functional.pixel_unshuffle(image, size)
        return folded.unflatten(1, (-1, size**2)).transpose(1, 2).flatten(1, 2)

    patch.setattr(nn.PixelUnshuffle, "forward", forward)


def wrap_the_border(patch: Patch) -> None:
    """The opposite edge outside an image, in place of zeros."""

    def forward(self, image, weight, bias):
        wrapped = nn.functional.pad(image, (1, 1, 1, 1), mode="circular")
        return nn.functional.conv2d(wrapped, weight, bias)

    patch.setattr(nn.Conv2d, "_conv_forward", forward)


def draw_weights_for_no_gate(patch: Patch) -> None:
    """Variance 1/fan_in, as if nothing dropped half of the square."""

    def smaller(weight, generator, **_):
        return nn.init.normal_(weight, std=weight[0].numel() ** -0.5, generator=generator)

    patch.setattr(nn.init, "kaiming_normal_", smaller)


def toss_one_coin_for_both_inputs(patch: Patch) -> None:
    """Gates that are the same at every input of a network."""
    original = torch.randint

    def shared(low, high, size, **options):
        coins = original(low, high, size, **options)
        return coins[:, :1].expand(size) if len(size) == 3 else coins

    patch.setattr(torch, "randint", shared)
