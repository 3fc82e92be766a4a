"""Plain, residual, concatenated-rectifier and linear networks, fully connected and convolutional, and what they cost.

A network is a stem, gated layers and a head, as an ordinary module. ``depth`` counts the gates, as in
:mod:`shattered_lite.theory`.
"""

from .convolution import convolutional
from .costs import flops, matching_width, parameters
from .dense import fully_connected
from .layers import CReLU, Kind, Residual

__all__ = [
    "CReLU",
    "Kind",
    "Residual",
    "convolutional",
    "flops",
    "fully_connected",
    "matching_width",
    "parameters",
]
