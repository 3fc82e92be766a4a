"""Plain, residual, highway, concatenated and linear networks, fully connected and convolutional, and what they cost.

A network is a stem, gated layers and a head, as an ordinary module. ``depth`` counts the gates, as in
:mod:`shattered_lite.theory`.
"""

from ._convolution import convolutional
from ._costs import flops, matching_width, parameters
from ._dense import fully_connected
from ._layers import CReLU, ModuleKind, Residual

__all__ = [
    "CReLU", "ModuleKind", "Residual", "convolutional", "flops", "fully_connected", "matching_width", "parameters",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted(__all__)
