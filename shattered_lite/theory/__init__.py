r"""What should come out: closed forms and recursions, in NumPy and float64.

``depth`` counts the gated layers between the neuron and the output, and may be an array wherever that makes sense.
"""

from .activity import (
    ArcCosine,
    arc_cosine,
    centred_coactivation,
    centred_length,
    constant_units,
    cosines,
    expected_runs,
)
from .scalar import autocorrelation, grid_covariance, scalar_covariance
from .theorem_1 import Moments, plain, plain_batch_norm, plain_centred, plain_kurtosis, plain_uncentred

__all__ = [
    "ArcCosine",
    "Moments",
    "arc_cosine",
    "autocorrelation",
    "centred_coactivation",
    "centred_length",
    "constant_units",
    "cosines",
    "expected_runs",
    "grid_covariance",
    "plain",
    "plain_batch_norm",
    "plain_centred",
    "plain_kurtosis",
    "plain_uncentred",
    "scalar_covariance",
]
