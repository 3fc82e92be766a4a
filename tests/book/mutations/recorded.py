"""Mistakes in reading what is recorded: runs under a wrong name, starts turned round, the wrong images."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import shattered_lite as sl

from .patching import Patch

Record, Run = sl.lab.training.Record, sl.lab.training.Run


def _swap(one: str, other: str) -> Callable[[str], str]:
    """A name for another, and that for the first."""
    return lambda name: {one: other, other: one}.get(name, name)


def _read(patch: Patch, name: Callable[[str], str] = str, record: Callable[[Record], Record] = replace) -> None:
    """Each group under another name, or with other records."""
    original = sl.lab.grids.by_network

    def by_network(records: Iterable[Record]) -> dict:
        return {(depth, name(old)): [*map(record, rows)] for (depth, old), rows in original(records).items()}

    patch.setattr(sl.lab.grids, "by_network", by_network)


def _call(patch: Patch, name: Callable[[str], str], which: Callable[[Run], bool] = lambda run: True) -> None:
    """Each network under another name; those of some runs only, where runs are named one by one."""
    _read(patch, name=name)
    original = sl.lab.grids.network_of

    def network_of(run: Run, *width: int) -> str:
        return name(original(run, *width)) if which(run) else original(run, *width)

    patch.setattr(sl.lab.grids, "network_of", network_of)


def call_plain_networks_looks_linear(patch: Patch) -> None:
    """And looks-linear ones plain."""
    _call(patch, _swap("plain, batch norm", "looks linear"))


def call_residual_networks_plain(patch: Patch) -> None:
    """And plain ones residual."""
    _call(patch, _swap("plain, batch norm", "residual, beta 0.1"))


def call_turned_mirrors_residual(patch: Patch) -> None:
    """And residual ones with small branches turned mirrors."""
    _call(patch, _swap("mirror at 90 degrees", "residual, beta 0.1"))


def call_plain_networks_looks_linear_on_mnist(patch: Patch) -> None:
    """And looks-linear ones plain, on MNIST alone."""
    _call(patch, _swap("plain, batch norm", "looks linear"), lambda run: run.data == "mnist")


def call_plain_networks_looks_linear_where_wide(patch: Patch) -> None:
    """And looks-linear ones plain, at width 256 alone."""
    _call(patch, _swap("plain, batch norm", "looks linear"), lambda run: run.width > 128)


def turn_the_starts_round(patch: Patch) -> None:
    """The less the gradients agree, the larger the number."""

    def turned(record: Record) -> Record:
        negative = tuple(-value for value in record.start.correlation)
        return replace(record, start=replace(record.start, correlation=negative))

    _read(patch, record=turned)


def read_training_images_as_new_ones(patch: Patch) -> None:
    """As if they were new."""
    _read(patch, record=lambda record: replace(record, accuracies=record.train_accuracies or record.accuracies))


def take_the_rank_of_directions(patch: Patch) -> None:
    """The effective rank of gradients scaled to length 1 in place of their own."""

    def scaled(record: Record) -> Record:
        ranks = record.start.effective_rank_of_directions
        return replace(record, start=replace(record.start, effective_rank=ranks))

    _read(patch, record=scaled)
