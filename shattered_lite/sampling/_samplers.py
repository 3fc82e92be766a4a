"""Gradients and activations of many networks, a chunk at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from numbers import Integral

import torch
from torch import Tensor

from .. import theory
from .._arguments import drawn_by, whole
from .._modules import check_numbers
from ..theory import Statistics
from . import _layers as layers
from ._ensemble import Ensemble, EnsembleKind, Gates, Method, Normalisation, Scale, depths_of

CHUNK_BYTES = 2 * 2**20  # networks are sampled in chunks whose state fits in the processor's cache
ROUNDINGS = 100  # inputs that differ by less have no digits left to be told apart by
CLOSE = 1e-6  # a Gram matrix holds squares, and so half of the digits, of how inputs differ
UNITS_PER_INPUT = 12  # both methods took the same time at 6 to 15, for widths of 30 to 2,000 on one thread, in float32


def sample_gradients(
    kind: EnsembleKind,
    *,
    depth: int | Sequence[int],
    width: int,
    inputs: Tensor,
    networks: int,
    generator: torch.Generator | None = None,
    outputs: int | None = None,
    normalisation: Normalisation = "none",
    statistics: Statistics = "frozen",
    alpha: Scale = 1.0,
    beta: Scale = 1.0,
    gamma1: Scale | None = None,
    activation: theory.Activation | str | Callable[[Tensor], Tensor] = "relu",
    variance: float = 2.0,
    gates: Gates = "real",
    method: Method = "auto",
) -> Tensor:
    r"""Gradients of the outputs of independent random networks, at each input.

    For scalar inputs the gradient is the slope $\partial f/\partial x$ of a network with input weights and biases
    $N(0, 1)$. For vector inputs it is the gradient of Definition 1, with respect to a neuron $n$ of the layer before
    $z_0$: one direction of that wide layer, orthogonal to every input.

    Parameters
    ----------
    kind : {"plain", "residual", "highway"}
        Without a skip around every gated layer, or with one, as in the formulas of :mod:`shattered_lite.sampling`.
    depth : int or sequence of int
        Gated layers $L \ge 1$; or several depths, increasing, at which the same networks are looked at.
    width : int
        Units $N \ge 1$ of each layer.
    inputs : Tensor, shape (inputs,) or (inputs, fan_in)
        Scalars, or vectors; a vector of length 1 gives preactivations of variance 1. The computation has their dtype,
        and runs where they lie.
    networks : int
        Number of independent networks.
    generator : torch.Generator, optional
        Source of all randomness; by default torch's own. Numbers are drawn where the generator lies, and moved: one on
        the CPU gives the same networks on every device, one on the GPU spares the way there.
    outputs : int, optional
        How many of the ``width`` outputs to return; by default all.
    normalisation : {"none", "centred", "batch_norm", "layer_norm"}
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
        fastest, and an :class:`~shattered_lite.theory.Activation` of NumPy the slowest, since it takes every number
        there and back.
    variance : float
        $N \sigma^2$, with $\sigma^2$ the variance of a weight: 2 for a rectifier.
    gates : {"real", "independent"}
        Gates that the preactivations decide; or fair coins, independent over units and inputs: the assumption of the
        paper's theorems, for rectifiers only.
    method : {"auto", "weights", "gram"}
        Draw every weight matrix; or draw only the preactivations, whose law given the layer before is
        $N(0, \sigma^2 Z^\top Z)$ independently for each unit. Same law. ``"auto"`` takes the second where there are 12
        units or more for each input, since from about there on it is faster; and the first where there are fewer, or
        where units are normalised over inputs that differ by less than $10^{-6}$ of their size, which a Gram matrix
        cannot tell apart.

    Returns
    -------
    Tensor, shape (networks, inputs, outputs), or (depths, networks, inputs, outputs) for a sequence of depths
        Dimensionless.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed, or units are to be normalised over inputs that differ by no more than
        rounding, or than the method can tell apart.

    References
    ----------
    Balduzzi et al. (2017), Definition 1, Equation 2 and Section 3.3; Burkholz and Dubatovka (2019) for the law of a
    layer given the last. Used in every chapter.

    Examples
    --------
    >>> gradients = sl.sample_gradients(
    ...     "plain", depth=[1, 2, 4], width=100, inputs=torch.eye(8), networks=300, normalisation="centred",
    ...     generator=generator,
    ... )
    >>> gradients.shape
    torch.Size([3, 300, 8, 100])
    >>> [round(sl.structure.correlation(at_depth).item(), 2) for at_depth in gradients]
    [0.51, 0.23, 0.05]
    """
    depths = depths_of(depth)
    law = Ensemble(
        kind=kind, depth=depths[-1], width=width, normalisation=normalisation, statistics=statistics, alpha=alpha,
        beta=beta, gamma1=gamma1, activation=activation, variance=variance, gates=gates, method=method,
    )  # fmt: skip
    ensemble = _fit_to_inputs(law, inputs)
    if outputs is not None:
        whole("outputs", outputs, most=width, allowed=f"choose between 1 and width={width} outputs")

    def sample(networks: int, generator: torch.Generator) -> Tensor:
        states = enumerate(layers.preactivations(ensemble, inputs, networks, generator))
        return torch.stack([state[:, 1, :, :outputs].clone() for layer, state in states if layer in depths])

    gradients = torch.cat(_in_chunks(sample, ensemble, inputs, networks, generator), dim=1)
    return gradients[0] if isinstance(depth, Integral) else gradients


def sample_activations(
    kind: EnsembleKind,
    *,
    depth: int | Sequence[int],
    width: int,
    inputs: Tensor,
    networks: int,
    generator: torch.Generator | None = None,
    normalisation: Normalisation = "none",
    alpha: Scale = 1.0,
    beta: Scale = 1.0,
    gamma1: Scale | None = None,
    method: Method = "auto",
) -> Tensor:
    """Activations (which units are on) of independent random rectifier networks, at each input.

    Parameters
    ----------
    kind, depth, width, inputs, networks, generator, normalisation, alpha, beta, gamma1, method
        As in :func:`sample_gradients`.

    Returns
    -------
    Tensor of bool, shape (networks, inputs, width), or (depths, networks, inputs, width) for a sequence of depths
        Whether the (normalised) preactivation that the unit's gate in the gated layer ``depth`` sees is positive.

    Raises
    ------
    ValueError
        As :func:`sample_gradients`.

    References
    ----------
    Balduzzi et al. (2017), Section 2. Used in the chapter *Who is active with whom*.

    Examples
    --------
    >>> active = sl.sample_activations("plain", depth=5, width=50, inputs=torch.linspace(-2, 2, 64), networks=10)
    >>> active.shape, sl.structure.coactivation(active).shape
    (torch.Size([10, 64, 50]), torch.Size([10]))
    """
    depths = depths_of(depth)
    law = Ensemble(
        kind=kind, depth=depths[-1], width=width, normalisation=normalisation, alpha=alpha, beta=beta, gamma1=gamma1,
        method=method,
    )  # fmt: skip
    ensemble = _fit_to_inputs(law, inputs)

    def sample(networks: int, generator: torch.Generator) -> Tensor:
        states = layers.preactivations(ensemble, inputs, networks, generator)
        normalised = enumerate((layers.normalise(ensemble, state, layer) for layer, state in enumerate(states, 1)), 1)
        return torch.stack([state[:, 0] > 0 for layer, state in normalised if layer in depths])

    active = torch.cat(_in_chunks(sample, ensemble, inputs, networks, generator), dim=1)
    return active[0] if isinstance(depth, Integral) else active


def _fit_to_inputs(ensemble: Ensemble, inputs: Tensor) -> Ensemble:
    """Refuse inputs that the networks cannot take, and choose the method where nobody has."""
    _refuse_what_cannot_be_squared(inputs)
    fast: Method = "gram" if ensemble.width >= UNITS_PER_INPUT * len(inputs) else "weights"
    if ensemble.normalisation in ("centred", "batch_norm"):
        if len(inputs) < 3:
            raise ValueError(f"inputs: {len(inputs)} of them, but normalising a unit over its inputs needs 3 or more")
        columns = layers.input_columns(inputs)[0].double()
        difference = ((columns - columns.mean(0)).norm() / columns.norm()).item()  # nan where all are zero
        if not difference > ROUNDINGS * torch.finfo(inputs.dtype).eps:
            raise ValueError(
                "inputs: they differ by little more than rounding, which normalising would blow up to size 1"
            )
        if difference < CLOSE:
            fast = "weights"
            if ensemble.method == "gram":
                raise ValueError(
                    f"inputs: they differ by {difference:.1g} of their size, but method='gram' tells nothing below "
                    f"{CLOSE:g} apart; choose 'weights'"
                )
    return replace(ensemble, method=fast) if ensemble.method == "auto" else ensemble


def _refuse_what_cannot_be_squared(inputs: Tensor) -> None:
    if not (isinstance(inputs, Tensor) and inputs.ndim in (1, 2) and inputs.is_floating_point() and inputs.numel()):
        raise ValueError(f"inputs={inputs}: a floating-point tensor of shape (inputs,) or (inputs, fan_in) is needed")
    check_numbers(inputs)
    largest, limits = inputs.abs().max().item(), torch.finfo(inputs.dtype)
    least, most = limits.tiny**0.4, limits.max**0.4  # so that squares, and sums of many, are numbers too
    if largest != 0 and not least <= largest <= most:
        raise ValueError(
            f"inputs: the largest is {largest:.2g} in size, but {inputs.dtype} squares numbers from {least:.0e} to "
            f"{most:.0e}; scale them, or choose a wider dtype"
        )


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
    whole("networks", networks, most=10**9)
    generator = drawn_by(generator)
    size = max(1, CHUNK_BYTES // (2 * len(inputs) * ensemble.width * inputs.element_size()))
    sizes = [min(size, networks - start) for start in range(0, networks, size)]
    source = generator.device
    seeds = torch.randint(2**63 - 1, (len(sizes),), generator=generator, device=source).tolist()
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        return list(pool.map(sample, sizes, (torch.Generator(source).manual_seed(seed) for seed in seeds)))
