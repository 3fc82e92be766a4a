"""A network as a function of one input at a time, though its batch norm looks at all of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.autograd.graph import disable_saved_tensors_hooks

from .._modules import (
    BatchStatistics,
    Held,
    Measured,
    Normalising,
    check_inputs,
    check_network,
    evaluating,
    undisturbed,
)


class Frozen(nn.Module):
    """A network whose batch norm keeps the statistics that it was given; shares the network's parameters."""

    def __init__(self, network: nn.Module, statistics: Sequence[BatchStatistics]) -> None:
        super().__init__()
        self.network, self.statistics = network, statistics

    def forward(self, inputs: Tensor) -> Tensor:
        refusal = "freeze: gradient checkpointing computes layers again after this call; switch it off"
        held = Held(self.statistics, with_gradients=torch.is_grad_enabled())
        with evaluating(self.network), Normalising(held) as mode, disable_saved_tensors_hooks(refusal):
            outputs: Tensor = self.network(inputs)
        mode.finish()
        return outputs


def freeze(network: nn.Module, inputs: Tensor) -> Frozen:
    r"""The network as a function of one input at a time: batch norm keeps the statistics of ``inputs``.

    Each use of a batch norm subtracts the mean and divides by the root of the *biased* variance that it meets when all
    ``inputs`` pass, layer by layer, as in training: at ``inputs`` the values are those of training. That holds for
    every batch norm of torch, whatever its mode; one that somebody wrote by hand is as in evaluation, and so is
    dropout. An instance norm normalises each input by itself, also where it tracks averages.

    Parameters
    ----------
    network : nn.Module
        Takes a tensor whose first axis counts inputs. It is not copied, and not changed.
    inputs : Tensor, shape (inputs, ...)
        At least two values of each channel.

    Returns
    -------
    nn.Module
        Maps any inputs as the network does; a gradient through it holds the statistics constant. It shares the
        network's parameters and follows their changes; statistics stay. Gradient checkpointing must be off.

    Raises
    ------
    ValueError
        As :func:`shattered_lite.input_gradients`, for network and inputs; or if a batch norm meets one value of a
        channel only.

    References
    ----------
    Ioffe and Szegedy (2015). Used in the chapter *Convolutional networks and real images*.

    Examples
    --------
    >>> network, inputs = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8)), torch.randn(16, 4)
    >>> frozen = sl.sampling.freeze(network, inputs)
    >>> torch.allclose(frozen(inputs)[:1], frozen(inputs[:1]), atol=1e-5)
    True
    """
    check_network(network)
    check_inputs(network, inputs)
    measured = Measured()
    with undisturbed(network, inputs.device), torch.no_grad(), Normalising(measured):
        network(inputs.detach().clone())
    return Frozen(network, measured.statistics)
