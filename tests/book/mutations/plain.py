"""Mistakes about plain networks, their activity and slopes, and about looks-linear ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

import shattered_lite as sl
from shattered_lite.initializers import _initializers
from shattered_lite.sampling import _layers as layers
from shattered_lite.theory import _dual

from .patching import Patch, in_theory, scale_weights


def halve_the_weight_variance(patch: Patch) -> None:
    """Weights of variance 1/N, not 2/N."""
    scale_weights(patch, 0.5)


def open_every_gate(patch: Patch) -> None:
    """A linear network: each gate lets everything through."""
    patch.setattr(layers, "_active", lambda ensemble, state, generator: torch.ones_like(state[:, 0]))


def forget_one_layer(patch: Patch) -> None:
    """Theorem 1 with L - 1 in place of L."""
    original = sl.theory.plain
    in_theory(patch, "plain", lambda depth, *a, **k: original(depth - 1, *a, **k))


def drop_the_sine(patch: Patch) -> None:
    """The arc-cosine map without its first term."""

    def without_sine(cosine):
        exact = original(cosine)
        return sl.theory.ArcCosine(exact.tangent * cosine, exact.tangent, exact.coactivation)

    original = sl.theory.arc_cosine
    in_theory(patch, "arc_cosine", without_sine)
    hair = 1e-12  # right angles stay, and rounding must not open them
    in_theory(patch, "rectifier_gap", lambda angle: 1 - hair - np.cos(angle) * (1 - angle / np.pi))


def take_the_cosine_for_the_angle(patch: Patch) -> None:
    """Co-activation linear in the cosine, (1 + c)/4: right at 0, 90 and 180 degrees only."""
    original = sl.theory.arc_cosine
    in_theory(patch, "arc_cosine", lambda c: original(c)._replace(coactivation=(1 + np.asarray(c)) / 4))


def take_the_other_arc(patch: Patch) -> None:
    """theta in place of pi - theta."""

    def other(cosine):
        exact, angle = original(cosine), np.arccos(cosine)
        return exact._replace(cosine=(np.sin(angle) + angle * cosine) / np.pi, coactivation=angle / (2 * np.pi))

    original = sl.theory.arc_cosine
    layer = _dual.dual("relu")
    in_theory(patch, "arc_cosine", other)
    in_theory(patch, "dual", lambda spelling: layer._replace(slope_gap=lambda angle: 1 - layer.slope_gap(angle)))


def count_only_units_always_on(patch: Patch) -> None:
    """Constant units without those that are always off."""
    original = sl.theory.constant_units
    in_theory(patch, "constant_units", lambda *a, **k: original(*a, **k) / 2)


def halve_the_breaks(patch: Patch) -> None:
    """Neighbours differ with probability theta/(2 pi)."""
    original = sl.theory.expected_runs
    in_theory(patch, "expected_runs", lambda c: 1 + (original(c) - 1) / 2)


def assume_a_quarter(patch: Patch) -> None:
    """Co-activation of centred inputs without the correction for their number."""
    in_theory(patch, "centred_coactivation", lambda batch_size: 0.25)


def count_one_input_more(patch: Patch) -> None:
    """A correlation of -1/M, not -1/(M - 1)."""
    original = sl.theory.centred_coactivation
    in_theory(patch, "centred_coactivation", lambda batch_size: original(batch_size + 1))


def forget_to_normalise(patch: Patch) -> None:
    """Neither centring nor batch norm."""
    patch.setattr(layers, "normalise", lambda ensemble, state, layer: state)


def centre_by_no_cross_term(patch: Patch) -> None:
    """The long input's covariance with the mean left out: (pi a^2 + 1)/(pi - 1)."""
    in_theory(patch, "centred_length", lambda a, batch_size: (np.pi * a**2 + 1) / (np.pi - 1))


def take_the_limit_of_many_inputs(patch: Patch) -> None:
    """The limit of many inputs in place of 16."""
    original = sl.theory.centred_length
    in_theory(patch, "centred_length", lambda a, batch_size: original(a))


def keep_the_mean_of_curves(patch: Patch) -> None:
    """Autocorrelation of the curve itself, not of its deviations from its mean."""

    def raw(curves, lags):
        z, n = curves.double(), curves.shape[-1]
        return (
            torch.stack([(z[..., : n - k] * z[..., k:]).sum(-1) for k in range(lags + 1)], -1)
            / z.square().sum(-1)[..., None]
        )

    patch.setattr(sl.structure, "autocorrelation", raw)


def average_lagged_products(patch: Patch) -> None:
    """Mean of the M - k lagged products over the mean of the M squares: a factor of M/(M - k)."""
    original = sl.structure.autocorrelation

    def averaged(curves, lags):
        points = curves.shape[-1]
        return original(curves, lags) * points / (points - torch.arange(lags + 1))

    patch.setattr(sl.structure, "autocorrelation", averaged)


def forget_the_tangents_in_the_theory(patch: Patch) -> None:
    """Slopes of a shallow network as if a unit's slope knew nothing of its kink: 1 - theta/pi."""
    in_theory(patch, "scalar_covariance", lambda x, y, depth: 1 - abs(np.arctan(x) - np.arctan(y)) / np.pi)


def forget_to_centre_the_theory(patch: Patch) -> None:
    """The slopes of networks that are not centred in place of those that are."""
    original = sl.theory.grid_covariance
    in_theory(patch, "grid_covariance", lambda x, depth, centred: original(x, depth=depth, centred=False))


def predict_one_layer_fewer(patch: Patch) -> None:
    """The slopes of L - 1 layers."""
    original = sl.theory.grid_covariance
    in_theory(patch, "grid_covariance", lambda x, depth, centred: original(x, depth=depth - 1, centred=centred))


def rectify_both_halves_alike(patch: Patch) -> None:
    """A concatenated rectifier with the positive part twice."""
    patch.setattr(sl.networks.CReLU, "forward", lambda self, z: torch.cat([z.relu(), z.relu()], dim=1))


def keep_the_sign_of_the_second_half(patch: Patch) -> None:
    """A concatenated rectifier with min(z, 0), not max(-z, 0), as its second half."""
    patch.setattr(sl.networks.CReLU, "forward", lambda self, z: torch.cat([z.relu(), z.clamp(max=0)], dim=1))


def _set_weights(patch: Patch, change: Callable) -> None:
    original = _initializers.set_centre
    patch.setattr(_initializers, "set_centre", lambda layer, matrix: original(layer, change(matrix)))


def _mirrored(matrix: torch.Tensor) -> bool:
    half = matrix.shape[1] // 2
    return matrix.shape[1] % 2 == 0 and torch.equal(matrix[:, :half], -matrix[:, half:])


def wrong_sign_in_mirror(patch: Patch) -> None:
    """[O, O], not [O, -O]."""
    _set_weights(patch, lambda m: torch.cat([m[:, : m.shape[1] // 2]] * 2, dim=1) if _mirrored(m) else m)


def mirror_half_of_the_units(patch: Patch) -> None:
    """The negative copy of half of the units only; the others get a positive one."""

    def forget(matrix):
        if _mirrored(matrix):
            matrix = matrix.clone()
            matrix[:, matrix.shape[1] * 3 // 4 :] *= -1
        return matrix

    _set_weights(patch, forget)


def _set_orthogonal(patch: Patch, change: Callable) -> None:
    original = _initializers.orthogonal
    patch.setattr(_initializers, "orthogonal", lambda rows, columns, *a: change(original, rows, columns, *a))


def gaussian_in_place_of_orthogonal(patch: Patch) -> None:
    """Independent weights of variance 1/fan_in."""
    _set_orthogonal(patch, lambda f, rows, columns, like, g: torch.randn(rows, columns, generator=g) / columns**0.5)


def gain_of_root_two(patch: Patch) -> None:
    """The factor that a plain rectifier needs."""
    _set_orthogonal(patch, lambda f, *a: 2**0.5 * f(*a))


def slice_a_larger_orthogonal_matrix(patch: Patch) -> None:
    """The left half of an orthogonal matrix, which is not orthogonal."""
    _set_orthogonal(patch, lambda f, rows, columns, *a: f(rows, 2 * columns, *a)[:, :columns])


def spread_over_all_taps(patch: Patch) -> None:
    """Orthonormal rows of the flattened kernel, as torch.nn.init.orthogonal_ makes them."""
    generator = torch.Generator().manual_seed(0)

    def spread(layer, matrix):
        torch.nn.init.orthogonal_(layer.weight, generator=generator)

    patch.setattr(_initializers, "set_centre", spread)


def leak_through_every_gate(patch: Patch) -> None:
    """A leaky rectifier of slope 0.3 in place of the rectifier, or of the coin."""
    original = layers._active
    patch.setattr(layers, "_active", lambda *a: 0.3 + 0.7 * original(*a))


def pair_inputs_with_themselves(patch: Patch) -> None:
    """Covariance over all pairs of inputs, those of an input with itself included."""
    original = sl.structure.pair_moments

    def all_pairs(gradients):
        across, alone = original(gradients).unbind(-1)
        inputs = gradients.shape[-2]
        return torch.stack([((inputs - 1) * across + alone) / inputs, alone], -1)

    patch.setattr(sl.structure, "pair_moments", all_pairs)


def take_the_other_angle(patch: Patch) -> None:
    """A layer's factor theta/pi in place of 1 - theta/pi."""
    original = sl.theory.arc_cosine

    def other(cosine):
        exact = original(cosine)
        return exact._replace(tangent=1 - exact.tangent)

    layer = _dual.dual("relu")
    in_theory(patch, "arc_cosine", other)
    in_theory(patch, "dual", lambda spelling: layer._replace(slope_gap=lambda angle: 1 - layer.slope_gap(angle)))


def forget_the_width(patch: Patch) -> None:
    """Theorem 1 without its first correction."""
    in_theory(
        patch, "plain_finite_width", lambda depth, width, batch_size: sl.theory.plain(depth, batch_size=batch_size)
    )


def forget_the_tangents_of_values(patch: Patch) -> None:
    """The first correction with the likeness of values alone, not the covariances of values with tangents."""
    shrink, source = 1 / (2 * (1 - 1 / np.pi)), 2 / (np.pi * (np.pi - 1))

    def partial(depth, width, batch_size):
        u = s = gamma = 0.0
        for _ in range(1, int(depth)):
            u, s = shrink * u + 1 + s, shrink**2 * s + 1
            gamma += source * u
        limit = sl.theory.plain(depth, batch_size=batch_size)
        part = limit.covariance * (1 + gamma / width)
        return limit._replace(log_correlation=np.log(part))

    in_theory(patch, "plain_finite_width", partial)


def centre_without_scaling(patch: Patch) -> None:
    """Batch norm that subtracts the mean and divides by nothing."""
    original = layers.normalise

    def unscaled(ensemble, state, layer):
        values, tangents = original(ensemble, state, layer)[:, 0], state[:, 1]
        return torch.stack([values, tangents], 1)

    patch.setattr(layers, "normalise", unscaled)


def take_the_limit_of_large_batches(patch: Patch) -> None:
    """pi/(pi - 1) a layer, whatever the size of the batch."""
    original = sl.theory.plain_batch_norm
    in_theory(patch, "plain_batch_norm", lambda depth, batch_size: original(depth))


def multiply_the_tangent_maps(patch: Patch) -> None:
    """Slopes of a scalar network as a product of 1 - theta/pi: tangents that know nothing of values."""

    def product(x, y, depth):
        return sl.theory.plain_uncentred(depth, cosine=(x * y + 1) / np.sqrt((x**2 + 1) * (y**2 + 1))).correlation

    in_theory(patch, "scalar_covariance", product)


def forget_the_last_weights(patch: Patch) -> None:
    """(1 + 5/N)^L without the factor of the weights that no gate follows."""
    original = sl.theory.plain_kurtosis
    in_theory(patch, "plain_kurtosis", lambda depth, width: original(depth, width=width) / (1 + 2 / width))


def count_one_unit_more(patch: Patch) -> None:
    """The fluctuation of a network of width N + 1."""
    original = sl.theory.plain_kurtosis
    in_theory(patch, "plain_kurtosis", lambda depth, width: original(depth, width=width + 1))


def forget_the_off_diagonal(patch: Patch) -> None:
    """Columns of a layer drawn independently of each other."""
    patch.setattr(layers, "_square_root", lambda gram: torch.diag_embed(gram.diagonal(dim1=-2, dim2=-1).sqrt()))


def halve_the_gram_variance(patch: Patch) -> None:
    """Weights of variance 1/N in one of the two methods only."""
    original = layers._mix_by_gram
    patch.setattr(layers, "_mix_by_gram", lambda branch, variance, g: original(branch, variance / 2, g))
