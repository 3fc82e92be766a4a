"""Mistakes about networks whose gates are given, and about their training."""

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


def hand_out_labels_at_random(patch: Patch) -> None:
    """Every digit another's label, in training and in the test: nothing can be learnt of one image for others."""
    original = sl.lab.data.digits

    def shuffled(**options):
        data = original(**options)
        train, test = (labels[torch.randperm(len(labels))] for labels in (data.train_labels, data.test_labels))
        return data._replace(train_labels=train, test_labels=test)

    patch.setattr(sl.lab.data, "digits", shuffled)


def leave_the_weights_alone(patch: Patch) -> None:
    """An optimiser that takes no step."""
    patch.setattr(torch.optim.Adam, "step", lambda self: None)
