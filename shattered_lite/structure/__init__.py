r"""What a set of gradients, or of activations, looks like. Pure functions of tensors.

Gradients have shape ``(..., inputs, outputs)``, curves ``(..., inputs)``, activations ``(..., inputs, width)``: of one
network or, along the leading axes, of many. The last axis of gradients holds whatever is averaged over: outputs, as the
samplers return them, or the entries of an input, as :func:`shattered_lite.input_gradients` does. Gradients and curves
may have any real dtype, but no entry that is infinite or not a number; measures are computed and returned in float64.
Where tensors are too large to be kept, some measures take the covariance ``(inputs, inputs)`` that is left of them.
"""

from ._covariances import line_correlation, line_curvature, line_structure, pair_moments_without_each
from ._curves import autocorrelation
from ._gates import coactivation, contiguity
from ._gradients import correlation, covariance, effective_rank, mean_gradient_norm, pair_moments
from ._scale import gradient_scale_coefficient

__all__ = [
    "autocorrelation", "coactivation", "contiguity", "correlation", "covariance", "effective_rank",
    "gradient_scale_coefficient", "line_correlation", "line_curvature", "line_structure", "mean_gradient_norm",
    "pair_moments", "pair_moments_without_each",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted(__all__)
