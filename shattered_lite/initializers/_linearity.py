"""Whether a concatenated-rectifier network can be linear, by its structure, and whether it is, by trial."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..networks import CReLU
from ._layers import Layer, Place, find, refusal, refuse_if_not_isometric, sharing, walk

NONLINEAR = ("activation", "batchnorm", "dropout", "instancenorm", "normalization", "pooling")  # files of torch.nn
AVERAGES = nn.modules.pooling._AvgPoolNd | nn.modules.pooling._AdaptiveAvgPoolNd
DOUBLED = "which doubles the inputs of the next layer: nn.Linear(2 * width, ...)"
ORDER = "register gates and layers in the order in which data passes, one gate for each use"


def find_mirrored(module: nn.Module) -> list[Place]:
    """Find the layers of a network that can look linear; refuse any other."""
    found = find(module)
    refuse_if_gates_are_not_concatenated(module)
    refuse_if_not_isometric(found)
    refuse_if_gates_do_not_fit(found)
    return found


def refuse_if_gates_are_not_concatenated(module: nn.Module) -> None:
    """Every gate is a CReLU, and has a layer behind it."""
    inside = list(walk(module))
    if not any(isinstance(child, CReLU) for _, child in inside):
        suspects = [
            f" ({name or 'it'} is a {type(child).__name__})" for name, child in inside if _is_from(child, "activation")
        ]
        raise ValueError(
            "module: no CReLU in it. Only modules of type shattered_lite.CReLU are recognised, not a class or "
            f"function of your own; put one in the place of each rectifier{''.join(suspects[:1])}, {DOUBLED}"
        )
    for name, child in inside:
        if _is_from(child, *NONLINEAR) and not isinstance(child, AVERAGES):
            cure = f"put a CReLU in its place, {DOUBLED}" if isinstance(child, nn.ReLU) else "leave it out"
            raise refusal(name, child, f", which is not linear; {cure}")
    steps = [(name, child) for name, child in inside if isinstance(child, CReLU | Layer)]
    for (name, child), (_, after) in zip(steps, [*steps[1:], ("", None)], strict=True):
        if isinstance(child, CReLU) and not isinstance(after, Layer):
            raise refusal(name, child, f", but the next step is no layer that makes it linear: {ORDER}")


def refuse_if_gates_do_not_fit(found: list[Place]) -> None:
    """A CReLU doubles the outputs of the layer before; flattening or unshuffling multiplies them."""
    units = 1
    for name, layer, mirrored in found:
        fan_in = layer.weight.shape[1]
        if mirrored and fan_in % (2 * units):
            why = f" that follows a CReLU, so its inputs must be a multiple of {2 * units}, not {fan_in}"
            raise refusal(name, layer, why)
        if not mirrored and units > 1 and fan_in == 2 * units:
            why = f" that takes twice the {units} outputs of the layer before it, but no shattered_lite.CReLU "
            raise refusal(name, layer, f"{why}stands between: {ORDER}")
        units = layer.weight.shape[0]
    for first, place in sharing(found):
        if first.mirrored != place.mirrored:
            why = f" with the weight of {first.name}, but only one of them follows a CReLU and needs [O, -O]"
            raise refusal(place.name, place.layer, why)


def refuse_if_no_example(example: object) -> None:
    """An input of zeros would pass through anything."""
    if not (isinstance(example, Tensor) and example.is_floating_point() and example.isfinite().all() and example.any()):
        raise ValueError(f"example={example!r}: one real floating-point tensor is needed, finite and not all zero")


def refuse_if_not_linear(module: nn.Module, example: Tensor) -> None:
    """Superpose the example and its mirror image in float64, where rounding is far below any nonlinearity.

    The coefficients and their sum are none of 0, 1 and -1, at which odd or absolute functions pass too.
    """
    kept = [(child, dict(vars(child))) for child in module.modules()]  # a forward may leave something behind
    try:
        with torch.random.fork_rng(list({each.device for each in module.parameters() if each.is_cuda})):
            points = ((1, 0), (1, 0), (0, 1), (2, -4), (0, 0))
            at_x, again, at_y, both, zero = (_evaluate(module, example, a, b) for a, b in points)
    finally:
        for child, attributes in kept:
            vars(child).clear()
            vars(child).update(attributes)
    allowed = torch.finfo(at_x.dtype).eps ** 0.5  # half of the digits: rounding needs fewer, a gate spoils the first
    terms = [2 * (at_x - zero), 4 * (at_y - zero), both - zero]
    length = torch.stack([each.norm() for each in (*terms, zero)]).sum()
    if (again - at_x).norm() > allowed * length:
        raise ValueError("module: two outputs for one example, so it is random: F.dropout inside a forward, perhaps")
    if not any(term.any() for term in terms):
        raise ValueError("module: the same output for example as for zeros, so nothing can be said of its linearity")
    error = (terms[0] - terms[1] - terms[2]).norm() / length
    if not error <= allowed:
        raise ValueError(
            f"module: not linear on example, since f(2x - 4y) differs from 2 f(x) - 4 f(y) + 3 f(0) by {error:.1g} of "
            "these terms. Likely causes: F.relu or the like inside a forward; a CReLU written as a function, or with "
            "the wrong sign, instead of shattered_lite.CReLU; layers registered in another order than used"
        )


def _evaluate(module: nn.Module, example: Tensor, a: float, b: float) -> Tensor:
    """f(ax + by); parameters and buffers are copies, so that a forward may change them."""
    try:
        tensors = [*module.named_parameters(), *module.named_buffers()]
        state = {name: (t.double() if t.is_floating_point() else t).clone() for name, t in tensors}
        x = example.double()
        outputs = functional_call(module, state, (a * x + b * x.flip(list(range(x.ndim))),))
    except Exception as error:
        shape = tuple(example.shape)
        raise ValueError(f"example of shape {shape}: in float64 the module fails on it, {error}") from error
    if not isinstance(outputs, Tensor) or not outputs.is_floating_point():
        what = outputs.dtype if isinstance(outputs, Tensor) else type(outputs).__name__
        raise ValueError(f"module: its output for example is {what}; one real floating-point tensor is needed")
    return outputs


def _is_from(child: nn.Module, *files: str) -> bool:
    """Whether its class, or one that it inherits from, is of these files of torch.nn."""
    return any(base.__module__ == f"torch.nn.modules.{file}" for base in type(child).__mro__ for file in files)
