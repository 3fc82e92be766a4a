"""Gradients of random deep networks: their theory, their simulation, their measures.

The helper package of the executable book *Shattered gradients*.
"""

from . import (
    checks,
    exercises,
    initializers,
    lab,
    networks,
    plots,
    sampling,
    structure,
    theory,
)
from ._glue import glue
from .sampling import sample_activations, sample_gradients

__all__ = [
    "checks",
    "exercises",
    "glue",
    "initializers",
    "lab",
    "networks",
    "plots",
    "sample_activations",
    "sample_gradients",
    "sampling",
    "structure",
    "theory",
]
