r"""What a step on one example does to another: the tangent kernel of a wide network."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .._arguments import one_of, truth
from . import _accepted
from ._accepted import Array
from ._activations import Spelling
from ._batch_norm import Statistics
from ._dual import Dual, dual
from ._moments import deepest, shown
from ._similarity import similarity


class TangentKernel(NamedTuple):
    r"""Inner products of the gradients by the weights, $\Theta(i, j) = \nabla_W f(i) \cdot \nabla_W f(j)$.

    Attributes
    ----------
    relative : ndarray
        $\Theta(i, j)/\Theta(i, i)$: 1 for identical inputs; for orthogonal ones the constant part $T$.
    log_own : ndarray
        $\log \Theta(i, i)$, where the values that enter have variance 1 and weights are measured in their standard
        deviations.

    Examples
    --------
    >>> kernel = sl.theory.tangent_kernel(12, cosine=[0.0, 0.9], centred=True, normalised=True)
    >>> kernel.relative.round(4)
    array([0.0055, 0.0327])
    """

    relative: Array
    log_own: Array

    def __repr__(self) -> str:
        return shown(self, "relative", "own")

    @property
    def own(self) -> Array:
        r"""$\Theta(i, i)$, dimensionless; infinite where it exceeds the largest number of float64."""
        with np.errstate(over="ignore"):
            return np.exp(self.log_own)


def tangent_kernel(
    depth: ArrayLike,
    *,
    cosine: ArrayLike = 0.0,
    kept: ArrayLike = 0.0,
    added: ArrayLike = 1.0,
    activation: Spelling = "relu",
    centred: bool = False,
    normalised: bool = False,
    statistics: Statistics = "frozen",
    readout: bool = False,
) -> TangentKernel:
    r"""The tangent kernel of one unit of a network of infinite width, as a function of the similarity of two inputs.

    The weights of layer $l$ contribute what enters them times what comes back to them. In the terms of
    :func:`similarity`, with $b_l = \text{added}_l\, S_l$,

    $$\Theta = \sum_{l=1}^{L} b_l\, \hat\varphi(c_{l-1}) \prod_{m > l} F_m, \qquad
      F_m = \text{kept}_m + \frac{b_m}{v_{m-1}}\, \hat\varphi'(c_{m-1}), \qquad c_l = K_l/v_l .$$

    Means and deviations of a centred or normalised branch are held fixed in the gradient (frozen). If a centred
    branch's mean moves with the weights (differentiated), no gradient passes that all inputs share: $\hat\varphi(0)$
    goes back through skips alone, and $F_m$ multiplies $\hat\varphi(c) - \hat\varphi(0)$.

    The first map, from the input to the $N$ units, is left out: its share vanishes like its fan-in over $N$. Of a
    looks-linear network ``relative`` is the ``cosine`` of :func:`arc_cosine`: it is linear, but its values are not.

    Parameters
    ----------
    depth : array_like of int
        Number $L \ge 1$ of layers.
    cosine, kept, added, activation, centred, normalised
        As for :func:`similarity`, whose table lists the networks; ``added`` is positive.
    statistics : {"frozen", "differentiated"}
        Whether gradients hold the statistics of a batch fixed, or pass through them; the limit of a large batch, in
        which few inputs are alike. Without ``centred`` there is no difference.
    readout : bool
        Whether the output is a linear map of the units, as behind the last skip, whose weights are trained as well:
        it adds the similarity of the units themselves, mean and all. A plain network's last layer is its readout.

    Returns
    -------
    TangentKernel
        Dimensionless; ``relative`` has the shape of ``depth`` followed by that of ``cosine``, ``log_own`` that of
        ``depth`` followed by ones.

    Raises
    ------
    ValueError
        As :func:`similarity`, or if a depth is 0, ``added`` is not positive, or ``statistics`` is unknown.

    References
    ----------
    Jacot et al. (2018) for the kernel; what centring and either statistics make of it is the book's own. Derived in
    the chapter *What shattering costs*.

    Examples
    --------
    >>> sl.theory.tangent_kernel([2, 4, 8, 12], centred=True, normalised=True).relative.round(4)
    array([0.2237, 0.1091, 0.025 , 0.0055])
    >>> sl.theory.tangent_kernel([98], kept=1.0, centred=True, normalised=True, readout=True).relative.round(4)
    array([0.0948])
    """
    one_of("statistics", statistics, Statistics)
    truth("readout", readout)
    layers = _accepted.depths(depth)
    if np.any(layers == 0):
        raise ValueError(f"depth={depth}: without a layer there are no weights; a tangent kernel needs 1 or more")
    deep, start = deepest(layers), _accepted.correlations(cosine)
    branches = _accepted.squared_scales("added", added, deep)
    if not np.all(branches > 0):
        raise ValueError(f"added={added}: the weights of a branch of scale 0 have no gradient; scales are positive")
    curve = similarity(
        np.arange(deep + 1),
        cosine=np.append(start, 1.0),  # the last pair is an input and itself
        kept=kept,
        added=added,
        activation=activation,
        centred=centred,
        normalised=normalised,
    )
    layer = dual(activation)
    log_variance = curve.log_variance[:, 0]
    if normalised:
        branches = branches * np.exp(-log_variance[:-1])
    relative, log_size = _contributions(
        curve.cosine,
        growth=np.exp(np.diff(log_variance)),
        kept=_accepted.squared_scales("kept", kept, deep),
        added=branches,
        layer=layer,
        mean=layer.square_mean if centred and statistics == "differentiated" else 0.0,
        readout=readout,
    )
    return TangentKernel(
        relative[layers - 1, :-1].reshape((*layers.shape, *start.shape)),
        (log_size + log_variance[1:])[layers - 1].reshape((*layers.shape, *(1,) * start.ndim)),
    )


def _contributions(
    cosines: Array, *, growth: Array, kept: Array, added: Array, layer: Dual, mean: float, readout: bool
) -> tuple[Array, Array]:
    """Sums over layers after each layer: relative to those of the last pair, and the logarithm of these.

    All is divided by the variance, and by what the last pair has gathered so far, so that nothing overflows.
    """
    angles = np.arccos(cosines[:-1])
    passed, entering = layer.square_slope - layer.slope_gap(angles), 1 - layer.value_gap(angles)
    through_gates, past_gates, units = np.zeros_like(cosines[0]), 0.0, cosines[0]
    log_unit, relative, log_size = 0.0, np.empty_like(angles), np.empty(len(growth))
    for index, grown in enumerate(growth):
        skip, branch = kept[index] / grown, added[index] / grown
        source = branch * np.exp(-log_unit)
        through_gates = (skip + branch * passed[index]) * through_gates + source * (entering[index] - mean)
        past_gates = skip * past_gates + source * mean
        units = skip * units + source * entering[index]
        total = through_gates + past_gates + (units if readout else 0.0)
        relative[index], log_size[index] = total / total[-1], np.log(total[-1]) + log_unit
        unit = through_gates[-1] + past_gates
        through_gates, past_gates, units = through_gates / unit, past_gates / unit, units / unit
        log_unit += np.log(unit)
    return relative, log_size
