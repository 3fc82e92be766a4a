r"""What should come out: closed forms and recursions, in NumPy and float64.

``depth`` counts the gated layers between the neuron and the output, and may be an array wherever that makes sense.
"""

from .activations import ACTIVATIONS, Activation, Averages, averages, hermite_coefficients, leaky_relu
from .activity import (
    ArcCosine,
    arc_cosine,
    centred_coactivation,
    centred_length,
    constant_units,
    cosines,
    expected_runs,
)
from .batch_norm import BatchAverages, batch_averages, plain_batch_norm, residual_batch_norm
from .moments import Moments
from .scalar import autocorrelation, grid_covariance, scalar_covariance
from .skips import (
    highway,
    highway_uncentred,
    residual,
    residual_idealised,
    residual_layer_norm,
    residual_uncentred,
)
from .theorem_1 import plain, plain_centred, plain_kurtosis, plain_uncentred

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "ArcCosine",
    "Averages",
    "BatchAverages",
    "Moments",
    "arc_cosine",
    "autocorrelation",
    "averages",
    "batch_averages",
    "centred_coactivation",
    "centred_length",
    "constant_units",
    "cosines",
    "expected_runs",
    "grid_covariance",
    "hermite_coefficients",
    "highway",
    "highway_uncentred",
    "leaky_relu",
    "plain",
    "plain_batch_norm",
    "plain_centred",
    "plain_kurtosis",
    "plain_uncentred",
    "residual",
    "residual_batch_norm",
    "residual_idealised",
    "residual_layer_norm",
    "residual_uncentred",
    "scalar_covariance",
]
