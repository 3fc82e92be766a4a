"""Gradients of random deep networks: their theory, their simulation, their measures.

The helper package of the executable book *Shattered gradients*.
"""

from . import (
    checks,
    data,
    exercises,
    grids,
    initializers,
    networks,
    plots,
    records,
    sampling,
    structure,
    sweep,
    theory,
    training,
)
from ._glue import glue
from .sampling import sample_activations, sample_gradients

__all__ = [
    "checks",
    "data",
    "exercises",
    "glue",
    "grids",
    "initializers",
    "networks",
    "plots",
    "records",
    "sample_activations",
    "sample_gradients",
    "sampling",
    "structure",
    "sweep",
    "theory",
    "training",
]
