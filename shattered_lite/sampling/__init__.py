r"""Gradients of many random networks at once, without differentiating through them.

A network maps an input to preactivations $z_0 = V x$ with $V_{kd} \sim N(0, 1)$, then passes ``depth`` gated layers,

$$z_l = W_l\, \varphi(\hat z_{l-1}) \quad\text{(plain)}, \qquad
  z_l = \alpha\,(z_{l-1} + \beta\, W_l\, \varphi(\hat z_{l-1})) \quad\text{(residual)}, \qquad
  z_l = \gamma_1 z_{l-1} + \gamma_2 W_l\, \varphi(\hat z_{l-1}) \quad\text{(highway)},$$

with $W_l \sim N(0, 2/N)$ and the rectifier $\varphi = \rho$ unless told otherwise, and $\gamma_1^2 + \gamma_2^2 = 1$;
the outputs are the units of $z_L$. The hat normalises each unit over the inputs, or each input over the units; the skip
carries the state as it was before that. The first gated layer is never normalised, because centred scalar inputs would
put every kink of that layer at the same point. Values and tangents travel forwards together, so memory does not grow
with depth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from numbers import Integral

import torch
from torch import Tensor

from .. import theory
from .._arguments import drawn_by
from . import layers
from .ensemble import Ensemble, Gates, Kind, Method, Normalisation, Scale, Statistics
from .ensemble import increasing as _increasing
from .ensemble import whole as _whole
from .frozen import freeze
from .modules import input_gradients

__all__ = ["freeze", "input_gradients", "sample_activations", "sample_gradients"]

CHUNK_BYTES = 2 * 2**20  # networks are sampled in chunks whose state fits in the processor's cache
ROUNDINGS = 100  # inputs that differ by less have no digits left to be told apart by


def sample_gradients(
    kind: Kind,
    *,
    depth: int | Sequence[int],
    width: int,
    inputs: Tensor,
    networks: int,
    generator: torch.Generator | None = None,
    outputs: int = 1,
    normalisation: Normalisation = "none",
    statistics: Statistics = "frozen",
    alpha: Scale = 1.0,
    beta: Scale = 1.0,
    gamma1: Scale | None = None,
    activation: theory.Activation | str | Callable[[Tensor], Tensor] = "relu",
    variance: float = 2.0,
    gates: Gates = "own",
    method: Method = "weights",
) -> Tensor:
    r"""Gradients of the outputs of independent random networks, at each input.

    For scalar inputs the gradient is the slope $\partial f/\partial x$ of a network with input weights and biases
    $N(0, 1)$. For vector inputs it is the gradient of Definition 1, with respect to a neuron $n$ of the layer before
    $z_0$: one direction of that wide layer, orthogonal to every input.

    Parameters
    ----------
    kind : {"plain", "residual", "highway"}
        Without a skip around every gated layer, or with one, as in the formulas above.
    depth : int or sequence of int
        Gated layers $L \ge 1$; or several depths, increasing, at which the same networks are looked at.
    width : int
        Units $N \ge 1$ of each layer.
    inputs : Tensor, shape (inputs,) or (inputs, fan_in)
        Scalars, or vectors; a vector of length 1 gives preactivations of variance 1. Its dtype is the dtype of the
        computation.
    networks : int
        Number of independent networks.
    generator : torch.Generator, optional
        Source of all randomness; by default torch's own.
    outputs : int
        How many of the ``width`` outputs to return.
    normalisation : {"none", "centred", "batch", "layer"}
        What happens before a gate: nothing; subtract each unit's mean over the inputs; batch norm, which also divides
        by its standard deviation; or layer norm, which does the same over the units of each input.
    statistics : {"frozen", "differentiated"}
        Means and deviations of the normalisation are constant in the gradient; or they move too, when the neuron $n$
        (or the scalar input) moves at all inputs together.
    alpha, beta : float or sequence of float
        Scales of a residual layer (Equation 2 of the paper), alpha positive and beta 0 or more; a sequence has one for
        each of the (deepest) ``depth``.
    gamma1 : float or sequence of float
        Coefficient of a highway network's skip, in [0, 1]; the branch has $\gamma_2 = \sqrt{1 - \gamma_1^2}$.
    activation : str, Activation, nn.Module or callable
        As for :func:`shattered_lite.theory.activation`, such as ``"mish"`` or ``nn.Mish()``; the rectifier is the
        fastest, and an :class:`Activation` of NumPy the slowest, since it takes every number there and back.
    variance : float
        $N \sigma^2$, with $\sigma^2$ the variance of a weight: 2 for a rectifier.
    gates : {"own", "independent"}
        Gates that the preactivations decide; or fair coins, independent over units and inputs: the assumption of the
        paper's theorems, for rectifiers only.
    method : {"weights", "gram"}
        Draw every weight matrix; or draw only the preactivations, whose law given the layer before is
        $N(0, \sigma^2 Z^\top Z)$ independently for each unit. Same law; the second is faster up to about 16 inputs.

    Returns
    -------
    Tensor, shape (networks, inputs, outputs), or (depths, networks, inputs, outputs) for a sequence of depths
        Dimensionless.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed, or units are to be normalised over inputs that differ by no more than
        rounding.

    References
    ----------
    Balduzzi et al. (2017), Definition 1, Equation 2 and Section 3.3; Burkholz and Dubatovka (2019) for the law of a
    layer given the last. Used in every chapter.
    """
    depths = list(depth) if isinstance(depth, Sequence) else [depth]
    if isinstance(depth, Sequence):
        _increasing("depth", depths)
    ensemble = Ensemble(
        kind, depths[-1], width, normalisation, statistics, alpha, beta, gamma1, activation, variance, gates, method
    )
    if not isinstance(outputs, Integral) or isinstance(outputs, bool) or not 1 <= outputs <= width:
        raise ValueError(f"outputs={outputs}: choose between 1 and width={width} outputs")

    def sample(networks: int, generator: torch.Generator) -> Tensor:
        states = enumerate(layers.preactivations(ensemble, inputs, networks, generator))
        return torch.stack([state[:, 1, :, :outputs].clone() for layer, state in states if layer in depths])

    gradients = torch.cat(_in_chunks(sample, ensemble, inputs, networks, generator), dim=1)
    return gradients if isinstance(depth, Sequence) else gradients[0]


def sample_activations(
    kind: Kind,
    *,
    depths: Sequence[int],
    width: int,
    inputs: Tensor,
    networks: int,
    generator: torch.Generator | None = None,
    normalisation: Normalisation = "none",
    alpha: Scale = 1.0,
    beta: Scale = 1.0,
    gamma1: Scale | None = None,
    method: Method = "weights",
) -> Tensor:
    """Activations (which units are on) of independent random rectifier networks, at each input.

    Parameters
    ----------
    depths : sequence of int
        Gated layers to look at, increasing from 1.
    kind, width, inputs, networks, generator, normalisation, alpha, beta, gamma1, method
        As in :func:`sample_gradients`.

    Returns
    -------
    Tensor of bool, shape (depths, networks, inputs, width)
        Whether the unit's (normalised) preactivation is positive.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed.

    References
    ----------
    Balduzzi et al. (2017), Section 2. Used in the chapter *Who is active with whom*.
    """
    _increasing("depths", depths)
    ensemble = Ensemble(kind, max(depths), width, normalisation, alpha=alpha, beta=beta, gamma1=gamma1, method=method)

    def sample(networks: int, generator: torch.Generator) -> Tensor:
        states = layers.preactivations(ensemble, inputs, networks, generator)
        normalised = enumerate((layers.normalise(ensemble, state, layer) for layer, state in enumerate(states, 1)), 1)
        return torch.stack([state[:, 0] > 0 for layer, state in normalised if layer in depths])

    return torch.cat(_in_chunks(sample, ensemble, inputs, networks, generator), dim=1)


def _in_chunks(
    sample: Callable[[int, torch.Generator], Tensor],
    ensemble: Ensemble,
    inputs: Tensor,
    networks: int,
    generator: torch.Generator | None,
) -> list[Tensor]:
    """Sample so many networks at a time that their state fits in a cache, on as many threads as torch may use.

    Drawing normals takes most of the time, and one generator draws on one thread only: each chunk has a generator of
    its own, seeded by the caller's, so that neither the number of threads nor their order changes a result.
    """
    _whole("networks", networks, most=10**9)
    generator = drawn_by(generator)
    if not (isinstance(inputs, Tensor) and inputs.ndim in (1, 2) and inputs.is_floating_point() and inputs.numel()):
        raise ValueError(f"inputs={inputs}: a floating-point tensor of shape (inputs,) or (inputs, fan_in) is needed")
    if not torch.isfinite(inputs).all():
        raise ValueError("inputs: every entry must be finite")
    if ensemble.normalisation in ("centred", "batch"):
        if len(inputs) < 3:
            raise ValueError(f"inputs: {len(inputs)} of them, but normalising a unit over its inputs needs 3 or more")
        columns = layers._input_columns(inputs)[0].double()
        if (columns - columns.mean(0)).norm() <= ROUNDINGS * torch.finfo(inputs.dtype).eps * columns.norm():
            raise ValueError(
                "inputs: they differ by little more than rounding, which normalising would blow up to size 1"
            )
    size = max(1, CHUNK_BYTES // (2 * len(inputs) * ensemble.width * inputs.element_size()))
    sizes = [min(size, networks - start) for start in range(0, networks, size)]
    seeds = torch.randint(2**63 - 1, (len(sizes),), generator=generator).tolist()
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        return list(pool.map(sample, sizes, (torch.Generator().manual_seed(seed) for seed in seeds)))
