"""Mistakes in a diagnosis: in what it expects, and in how its verdicts are counted."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable

import numpy as np

from shattered_lite._measuring import _signals
from shattered_lite.theory import Through, _through

from .patching import Patch


def _change_slopes(patch: Patch, change: Callable[[np.ndarray], np.ndarray]) -> None:
    original = _through.through

    def changed(activation, *, covariance):
        found = original(activation, covariance=covariance)
        return Through(found.value, change(found.slope))

    patch.setattr(_through, "through", changed)


def open_gates_at_all_inputs_together(patch: Patch) -> None:
    """Whatever the inputs, a gate that is open at one is open at the other."""
    _change_slopes(patch, lambda slope: np.sqrt(np.outer(np.diagonal(slope), np.diagonal(slope))))


def lose_a_tenth_of_the_slopes(patch: Patch) -> None:
    """In each activation."""
    _change_slopes(patch, lambda slope: 0.9 * slope)


def forget_the_factor_of_a_branch(patch: Patch) -> None:
    """As if each branch were added whole."""
    original = _signals.step_of

    def step_of(function, *rest):
        step = original(function, *rest)
        return step._replace(back=1.0) if function.__name__.strip("_") in ("mul", "rmul") else step

    patch.setattr(_signals, "step_of", step_of)


def _read(patch: Patch, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> None:
    original = csv.DictReader

    def reader(lines: Iterable[str]) -> list[dict[str, str]]:
        return change(list(original(lines)))

    patch.setattr(csv, "DictReader", reader)


def read_the_verdict_of_the_next_network(patch: Patch) -> None:
    """A row too far."""
    _read(
        patch,
        lambda rows: [
            {**row, "at_first": after["at_first"]} for row, after in zip(rows, rows[2:] + rows[:2], strict=True)
        ],
    )


def raise_an_alarm_at_every_tenth(patch: Patch) -> None:
    """Whatever it is."""
    _read(patch, lambda rows: [{**row, "at_first": "shattered"} if not k % 10 else row for k, row in enumerate(rows)])
