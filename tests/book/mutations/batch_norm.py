"""Mistakes about residual networks with batch norm, and with layer norm."""

from __future__ import annotations

import numpy as np
import torch

import shattered_lite as sl
from shattered_lite.sampling import _layers as layers

from .patching import Patch, in_theory


def count_one_block_fewer(patch: Patch) -> None:
    """The idealised network with L - 1 blocks, as the paper's variance has it."""
    original = sl.theory.residual_idealised_batch_norm
    in_theory(patch, "residual_idealised_batch_norm", lambda depth, **k: original(np.asarray(depth) - 1, **k))


def forget_the_root(patch: Patch) -> None:
    """A branch divided by its standard deviation to the fourth power, in place of the square, in its variance."""

    def wrong(depth, beta=1.0):
        u = beta**2 / (1 + beta**2 * np.arange(int(np.max(depth)))) ** 2
        variance, covariance = (np.concatenate([[0], np.cumsum(np.log1p(u / part))])[depth] for part in (1, 2))
        return sl.theory.Moments(variance, covariance - variance)

    in_theory(patch, "residual_idealised_batch_norm", wrong)


def take_the_skip_after_the_normalisation(patch: Patch) -> None:
    """The skip carries the normalised state."""

    def preactivations(ensemble, inputs, networks, generator):
        first = torch.randn(networks, 1, inputs.shape[-1] + 1, ensemble.width, generator=generator, dtype=inputs.dtype)
        state = layers.input_columns(inputs) @ first
        yield state
        for layer, (kept, added) in enumerate(ensemble.scales(), start=1):
            state = layers.normalise(ensemble, state, layer)
            branch = layers._activate(ensemble, state, generator).flatten(1, 2)
            normals = torch.randn(networks, 2 * len(inputs), ensemble.width, generator=generator, dtype=inputs.dtype)
            mixed = layers._mix_by_gram(branch, ensemble.variance / ensemble.width, normals)
            state = kept * state + added * mixed.view_as(state)
            yield state

    patch.setattr(layers, "preactivations", preactivations)


def keep_the_mean(patch: Patch) -> None:
    """Real batch norm without centring: the paper's idealisation in its place."""
    idealised = sl.theory.residual_idealised_batch_norm
    in_theory(patch, "residual_batch_norm", lambda depth, beta=1.0, **k: idealised(depth, beta=beta))


def take_a_residual_batch_for_endless(patch: Patch) -> None:
    """The limit of many inputs, whatever the size of the batch."""
    original = sl.theory.residual_batch_norm

    def endless(depth, batch_size=np.inf, **options):
        return original(depth, **options)

    in_theory(patch, "residual_batch_norm", endless)


def freeze_the_statistics(patch: Patch) -> None:
    """Frozen statistics where differentiated ones are asked for."""
    for name in ("residual_batch_norm", "plain_batch_norm"):
        original = getattr(sl.theory, name)

        def frozen(*arguments, statistics="frozen", original=original, **options):
            return original(*arguments, **options)

        in_theory(patch, name, frozen)


def hold_the_inputs_apart(patch: Patch) -> None:
    """Layer norm as if it kept inputs at right angles, as batch norm does."""
    in_theory(patch, "residual_layer_norm", sl.theory.residual_idealised_batch_norm)


def give_branches_a_constant_share(patch: Patch) -> None:
    """Layer norm as if the state did not grow: the law of a network without normalisation."""
    in_theory(patch, "residual_layer_norm", lambda depth, beta=1.0: sl.theory.residual_uncentred(depth, beta=beta))
