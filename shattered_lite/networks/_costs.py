"""What a network costs, and the width at which it costs as much as another."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from .._arguments import real
from ._layers import check_sizes


def parameters(network: nn.Module) -> int:
    """Number of trained parameters.

    Parameters
    ----------
    network : nn.Module
        On any device, ``meta`` included.

    Returns
    -------
    int
        Weights, biases, and the scales of a normalisation.

    References
    ----------
    Used in the chapter *Training very deep networks*.

    Examples
    --------
    >>> sl.networks.parameters(nn.Linear(10, 5))
    55
    """
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def flops(network: nn.Module, input_shape: Sequence[int]) -> int:
    """Floating-point operations of one forward pass of one example, as PyTorch's counter counts them.

    Parameters
    ----------
    network : nn.Module
        On any device; on ``meta``, nothing is computed.
    input_shape : sequence of int
        Shape of one example.

    Returns
    -------
    int
        Additions and multiplications of matrix products and convolutions; gates and normalisation are not counted.

    Raises
    ------
    ValueError
        If ``input_shape`` is not a sequence of whole numbers, 1 or more.

    References
    ----------
    Used in the chapter *Training very deep networks*.

    Examples
    --------
    >>> sl.networks.flops(nn.Linear(10, 5), [10])
    100
    """
    if not isinstance(input_shape, Sequence) or isinstance(input_shape, str):
        raise ValueError(f"input_shape={input_shape!r}: the shape of one example is needed")
    for size in input_shape:
        check_sizes(input_shape=size)
    device = next((parameter.device for parameter in network.parameters()), None)
    example = torch.empty(1, *input_shape, device=device)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(example)
    return int(counter.get_total_flops())


def matching_width(build: Callable[[int], nn.Module], cost: Callable[[nn.Module], float], target: float) -> int:
    """Width at which a network costs most nearly ``target``, by bisection.

    Parameters
    ----------
    build : callable
        Makes the network from its width; called on the device ``meta``, so that no weight is drawn.
    cost : callable
        Grows with the width: :func:`parameters`, say.
    target : float
        Cost to match, positive and finite.

    Returns
    -------
    int
        1 or more.

    Raises
    ------
    ValueError
        If the target is not positive and finite, or already the narrowest network costs more than twice that.

    References
    ----------
    Used in the chapter *Training very deep networks*.

    Examples
    --------
    >>> sl.networks.matching_width(lambda width: nn.Linear(10, width), sl.networks.parameters, target=100)
    9
    """

    def price(width: int) -> float:
        with torch.device("meta"):
            return cost(build(width))

    real("target", target, lambda cost: 0 < cost < math.inf, "a positive, finite cost is needed")
    if price(1) > 2 * target:
        raise ValueError(f"target={target}: the narrowest network costs {price(1)}, more than twice that")
    low, high = 1, 2
    while price(high) < target:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if price(middle) < target else (low, middle)
    return min(low, high, key=lambda width: abs(price(width) - target))
