"""How a mutation reaches what it breaks."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

import shattered_lite as sl
from shattered_lite.sampling import _layers as layers

Patch = pytest.MonkeyPatch


def in_theory(patch: Patch, name: str, replacement: Callable) -> None:
    """Replace a function of the theory wherever the theory or a chapter calls it."""
    rooms = [room for room in vars(sl.theory).values() if isinstance(room, ModuleType)]
    for module in (sl.theory, *rooms):
        if hasattr(module, name) and not isinstance(getattr(module, name), ModuleType):
            patch.setattr(module, name, replacement)


def scale_weights(patch: Patch, factor: float) -> None:
    for name in ("_mix_by_weights", "_mix_by_gram"):
        original = getattr(layers, name)
        patch.setattr(layers, name, lambda b, variance, g, original=original: original(b, factor * variance, g))
