"""Somebody else's network, measured: every signal on its way forward and back, beside what theory expects of it."""

from ._learning import out_of_reach, plain_weights
from ._losses import SMOOTH, Compared, check_targets, compare
from ._measures import Layer, layers_of
from ._operations import ACTIVATIONS, MATRICES, WEIGHTS
from ._runs import (
    Inputs,
    directions_of,
    forward,
    gradients_of,
    line_between,
    refuse_company,
    refuse_dependence,
    statistics_of,
    tensors_of,
)
from ._signals import Signal

__all__ = [
    "ACTIVATIONS", "MATRICES", "SMOOTH", "WEIGHTS", "Compared", "Inputs", "Layer", "Signal", "check_targets", "compare",
    "directions_of", "forward", "gradients_of", "layers_of", "line_between", "out_of_reach", "plain_weights",
    "refuse_company", "refuse_dependence", "statistics_of", "tensors_of",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted(__all__)
