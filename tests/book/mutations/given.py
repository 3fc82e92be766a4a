"""Mistakes about networks whose gates are given."""

from __future__ import annotations

import torch

import shattered_lite as sl

from .patching import Patch


def count_units_open_at_either(patch: Patch) -> None:
    """A gate in common is one that is open at one input or at the other."""
    original = sl.structure.coactivation
    patch.setattr(sl.structure, "coactivation", lambda active: 1 - original(~active))


def count_pairs_as_independent(patch: Patch) -> None:
    """The square of the share of open gates, as if two inputs had nothing in common."""
    patch.setattr(sl.structure, "coactivation", lambda active: active.double().mean((-2, -1)) ** 2)


def forget_the_last_gates(patch: Patch) -> None:
    """A last layer that lets everything through."""
    original = sl.structure.coactivation
    whole = torch.ones(1, dtype=torch.float64)
    patch.setattr(sl.structure, "coactivation", lambda active: torch.cat([original(active[:-1]), whole]))
