"""Mistakes about convolutional networks, and about the measures of a minibatch."""

from __future__ import annotations

import torch

import shattered_lite as sl

from .patching import Patch


def toss_one_coin_for_all_images(patch: Patch) -> None:
    """The gates of one image for both of a pair, in a chapter's own simulator."""
    original = torch.randint
    patch.setattr(torch, "randint", lambda *a, **k: (coins := original(*a, **k))[:, :1].expand_as(coins))


def wrap_every_image(patch: Patch) -> None:
    """The opposite edge outside the image, whatever was asked for."""
    original = torch.nn.functional.pad
    patch.setattr(torch.nn.functional, "pad", lambda image, sides, mode: original(image, sides, mode="circular"))


def divide_by_the_mean_length(patch: Patch) -> None:
    """The mean gradient relative to the mean length, not to the root mean square."""

    def relative(gradients):
        return gradients.double().mean(-2).norm() / gradients.double().norm(dim=-1).mean()

    patch.setattr(sl.structure, "mean_gradient_norm", relative)


def add_up_singular_values(patch: Patch) -> None:
    """Singular values in place of their squares."""
    patch.setattr(
        sl.structure, "effective_rank", lambda g: torch.linalg.svdvals(g).sum(-1) / torch.linalg.svdvals(g).amax(-1)
    )


def forget_to_square_the_norms(patch: Patch) -> None:
    """The quotient of the norms in place of that of their squares."""
    original = sl.structure.effective_rank
    patch.setattr(sl.structure, "effective_rank", lambda gradients: original(gradients).sqrt())


def take_frobenius_for_spectral(patch: Patch) -> None:
    """The root of the sum of all squares in place of the largest singular value."""
    original = torch.linalg.matrix_norm
    patch.setattr(torch.linalg, "matrix_norm", lambda matrix, ord="fro": original(matrix))


def draw_one_image_for_all(patch: Patch) -> None:
    """Every row of a random matrix a copy of the first."""
    original = torch.randn
    patch.setattr(torch, "randn", lambda *a, **k: (drawn := original(*a, **k))[..., :1, :].expand_as(drawn))


def covary_deviations_from_the_mean(patch: Patch) -> None:
    """Covariance of gradients less their mean over inputs."""
    original = sl.structure.covariance
    patch.setattr(sl.structure, "covariance", lambda g: original(g - g.mean(-2, keepdim=True)))


def scale_every_gradient_to_length_one(patch: Patch) -> None:
    """The effective rank of directions, whatever the lengths."""
    original = sl.structure.effective_rank
    normalise = torch.nn.functional.normalize
    patch.setattr(sl.structure, "effective_rank", lambda gradients: original(normalise(gradients, dim=-1)))


def show_noise_for_digits(patch: Patch) -> None:
    """Random pixels in place of every picture; the labels stay."""
    original = sl.lab.data.digits

    def noise(**options):
        data = original(**options)
        return data._replace(train_inputs=torch.randn(data.train_inputs.shape))

    patch.setattr(sl.lab.data, "digits", noise)
