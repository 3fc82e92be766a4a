"""Gradients of random deep networks: their theory, their simulation, their measures.

The helper package of the executable book *Shattered gradients*. What one calls first stands here; each room holds the
rest of its subject. Rooms that need much, such as a plotting library, are loaded when they are first asked for.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import TYPE_CHECKING

from . import checks, diagnosis, initializers, networks, sampling, structure, theory
from ._glue import glue
from .diagnosis import diagnose
from .initializers import he_, looks_linear_, orthogonal_
from .networks import CReLU
from .sampling import input_gradients, sample_activations, sample_gradients

__all__ = [
    "sample_gradients", "sample_activations", "input_gradients", "CReLU", "looks_linear_", "orthogonal_", "he_",
    "diagnose", "checks", "diagnosis", "exercises", "initializers", "lab", "networks", "plots", "sampling",
    "structure", "theory", "glue", "__version__",
]  # fmt: skip

try:
    __version__ = version("shattered-lite")
except PackageNotFoundError:  # a source tree on the path, which nobody has installed
    __version__ = "0+source"

if TYPE_CHECKING:
    from . import exercises, lab, plots
else:  # hidden from type checkers, which would take any name for a room

    def __getattr__(name: str) -> ModuleType:
        """Load a room when it is first asked for."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(f".{name}", __name__)


def __dir__() -> list[str]:
    return sorted(__all__)
