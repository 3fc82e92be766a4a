"""Mistakes about the tangent kernel."""

from __future__ import annotations

import numpy as np

import shattered_lite as sl
from shattered_lite.theory import _tangent

from .patching import Patch, in_theory


def bring_nothing_back(patch: Patch) -> None:
    """The last layer's weights alone."""
    original = _tangent._contributions

    def last(cosines, *, kept, layer, **settings):
        closed = layer._replace(slope_gap=lambda angle: layer.square_slope + 0 * angle)
        return original(cosines, kept=np.zeros_like(kept), layer=closed, **settings)

    in_theory(patch, "_contributions", last)


def open_gates_on_the_way_back(patch: Patch) -> None:
    """Gradients that lose nothing between unlike inputs."""
    original = _tangent._contributions

    def alike(cosines, *, layer, **settings):
        return original(cosines, layer=layer._replace(slope_gap=lambda angle: 0 * angle), **settings)

    in_theory(patch, "_contributions", alike)


def take_frozen_for_differentiated(patch: Patch) -> None:
    """Statistics that never move."""
    original = sl.theory.tangent_kernel
    frozen = {"statistics": "frozen"}
    in_theory(patch, "tangent_kernel", lambda depth, **settings: original(depth, **settings | frozen))
