"""What a run trains, and on what."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from ... import initializers, networks
from ..data import Split, cifar10, digits, mnist, validation
from ._configuration import Run, Source


def load(run: Run, *, generator: torch.Generator) -> Split:
    """The images that a run names, and no more of them.

    Parameters
    ----------
    run : Run
        Its ``data``, ``images``, ``held_out`` and ``convolutional`` count.
    generator : torch.Generator
        Draws the images.

    Returns
    -------
    Split
        Images for a convolutional network, rows of pixels for a fully connected one.

    Raises
    ------
    ValueError
        If the data set has fewer images than the run asks for, or its files are damaged.

    Examples
    --------
    >>> run = sl.lab.training.Run("plain", 2, images=100)
    >>> sl.lab.training.load(run, generator=generator).train_inputs.shape
    torch.Size([100, 64])
    """
    split = digits(generator=generator, flat=False) if run.data == "digits" else _fetched(run.data)
    if run.held_out:
        split = validation(split, generator=generator)
    if run.images is not None:
        split = _draw(split, run.images, generator)
    if run.convolutional:
        return split
    return split._replace(train_inputs=split.train_inputs.flatten(1), test_inputs=split.test_inputs.flatten(1))


def build(run: Run, data: Split, generator: torch.Generator) -> nn.Sequential:
    """The initialised network of a run; errors are those of the network and of the initializer.

    Parameters
    ----------
    run : Run
        Configuration.
    data : Split
        Decides the sizes of input and output.
    generator : torch.Generator
        Source of the weights.

    Returns
    -------
    nn.Sequential
        Maps ``(batch, pixels)``, or ``(batch, channels, height, width)``, to ``(batch, classes)``.

    Examples
    --------
    >>> network = sl.lab.training.build(sl.lab.training.Run("plain", 2), sl.lab.data.digits(), generator)
    >>> network(torch.zeros(5, 64)).shape
    torch.Size([5, 10])
    """
    options: dict[str, Any] = {
        "depth": run.depth,
        "width": run.width,
        "out_features": int(data.train_labels.max()) + 1,
        "batch_norm": run.batch_norm,
        "beta": run.beta,
    }
    shape = data.train_inputs.shape[1:]
    if run.convolutional:
        channels, height, width = shape
        network = networks.convolutional(run.kind, input_shape=(channels, height, width), patch=run.patch, **options)
    else:
        network = networks.fully_connected(run.kind, in_features=shape[0], **options)
    if "mirrored" in run.initializer:
        gaussian = run.initializer == "gaussian_mirrored"
        initializers.mirrored_(network, turn=run.turn, gaussian=gaussian, generator=generator)
    else:
        getattr(initializers, f"{run.initializer}_")(network, generator=generator)
    if run.backward != 1:
        _scale_gradients(network, run.backward)
    return network


class Backward(nn.Module):
    """The signal as it is, and its gradient times a factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, signal: Tensor) -> Tensor:
        return signal + (self.factor - 1) * (signal - signal.detach())

    def extra_repr(self) -> str:
        return f"factor={self.factor}"


def _scale_gradients(network: nn.Sequential, factor: float) -> None:
    """Before each gate, and the norm before it."""
    for layer in [each for each in network.modules() if isinstance(each, nn.Sequential)]:
        if any(isinstance(child, nn.ReLU | networks.CReLU | nn.Identity) for child in layer):
            layer.insert(0, Backward(factor))


@cache
def _fetched(name: Source) -> Split:
    """Read and verified once for all the runs of a process, none of which changes it."""
    return mnist() if name == "mnist" else cifar10()


def _draw(split: Split, count: int, generator: torch.Generator) -> Split:
    """So many training images, and as many test images if there are."""
    drawn = []
    if count > len(split.train_inputs):
        raise ValueError(f"images={count}: there are {len(split.train_inputs)} training images")
    for inputs, labels in (split[:2], split[2:]):
        chosen = torch.randperm(len(inputs), generator=generator)[:count]
        drawn += [inputs[chosen], labels[chosen]]
    return Split(*drawn)
