"""Which parameters can learn at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from .._modules import tensors_in

ROUNDS = 4  # of zeros behind zeros that open one after the other
MOVE = 0.01  # of a parameter, relative to its size; or as it is, if that is 0

Gradients = Callable[[Sequence[nn.Parameter]], Sequence[Tensor | None]]  # None where the outputs are not made with it


def plain_weights(network: nn.Module) -> int:
    """How many matrices of numbers its modules hold that are neither parameters nor buffers, nor made of any."""
    held = {id(each) for each in (*network.parameters(), *network.buffers())}
    found = {
        id(each)
        for module in network.modules()
        for each in tensors_in({name: value for name, value in vars(module).items() if not name.startswith("_")})
        if each.is_floating_point() and each.ndim > 1 and each.is_leaf and not each.requires_grad
    }
    return len(found - held)


def out_of_reach(learning: Mapping[str, nn.Parameter], gradients: Gradients) -> dict[str, str]:
    """Names of parameters whose gradient is exactly zero, and stays so when those that have one are moved a little.

    A head that starts at zero hides all others for one step only. With each name stands why: "locked" are weights that
    are zero and lock each other, which moved together get a gradient; of "constant" ones only the values are used, as
    under ``no_grad``; others ("") may be such as these inputs do not use. Values are changed: call it where they are
    restored.
    """
    silent, constant = list(learning), set[str]()

    def without(names: list[str]) -> list[str]:
        found = dict(zip(learning, gradients(list(learning.values())), strict=True))
        constant.update(name for name, own in found.items() if own is not None and not own.numel())
        return [name for name in names if (own := found[name]) is not None and not own.any()]

    for _ in range(ROUNDS):
        still = without(silent)
        opened = len(still) < len(silent)
        silent = still
        if not (silent and opened):
            break
        for name in learning.keys() - set(silent):
            _move(learning[name])
    zero = [name for name in silent if not learning[name].any()]
    for name in zero:
        _move(learning[name])
    locked = set(zero).difference(without(zero)) if zero else set()
    why = {name: "locked" for name in locked if learning[name].ndim > 1} | dict.fromkeys(constant, "constant")
    return {name: why.get(name, "") for name in silent}


def _move(parameter: Tensor) -> None:
    with torch.no_grad():
        size = parameter.square().mean().sqrt().item() or 1.0
        parameter.add_(torch.randn(parameter.shape).to(parameter) * MOVE * size)
