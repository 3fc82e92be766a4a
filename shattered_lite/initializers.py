r"""Initialisers of a whole module, in place, in the manner of ``torch.nn.init``.

Each visits every ``nn.Linear`` and ``nn.Conv2d`` of the module, sets its bias to zero, and returns the module.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import torch
from torch import Tensor, nn

from .networks import CReLU

Module = TypeVar("Module", bound=nn.Module)
Layer = nn.Linear | nn.Conv2d
NONLINEAR = {
    f"torch.nn.modules.{kind}" for kind in ("activation", "batchnorm", "dropout", "instancenorm", "normalization")
}
MAXIMA = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)


@torch.no_grad()
def he_(module: Module, *, generator: torch.Generator) -> Module:
    r"""He initialisation, weights $N(0, 2/\text{fan\_in})$: keeps second moments through rectifiers.

    Parameters
    ----------
    module : nn.Module
        Changed in place.
    generator : torch.Generator
        Source of all randomness.

    Returns
    -------
    nn.Module
        The same module.

    Raises
    ------
    ValueError
        If the module has no linear or two-dimensional convolutional layer, or a convolution of another kind.

    References
    ----------
    He et al. (2015). Used in the chapter *Looks linear*.
    """
    for layer, _ in list(_layers(module)):  # refuse before anything is changed
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
        _zero_bias(layer)
    return module


@torch.no_grad()
def orthogonal_(module: Module, *, generator: torch.Generator) -> Module:
    r"""Orthogonal initialisation of dense layers and orthogonal convolution.

    A dense weight has orthonormal columns where it widens ($O^\top O = I$: an isometry) and orthonormal rows where it
    narrows ($O O^\top = I$: a projection). A convolution has such a matrix at the centre of its kernel and zeros
    elsewhere, which acts on every pixel alone: with padding that keeps the image's size it inherits the property.

    Parameters
    ----------
    module : nn.Module
        Changed in place.
    generator : torch.Generator
        Source of all randomness.

    Returns
    -------
    nn.Module
        The same module.

    Raises
    ------
    ValueError
        If the module has no linear or convolutional layer, or a convolution has an even kernel, a stride, groups, or
        padding that changes the image's size, or is not two-dimensional. Nothing is changed then.

    References
    ----------
    Saxe et al. (2014); Xiao et al. (2018); Balduzzi et al. (2017), Section 5. Used in the chapter *Looks linear*.
    """
    layers = [layer for layer, _ in _layers(module)]
    for layer in layers:
        _refuse_if_not_isometric(layer)
    for layer in layers:
        fan_out, fan_in = layer.weight.shape[:2]
        _set_centre(layer, _orthogonal(fan_out, fan_in, layer.weight, generator))
    return module


@torch.no_grad()
def looks_linear_(module: Module, *, generator: torch.Generator) -> Module:
    r"""Looks-linear initialisation: a concatenated-rectifier network that starts as an orthogonal linear map.

    A layer that follows a :class:`~shattered_lite.networks.CReLU` gets $[O, -O]$, so that
    $O\rho(z) - O\rho(-z) = O z$; any other layer gets $O$ itself. $O$ is as in :func:`orthogonal_`. Layers are taken
    in the order in which the module holds them, which must be the order in which data passes.

    Parameters
    ----------
    module : nn.Module
        Changed in place. Its only nonlinearities are ``CReLU``.
    generator : torch.Generator
        Source of all randomness.

    Returns
    -------
    nn.Module
        The same module.

    Raises
    ------
    ValueError
        As :func:`orthogonal_`; or if the module has no CReLU, has a normalisation or another gate (which are not
        linear), or has a layer whose number of inputs does not fit the gates registered before it. Nothing is changed
        then.

    References
    ----------
    Balduzzi et al. (2017), Section 5. Used in the chapter *Looks linear*.
    """
    if not any(isinstance(child, CReLU) for child in module.modules()):
        raise ValueError("module: no CReLU in it, and a looks-linear network needs concatenated rectifiers")
    for name, child in module.named_modules():
        if type(child).__module__ in NONLINEAR or isinstance(child, MAXIMA):
            raise ValueError(f"module: {name} is a {type(child).__name__}, which is not linear; leave it out")
    layers = list(_layers(module))
    units = 1
    for layer, mirrored in layers:
        _refuse_if_not_isometric(layer)
        _refuse_if_gates_do_not_fit(layer, mirrored, units)
        units = layer.weight.shape[0]
    for layer, mirrored in layers:
        fan_out, fan_in = layer.weight.shape[:2]
        if mirrored:
            half = _orthogonal(fan_out, fan_in // 2, layer.weight, generator)
            _set_centre(layer, torch.cat([half, -half], dim=1))
        else:
            _set_centre(layer, _orthogonal(fan_out, fan_in, layer.weight, generator))
    return module


def _layers(module: nn.Module) -> Iterator[tuple[Layer, bool]]:
    """Yield each layer and whether a CReLU was the last thing before it; a gate used twice counts twice."""
    after_crelu, found = False, False
    for name, child in module.named_modules(remove_duplicate=False):
        if isinstance(child, CReLU):
            after_crelu = True
        elif isinstance(child, nn.Linear | nn.Conv2d):
            yield child, after_crelu
            after_crelu, found = False, True
        elif isinstance(child, nn.modules.conv._ConvNd):
            raise ValueError(f"module: {name} is a {type(child).__name__}; only nn.Linear and nn.Conv2d are known here")
    if not found:
        raise ValueError("module: no nn.Linear or nn.Conv2d in it")


def _refuse_if_gates_do_not_fit(layer: Layer, mirrored: bool, units: int) -> None:
    """The layer before has ``units`` outputs; a CReLU doubles them, flattening or unshuffling multiplies them."""
    fan_in = layer.weight.shape[1]
    if mirrored and fan_in % (2 * units):
        raise ValueError(
            f"module: {layer} follows a CReLU, so its inputs must be a multiple of {2 * units}, not {fan_in}"
        )
    if not mirrored and units > 1 and fan_in == 2 * units:
        raise ValueError(
            f"module: {layer} takes twice the {units} outputs of the layer before it, but no CReLU stands between "
            "them: register gates and layers in the order in which data passes, one gate for each use"
        )


def _refuse_if_not_isometric(layer: Layer) -> None:
    if isinstance(layer, nn.Linear):
        return
    if any(size % 2 == 0 for size in layer.kernel_size):
        raise ValueError(f"kernel_size={layer.kernel_size}: an orthogonal convolution needs a centre, so odd sizes")
    if layer.groups != 1:
        raise ValueError(f"groups={layer.groups}: an orthogonal convolution mixes all channels, so groups=1")
    if any(step != 1 for step in layer.stride):
        raise ValueError(
            f"stride={layer.stride}: a stride drops pixels, so no kernel with one tap is an isometry; "
            "use nn.PixelUnshuffle"
        )
    same = tuple(d * (k - 1) // 2 for d, k in zip(layer.dilation, layer.kernel_size, strict=True))
    padding = (0, 0) if layer.padding == "valid" else layer.padding
    if padding not in ("same", same):
        raise ValueError(f"padding={layer.padding!r}: keep the image's size, so padding={same} or 'same'")


def _orthogonal(fan_out: int, fan_in: int, like: Tensor, generator: torch.Generator) -> Tensor:
    """At least float32, since no QR decomposition exists below; where the generator is."""
    precise = torch.promote_types(like.dtype, torch.float32)
    return nn.init.orthogonal_(
        torch.empty(fan_out, fan_in, dtype=precise, device=generator.device), generator=generator
    )


def _set_centre(layer: Layer, matrix: Tensor) -> None:
    layer.weight.zero_()
    centre = layer.weight
    while centre.ndim > 2:
        centre = centre[..., centre.shape[-1] // 2]
    centre.copy_(matrix)
    _zero_bias(layer)


def _zero_bias(layer: Layer) -> None:
    if layer.bias is not None:
        layer.bias.zero_()
