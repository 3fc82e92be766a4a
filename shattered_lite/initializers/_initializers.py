"""He, orthogonal and looks-linear initialisation of a whole module."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

from .._arguments import drawn_by
from . import _layers as layers
from . import _linearity as linearity

Module = TypeVar("Module", bound=nn.Module)


@torch.no_grad()
def he_(module: Module, *, generator: torch.Generator | None = None) -> Module:
    r"""He initialisation, weights $N(0, 2/\text{fan\_in})$: keeps second moments through rectifiers.

    Parameters
    ----------
    module : nn.Module
        Changed in place.
    generator : torch.Generator, optional
        Source of all randomness, by default torch's own; its device may be another than the module's.

    Returns
    -------
    nn.Module
        The same module.

    Raises
    ------
    ValueError
        If the module has no ``nn.Linear`` or ``nn.Conv2d``; holds a matrix in a layer of another kind; or has a layer
        whose weight comes from other parameters, is not there yet (lazy, meta) or is not real. Nothing is changed then.

    References
    ----------
    He et al. (2015). Used in the chapter *Looks linear*.

    Examples
    --------
    >>> layer = sl.he_(nn.Linear(1_000, 1_000), generator=generator)
    >>> round(layer.weight.var().item(), 4)
    0.002
    """
    generator = drawn_by(generator)

    def gaussian(like: Tensor, _: bool) -> Tensor:
        drawn = torch.empty_like(like, device=generator.device)
        return nn.init.kaiming_normal_(drawn, nonlinearity="relu", generator=generator)

    for layer, weight in layers.draws(layers.find(module), gaussian):
        layers.write(layer, weight)
    return module


@torch.no_grad()
def orthogonal_(module: Module, *, generator: torch.Generator | None = None) -> Module:
    r"""Orthogonal initialisation of dense layers and orthogonal convolution.

    A dense weight has orthonormal columns where it widens ($O^\top O = I$: an isometry) and orthonormal rows where it
    narrows ($O O^\top = I$: a projection). A convolution has such a matrix at the centre of its kernel and zeros
    elsewhere, which acts on every pixel alone: with padding that keeps the image's size it inherits the property.

    Parameters
    ----------
    module : nn.Module
        Changed in place.
    generator : torch.Generator, optional
        Source of all randomness, by default torch's own; its device may be another than the module's.

    Returns
    -------
    nn.Module
        The same module.

    Raises
    ------
    ValueError
        As :func:`he_`; or if a convolution has an even kernel, a stride, groups, or padding that changes the image's
        size. Nothing is changed then.

    References
    ----------
    Saxe et al. (2014); Xiao et al. (2018); Balduzzi et al. (2017), Section 5. Used in the chapter *Looks linear*.

    Examples
    --------
    >>> layer = sl.orthogonal_(nn.Linear(3, 5))
    >>> torch.allclose(layer.weight.T @ layer.weight, torch.eye(3), atol=1e-5)
    True
    """
    generator = drawn_by(generator)
    found = layers.find(module)
    layers.refuse_if_not_isometric(found)
    for layer, matrix in layers.draws(found, lambda w, _: orthogonal(w.shape[0], w.shape[1], w, generator)):
        set_centre(layer, matrix)
    return module


@torch.no_grad()
def looks_linear_(module: Module, *, example: Tensor | None = None, generator: torch.Generator | None = None) -> Module:
    r"""Looks-linear initialisation: a concatenated-rectifier network that starts as an orthogonal linear map.

    A layer that follows a :class:`~shattered_lite.CReLU` gets $[O, -O]$, so that
    $O\rho(z) - O\rho(-z) = O z$; any other layer gets $O$ itself. $O$ is as in :func:`orthogonal_`. Layers are taken
    in the order in which the module holds them, which must be the order in which data passes. Where no layer has fewer
    outputs than it has inputs before its gate, distances between inputs are kept exactly.

    What a ``forward`` of your own does cannot be seen from the modules inside: ``F.relu``, a CReLU written as a
    function, or another order pass unnoticed there. An ``example`` shows them.

    Parameters
    ----------
    module : nn.Module
        Changed in place. Its only nonlinearities are ``CReLU``.
    example : Tensor, optional
        A batch of inputs as the module takes it. If given, the new network $f$ is tried, as it stands (training or
        evaluation) but in float64, on it and its mirror image: is $f(2x - 4y) = 2 f(x) - 4 f(y) + 3 f(0)$?
        Buffers and the global random state stay as they are.
    generator : torch.Generator, optional
        Source of all randomness, by default torch's own; its device may be another than the module's.

    Returns
    -------
    nn.Module
        The same module.

    Raises
    ------
    ValueError
        As :func:`orthogonal_`; or if the module has no CReLU, has a normalisation or another gate (which are not
        linear), has a gate with no layer behind it, a layer whose number of inputs does not fit the gates registered
        before it, or layers that share a weight of which one needs $O$ and another $[O, -O]$; or if the network is not
        linear on ``example``, or random. Nothing is changed then.

    References
    ----------
    Balduzzi et al. (2017), Section 5. Used in the chapter *Looks linear*.

    Examples
    --------
    >>> network = sl.looks_linear_(nn.Sequential(nn.Linear(4, 6), sl.CReLU(), nn.Linear(12, 6)))
    >>> inputs = torch.eye(4)
    >>> torch.allclose(network(-inputs), -network(inputs), atol=1e-5)
    True
    >>> torch.allclose(torch.pdist(network(inputs)), torch.pdist(inputs))
    True
    """
    generator = drawn_by(generator)
    if example is not None:
        linearity.refuse_if_no_example(example)

    found = linearity.find_mirrored(module)
    with layers.restored_on_refusal(found, generator):
        mirror(found, generator)
        if example is not None:
            linearity.refuse_if_not_linear(module, example)
    return module


def mirror(found: list[layers.Place], generator: torch.Generator) -> None:
    """Draw the weights of a network that looks linear."""

    def matrix(like: Tensor, mirrored: bool) -> Tensor:
        fan_out, fan_in = like.shape[:2]
        block = orthogonal(fan_out, fan_in // 2 if mirrored else fan_in, like, generator)
        return torch.cat([block, -block], dim=1) if mirrored else block

    for layer, drawn in layers.draws(found, matrix):
        set_centre(layer, drawn)


def orthogonal(fan_out: int, fan_in: int, like: Tensor, generator: torch.Generator) -> Tensor:
    """At least float32, since no QR decomposition exists below; where the generator is."""
    precise = torch.promote_types(like.dtype, torch.float32)
    drawn = torch.empty(fan_out, fan_in, dtype=precise, device=generator.device)
    return nn.init.orthogonal_(drawn, generator=generator)


def set_centre(layer: layers.Layer, matrix: Tensor) -> None:
    """Make it the weight, or of a kernel the part that acts on every pixel alone."""
    weight = torch.zeros_like(layers.source(layer))
    centre = weight if weight.ndim == 2 else weight[:, :, weight.shape[2] // 2, weight.shape[3] // 2]
    centre.copy_(matrix)
    layers.write(layer, weight)
