"""Mistakes in reading what is recorded: runs under a wrong name, starts turned round, the wrong images."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import shattered_lite as sl

from .patching import Patch

Record = sl.lab.training.Record
SWAPPED = {"plain, batch norm": "looks linear", "looks linear": "plain, batch norm"}


def _read(patch: Patch, name: Callable[[str], str] = str, record: Callable[[Record], Record] = replace) -> None:
    """Each group under another name, or with other records."""
    original = sl.lab.grids.by_network

    def by_network(records: Iterable[Record]) -> dict:
        return {(depth, name(old)): [*map(record, rows)] for (depth, old), rows in original(records).items()}

    patch.setattr(sl.lab.grids, "by_network", by_network)


def call_plain_networks_looks_linear(patch: Patch) -> None:
    """And looks-linear ones plain."""
    _read(patch, name=lambda name: SWAPPED.get(name, name))
    original = sl.lab.grids.network_of
    patch.setattr(sl.lab.grids, "network_of", lambda *run: SWAPPED.get(original(*run), original(*run)))


def turn_the_starts_round(patch: Patch) -> None:
    """The less the gradients agree, the larger the number."""

    def turned(record: Record) -> Record:
        negative = tuple(-value for value in record.start.correlation)
        return replace(record, start=replace(record.start, correlation=negative))

    _read(patch, record=turned)


def read_training_images_as_new_ones(patch: Patch) -> None:
    """As if they were new."""
    _read(patch, record=lambda record: replace(record, accuracies=record.train_accuracies or record.accuracies))
