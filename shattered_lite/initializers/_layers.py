"""The layers that are initialised: finding them, refusing what is not known, and writing their weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import _WeightNorm
from torch.nn.utils.weight_norm import WeightNorm

from ..networks import CReLU

Layer = nn.Linear | nn.Conv2d
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
ENTRYWISE = nn.LayerNorm | nn.RMSNorm  # their scale has the shape of what is normalised, and is no matrix


class Place(NamedTuple):
    """A layer, its name in the module, and whether a CReLU was the last thing before it."""

    name: str
    layer: Layer
    mirrored: bool


def refusal(name: str, child: nn.Module, why: str) -> ValueError:
    """Name the layer and its type; ``why`` goes on from there."""
    return ValueError(f"module: {name or 'it'} is a {type(child).__name__}{why}")


def walk(module: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Yield each module inside, in the order in which they are held; what is used twice comes twice."""
    yield name, module
    if not isinstance(module, Layer):
        for key, child in module._modules.items():
            if child is not None:
                yield from walk(child, f"{name}.{key}" if name else key)


def find(module: nn.Module) -> list[Place]:
    """Find each layer; refuse if it, or any other matrix of the module, is not what it seems or not known here."""
    if not isinstance(module, nn.Module):
        raise ValueError(f"module={module!r}: an nn.Module is needed; torch.nn.init has the initializers of tensors")
    found: list[Place] = []
    after_crelu = False
    for name, child in walk(module):
        _refuse_unknown_matrices(name, child)
        if isinstance(child, Layer):
            _refuse_if_weight_is_not_free(name, child)
            found.append(Place(name, child, after_crelu))
        after_crelu = isinstance(child, CReLU) or (after_crelu and not isinstance(child, Layer))
    if not found:
        raise ValueError("module: no nn.Linear or nn.Conv2d in it")
    for first, place in sharing(found):
        one, other = source(first.layer), source(place.layer)
        if (one.shape, one.stride()) != (other.shape, other.stride()):
            raise refusal(place.name, place.layer, f", whose weight is that of {first.name} in another shape")
    return found


def refuse_if_not_isometric(found: list[Place]) -> None:
    """An orthogonal convolution has one matrix at the centre of its kernel, and acts on every pixel alone."""
    for name, layer in [(place.name, place.layer) for place in found if isinstance(place.layer, nn.Conv2d)]:
        same = tuple(d * (k - 1) // 2 for d, k in zip(layer.dilation, layer.kernel_size, strict=True))
        padding = (0, 0) if layer.padding == "valid" else layer.padding
        if any(size % 2 == 0 for size in layer.kernel_size):
            why = f"kernel_size={layer.kernel_size}: an orthogonal convolution needs a centre, so odd sizes"
        elif layer.groups != 1:
            why = f"groups={layer.groups}: an orthogonal convolution mixes all channels, so groups=1"
        elif any(step != 1 for step in layer.stride):
            why = f"stride={layer.stride}: a stride drops pixels, which is no isometry; use nn.PixelUnshuffle"
        elif padding not in ("same", same):
            why = f"padding={layer.padding!r}: keep the image's size, so padding={same} or 'same'"
        else:
            continue
        raise refusal(name, layer, f" with {why}")


def sharing(found: list[Place]) -> Iterator[tuple[Place, Place]]:
    """Pair each layer with the first one that has the same weight."""
    first: dict[tuple[torch.device, int], Place] = {}
    for place in found:
        weight = source(place.layer)
        yield first.setdefault((weight.device, weight.data_ptr()), place), place


def draws(found: list[Place], draw: Callable[[Tensor, bool], Tensor]) -> Iterator[tuple[Layer, Tensor]]:
    """Pair each layer with what is drawn for it, once for those that share a weight."""
    drawn: dict[int, Tensor] = {}
    for first, place in sharing(found):
        if first is place:
            drawn[id(first)] = draw(source(place.layer), place.mirrored)
        yield place.layer, drawn[id(first)]


def source(layer: Layer) -> Tensor:
    """The parameter of the weight's shape: under weight norm, its direction."""
    norm = _weight_norm(layer)
    return norm[1] if norm else layer.weight


def write(layer: Layer, weight: Tensor) -> None:
    """Make ``weight`` the matrix or kernel with which the layer multiplies, and its bias zero."""
    norm = _weight_norm(layer)
    if norm:
        length, direction, axis = norm
        direction.copy_(weight)
        length.copy_(torch.norm_except_dim(direction, 2, axis))
        direction.masked_fill_(length == 0, 1)  # zero has no direction, and any will do
        if "weight" in vars(layer):  # the old weight norm would renew it in the next forward pass only
            layer.weight = torch._weight_norm(direction, length, axis)
    else:
        layer.weight.copy_(weight)
    if layer.bias is not None:
        layer.bias.zero_()


@contextmanager
def restored_on_refusal(found: list[Place], generator: torch.Generator) -> Iterator[None]:
    """Give the layers and the generator back as they were if anything is raised."""
    state = generator.get_state()
    parameters = [(each, each.clone()) for place in found for each in place.layer.parameters()]
    kept = [(place.layer, dict(vars(place.layer))) for place in found]  # the old weight norm's weight is among them
    try:
        yield
    except BaseException:
        for parameter, value in parameters:
            parameter.copy_(value)
        for layer, attributes in kept:
            vars(layer).update(attributes)
        generator.set_state(state)
        raise


def _weight_norm(layer: Layer) -> tuple[Tensor, Tensor, int] | None:
    """Length, direction and axis of a weight norm, be it a hook (old) or a parametrization (new)."""
    owner: Any = layer
    for hook in layer._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm) and hook.name == "weight":
            return owner.weight_g, owner.weight_v, hook.dim
    steps: Any = owner.parametrizations.weight if parametrize.is_parametrized(layer, "weight") else []
    if [type(step) for step in steps] == [_WeightNorm]:
        return steps.original0, steps.original1, steps[0].dim
    return None


def _refuse_unknown_matrices(name: str, child: nn.Module) -> None:
    for key, parameter in child.named_parameters(recurse=False):
        if nn.parameter.is_lazy(parameter):
            raise refusal(name, child, f", whose {key} has no shape yet; pass a batch through the module first")
        if parameter.ndim >= 2 and not isinstance(child, Layer | ENTRYWISE):
            why = f" with a {key} of shape {tuple(parameter.shape)}; only nn.Linear and nn.Conv2d are known here: "
            cure = "initialise it by itself, and pass the parts of the module that hold no other layers"
            raise refusal(name, child, why + cure)


def _refuse_if_weight_is_not_free(name: str, layer: Layer) -> None:
    """Whatever computes the weight from other parameters, or uses it in its own way, could change what is written."""
    for kind, method in ((nn.Linear, "forward"), (nn.Conv2d, "forward"), (nn.Conv2d, "_conv_forward")):
        if isinstance(layer, kind) and getattr(getattr(layer, method), "__func__", None) is not getattr(kind, method):
            why = f" with a {method} of its own, so what it does with its weight is not known; initialise it by itself"
            raise refusal(name, layer, why)
    norm, parameters = _weight_norm(layer), dict(layer.named_parameters())
    weights = norm[:2] if norm else (layer._parameters.get("weight"),)
    free = {id(each) for each in weights} | {id(each) for each in (layer._parameters.get("bias"),) if each is not None}
    if {id(parameter) for parameter in parameters.values()} != free:
        why = f" with the parameters {', '.join(parameters)}: under spectral_norm, pruning or any parametrization but "
        cure = "weight_norm, its weight would not be what is written; initialise it before that is put on"
        raise refusal(name, layer, why + cure)
    for key, parameter in parameters.items():
        if parameter.dtype not in FLOATS or parameter.is_meta:
            what = f"{key} is {parameter.dtype} on the device {parameter.device}"
            raise refusal(name, layer, f", whose {what}; real floating-point numbers are needed (meta: to_empty first)")
