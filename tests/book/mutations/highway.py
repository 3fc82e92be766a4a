"""Mistakes about highway networks and the family that they belong to."""

from __future__ import annotations

import numpy as np

import shattered_lite as sl
from shattered_lite.sampling._ensemble import Ensemble

from .patching import Patch, in_theory


def let_the_gammas_add_up_to_one(patch: Patch) -> None:
    """Coefficients of the branch 1 - gamma1, as in the original highway network."""
    original = Ensemble.scales

    def convex(self):
        scales = original(self)
        return [(kept, 1 - kept) for kept, _ in scales] if self.kind == "highway" else scales

    patch.setattr(Ensemble, "scales", convex)


def forget_to_square_gamma2(patch: Patch) -> None:
    """A layer's factor 1 - gamma2/2, not 1 - gamma2^2/2."""

    def unsquared(depth, gamma1):
        factor = np.log1p(-np.sqrt(1 - np.asarray(gamma1) ** 2) / 2) * depth
        return sl.theory.Moments(np.zeros(np.shape(factor)), factor)

    in_theory(patch, "highway", unsquared)


def count_active_paths_in_place_of_coactive(patch: Patch) -> None:
    """A layer's factor 1: the covariance counted like the variance."""

    def counted(depth, gamma1):
        factor = 0.0 * np.asarray(gamma1) * depth
        return sl.theory.Moments(factor, factor)

    in_theory(patch, "highway", counted)


def keep_the_angle_right(patch: Patch) -> None:
    """The uncentred correlation with coins for gates: 1 - w/2 in each layer."""

    def coins(gamma1, cosine=0.0):
        steps = np.log1p(-(1 - np.asarray(gamma1) ** 2) / 2)
        logarithm = np.concatenate([[0.0], np.cumsum(steps)])
        return sl.theory.Moments(0 * logarithm, logarithm)

    in_theory(patch, "highway_uncentred", coins)
