"""Mistakes about activations other than the rectifier."""

from __future__ import annotations

import numpy as np
from scipy import special

import shattered_lite as sl
from shattered_lite.sampling import _layers as layers

from .patching import Patch, in_theory


def rectify_every_activation(patch: Patch) -> None:
    """Networks of rectifiers, whatever was asked for."""
    patch.setattr(
        layers,
        "_activate",
        lambda ensemble, state, generator: state * layers._active(ensemble, state, generator).unsqueeze(1),
    )


def take_every_activation_for_tanh(patch: Patch) -> None:
    """Averages of the hyperbolic tangent, whatever was asked for."""
    original = sl.theory.averages
    in_theory(patch, "averages", lambda activation: original("tanh"))


def forget_to_subtract_the_mean(patch: Patch) -> None:
    """The mean square of an activation in place of its variance."""
    patch.setattr(sl.theory.Averages, "variance", property(lambda self: self.square))


def square_before_the_mean(patch: Patch) -> None:
    """E[phi'^2] in place of E[phi']^2."""
    original = sl.theory.averages

    def muddled(activation):
        exact = original(activation)
        return exact._replace(mean_slope=exact.square_slope**0.5)

    in_theory(patch, "averages", muddled)


def forget_to_normalise_the_polynomials(patch: Patch) -> None:
    """E[phi He_k], without the division by the root of k!."""
    original = sl.theory.hermite_coefficients

    def unscaled(activation, degree):
        return original(activation, degree=degree) * np.sqrt(special.factorial(np.arange(degree + 1)))

    in_theory(patch, "hermite_coefficients", unscaled)


def drop_the_odd_degrees(patch: Patch) -> None:
    """Activations without their odd degrees above the first."""
    original = sl.theory.hermite_coefficients

    def without(activation, degree):
        coefficients = original(activation, degree=degree).copy()
        coefficients[3::2] = 0
        return coefficients

    in_theory(patch, "hermite_coefficients", without)


def drop_the_even_degrees(patch: Patch) -> None:
    """Activations without their even degrees, the mean included."""
    original = sl.theory.hermite_coefficients

    def without(activation, degree):
        coefficients = original(activation, degree=degree).copy()
        coefficients[0::2] = 0
        return coefficients

    in_theory(patch, "hermite_coefficients", without)


def take_the_batch_for_infinite(patch: Patch) -> None:
    """Averages over an infinite batch, whatever its size."""
    original = sl.theory.batch_averages
    in_theory(patch, "batch_averages", lambda activation="relu", batch_size=np.inf: original(activation))


def take_inputs_for_independent(patch: Patch) -> None:
    """A finite batch whose values do not balance each other: pairs as in an infinite one."""
    original = sl.theory.batch_averages

    def independent(activation="relu", batch_size=np.inf):
        wide = original(activation)
        return original(activation, batch_size=batch_size)._replace(
            pair=wide.pair, pair_slope=wide.pair_slope, pair_lever=wide.pair_lever
        )

    in_theory(patch, "batch_averages", independent)


def widen_the_network(patch: Patch) -> None:
    """Networks four times as wide as asked for."""
    original = sl.sample_gradients

    def wider(kind, *, width, **law):
        return original(kind, width=4 * width, **law)

    patch.setattr(sl, "sample_gradients", wider)


def start_without_the_lean(patch: Patch) -> None:
    """Unrelated inputs, whatever was asked for."""
    original = layers.preactivations

    def unrelated(ensemble, inputs, networks, generator):
        return original(ensemble, inputs.new_ones(len(inputs)).diag_embed(), networks, generator)

    patch.setattr(layers, "preactivations", unrelated)


def add_a_step_to_the_slopes(patch: Patch) -> None:
    """Slopes that are too large by one on the positive side."""
    relu = sl.theory.ACTIVATIONS["relu"]
    for name, exact in sl.theory.ACTIVATIONS.items():
        wrong = exact._replace(slope=lambda z, exact=exact: exact.slope(z) + relu.slope(z))
        patch.setitem(sl.theory.ACTIVATIONS, name, wrong)
