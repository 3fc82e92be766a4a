"""Mistakes about residual networks."""

from __future__ import annotations

import numpy as np
import torch

import shattered_lite as sl
from shattered_lite.sampling import _layers as layers
from shattered_lite.sampling._ensemble import Ensemble
from shattered_lite.theory import Moments

from .patching import Patch, in_theory


def cut_the_skip(patch: Patch) -> None:
    """Networks without their skips."""
    original = Ensemble.scales
    patch.setattr(Ensemble, "scales", lambda self: [(0.0, added) for _, added in original(self)])


def go_past_each_block_twice(patch: Patch) -> None:
    """Two skips around a branch."""
    original = sl.networks.Residual.forward
    patch.setattr(sl.networks.Residual, "forward", lambda self, x: original(self, x) + self.alpha * x)


def skip_one_residual_layer(patch: Patch) -> None:
    """Theorem 2 with L - 1 in place of L."""
    original = sl.theory.residual
    in_theory(patch, "residual", lambda depth, *a, **k: original(depth - 1, *a, **k))


def add_lengths_of_skip_and_branch(patch: Patch) -> None:
    """(1 + beta)^2 in place of 1 + beta^2, as if skip and branch were the same number."""

    def aligned(depth, alpha=1.0, beta=1.0):
        own, across = alpha**2 * (1 + beta) ** 2, alpha**2 * (1 + beta) * (1 + beta / 2)
        return Moments(depth * np.log(own), depth * np.log(across / own))

    in_theory(patch, "residual", aligned)


def forget_to_square_beta(patch: Patch) -> None:
    """beta in place of beta^2."""
    original = sl.theory.residual
    in_theory(patch, "residual", lambda depth, alpha=1.0, beta=1.0: original(depth, alpha=alpha, beta=beta**0.5))


def toss_every_gate(patch: Patch) -> None:
    """Fair coins in place of a rectifier's gates: no memory."""
    patch.setattr(
        layers,
        "_active",
        lambda ensemble, state, generator: torch.randint(0, 2, state[:, 0].shape, generator=generator).to(state.dtype),
    )


def turn_at_full_speed(patch: Patch) -> None:
    """The angle of a plain network in the factors of a residual one."""

    def fast(depth, alpha=1.0, beta=1.0, cosine=0.0):
        share = beta**2 / (1 + beta**2)
        entering = sl.theory.arc_cosine(sl.theory.cosines(int(depth), cosine=cosine)[:-1])
        return exact(depth, alpha=alpha, beta=beta, cosine=cosine)._replace(
            log_correlation=np.log(1 - share * (1 - entering.tangent)).sum()
        )

    exact = sl.theory.residual_uncentred
    in_theory(patch, "residual_uncentred", fast)


def leave_the_columns_as_drawn(patch: Patch) -> None:
    """Gaussian matrices in place of orthogonal ones."""

    def unchanged(matrix):
        size = matrix.shape[-1]
        return matrix / size**0.5, torch.eye(size, dtype=matrix.dtype).expand_as(matrix)

    patch.setattr(torch.linalg, "qr", unchanged)


def put_the_inputs_at_right_angles(patch: Patch) -> None:
    """The law of orthogonal inputs, whatever their angle."""
    original = sl.theory.residual_uncentred
    in_theory(patch, "residual_uncentred", lambda *a, cosine=0.0, **k: original(*a, **k))


def toss_coins_that_always_fall_open(patch: Patch) -> None:
    """Gates that are always open in a chapter's own simulator."""
    patch.setattr(torch, "randint", lambda low, high, size, **k: torch.ones(size))
