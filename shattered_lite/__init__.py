"""Gradients of random deep networks: their theory, their simulation, their measures.

The helper package of the executable book *Shattered gradients*.
"""

from . import checks, data, exercises, initializers, networks, plots, sampling, structure, theory, training
from ._glue import glue
from .sampling import sample_activations, sample_gradients

__all__ = [
    "checks",
    "data",
    "exercises",
    "glue",
    "initializers",
    "networks",
    "plots",
    "sample_activations",
    "sample_gradients",
    "sampling",
    "structure",
    "theory",
    "training",
]
