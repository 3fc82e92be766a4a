r"""What should come out: closed forms and recursions, in NumPy and float64.

``depth`` counts the gated layers between the neuron and the output, and may be an array wherever that makes sense;
``batch_size`` is the number of inputs over which a unit is centred or normalised. The statements of Balduzzi et al.
(2017):

Theorem 1
    :func:`plain`; of finite width :func:`plain_finite_width`, without centring :func:`plain_uncentred`.
Theorem 2
    :func:`residual`; without centring :func:`residual_uncentred`.
Theorem 3
    :func:`residual_idealised_batch_norm`; with real batch norm :func:`residual_batch_norm`, with layer norm
    :func:`residual_layer_norm`.
Corollary 1
    :func:`highway`; without centring :func:`highway_uncentred`.
Every network, without batches
    :func:`similarity`: their one curve, of which the others are slopes; and what a step on one input does to another,
    :func:`tangent_kernel`.
One layer
    :func:`through`: an activation at preactivations of any covariance.
A network given operation by operation
    :func:`mean_squares` of its signals and :func:`gradient_covariances`, from a list of :class:`Step`.
"""

from ._activations import ACTIVATIONS, Activation, activation, leaky_relu
from ._averages import Averages, averages, hermite_coefficients
from ._batch_norm import BatchAverages, Statistics, batch_averages, plain_batch_norm, residual_batch_norm
from ._gates import (
    ArcCosine,
    arc_cosine,
    centred_coactivation,
    centred_length,
    constant_units,
    cosines,
    expected_runs,
)
from ._highway import highway, highway_uncentred
from ._moments import Moments
from ._plain import plain, plain_finite_width, plain_kurtosis, plain_uncentred
from ._residual import residual, residual_idealised_batch_norm, residual_layer_norm, residual_uncentred
from ._scalar import autocorrelation, grid_covariance, scalar_covariance
from ._similarity import Similarity, similarity
from ._steps import Step, gradient_covariances, mean_squares
from ._tangent import TangentKernel, tangent_kernel
from ._through import Through, through

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "ArcCosine",
    "Averages",
    "BatchAverages",
    "Moments",
    "Similarity",
    "Statistics",
    "Step",
    "TangentKernel",
    "Through",
    "activation",
    "arc_cosine",
    "autocorrelation",
    "averages",
    "batch_averages",
    "centred_coactivation",
    "centred_length",
    "constant_units",
    "cosines",
    "expected_runs",
    "gradient_covariances",
    "grid_covariance",
    "hermite_coefficients",
    "highway",
    "highway_uncentred",
    "leaky_relu",
    "mean_squares",
    "plain",
    "plain_batch_norm",
    "plain_finite_width",
    "plain_kurtosis",
    "plain_uncentred",
    "residual",
    "residual_batch_norm",
    "residual_idealised_batch_norm",
    "residual_layer_norm",
    "residual_uncentred",
    "scalar_covariance",
    "similarity",
    "tangent_kernel",
    "through",
]


def __dir__() -> list[str]:
    return sorted(__all__)
