"""Mistakes made on purpose: each breaks one thing in the simulation or in the theory.

Every public function of a module here is a mutation; ``book/claims.yml`` says which check each must turn red.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from . import (
    activations,
    batch_norm,
    curve,
    diagnosed,
    explode,
    given,
    highway,
    images,
    kernel,
    plain,
    recorded,
    residual,
    starts,
    very_deep,
)

MODULES = (
    plain, batch_norm, highway, residual, curve, kernel, given, activations, images, very_deep, explode, diagnosed,
    starts, recorded,
)  # fmt: skip
MUTATIONS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    name: function
    for module in MODULES
    for name, function in vars(module).items()
    if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
}
