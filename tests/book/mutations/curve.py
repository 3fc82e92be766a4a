"""Mistakes about the similarity map and its slope."""

from __future__ import annotations

import numpy as np

import shattered_lite as sl
from shattered_lite.theory import _dual, _similarity

from .patching import Patch, in_theory


def forget_what_is_kept(patch: Patch) -> None:
    """A residual layer without its skip."""
    original = sl.theory.similarity
    in_theory(patch, "similarity", lambda depth, **settings: original(depth, **settings | {"kept": 0.0}))


def divide_by_the_deviation_twice(patch: Patch) -> None:
    """A normalised branch divided by the variance, not by its root."""
    original = _similarity._entering
    in_theory(patch, "_entering", lambda kept, fed: original(kept, fed) ** 2)


def take_heights_for_slopes(patch: Patch) -> None:
    """The similarity of the values for the correlation of the gradients."""
    original = sl.theory.similarity

    def heights(depth, **settings):
        found = original(depth, **settings)
        with np.errstate(divide="ignore"):
            logarithm = np.log(np.abs(found.cosine))
        return found._replace(gradients=found.gradients._replace(log_correlation=logarithm))

    in_theory(patch, "similarity", heights)


def lose_less_of_the_slope(patch: Patch) -> None:
    """A layer that loses nine tenths of what it should."""
    original = _dual.dual

    def kinder(spelling):
        found = original(spelling)
        return found._replace(slope_gap=lambda angle: 0.9 * found.slope_gap(angle))

    in_theory(patch, "dual", kinder)


def centre_no_dual(patch: Patch) -> None:
    """Slopes of a branch that has kept its mean."""
    original = _dual.dual
    in_theory(patch, "dual", lambda spelling: original(spelling)._replace(square_mean=0.0))
