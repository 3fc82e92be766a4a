"""One training run of a classifier: configuration in, record out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Literal

import torch
from torch import nn
from tqdm import tqdm

from . import initializers
from .data import Split
from .networks import Kind, fully_connected


@dataclass(frozen=True)
class Run:
    """Configuration of one run; everything that decides its outcome but the data.

    Attributes
    ----------
    kind, depth, width, batch_norm, beta
        As in :func:`shattered_lite.networks.fully_connected`.
    initializer : {"he", "orthogonal", "looks_linear"}
        Function of :mod:`shattered_lite.initializers`, without the underscore.
    epochs, batch_size : int
        Passes over the training images, and images a step.
    learning_rate : float
        Step size of Adam.
    seed : int
        Of the weights and of the order of the images.
    """

    kind: Kind
    depth: int
    width: int = 64
    batch_norm: bool = False
    beta: float = 1.0
    initializer: Literal["he", "orthogonal", "looks_linear"] = "he"
    epochs: int = 8
    batch_size: int = 64
    learning_rate: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.initializer not in ("he", "orthogonal", "looks_linear"):
            raise ValueError(f"initializer={self.initializer!r}: choose one of 'he', 'orthogonal', 'looks_linear'")
        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name}={value!r}: a whole number, 1 or more, is needed")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate={self.learning_rate}: a positive step is needed")


@dataclass(frozen=True)
class Record:
    """What a run made.

    Attributes
    ----------
    run : Run
        Its configuration.
    losses : tuple of float
        Mean cross-entropy over the training images of each epoch, in nats.
    accuracies : tuple of float
        Share of test images classified correctly after each epoch.
    seconds : float
        Wall time of the whole run.
    probes : tuple of float
        What the probe measured, at initialisation and after each epoch; empty without one.
    """

    run: Run
    losses: tuple[float, ...]
    accuracies: tuple[float, ...]
    seconds: float
    probes: tuple[float, ...] = ()


def prepare_worker() -> None:
    """Make this process fit to train many small networks: one thread, and no denormal numbers.

    A vanishing network computes with denormal numbers, which a processor handles hundreds of times more slowly than
    others. Meant as the ``initializer`` of a ``concurrent.futures.ProcessPoolExecutor``.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def train(
    run: Run,
    data: Split,
    *,
    network: nn.Sequential | None = None,
    probe: Callable[[nn.Sequential], float] | None = None,
) -> Record:
    """Train one network with Adam on cross-entropy.

    Parameters
    ----------
    run : Run
        Configuration.
    data : Split
        Images; the network's input and output sizes follow from them.
    network : nn.Sequential, optional
        Trained, and changed, in place of the one that ``run`` describes: for a start that no initializer makes.
    probe : callable, optional
        Measures the network at initialisation and after each epoch.

    Returns
    -------
    Record
        Accuracies are on ``data``'s test images. A run that diverges records ``nan`` losses.

    Raises
    ------
    ValueError
        If the configuration is not allowed.

    References
    ----------
    Kingma and Ba (2015). Used in the chapter *Looks linear*.
    """
    generator = torch.Generator().manual_seed(run.seed)
    if network is None:
        network = build(run, data, generator)
    optimizer = torch.optim.Adam(network.parameters(), lr=run.learning_rate, fused=True)
    started = time.perf_counter()
    losses, accuracies, probes = [], [], []
    if probe:
        probes.append(probe(network))
    for _ in tqdm(range(run.epochs), desc=f"{run.kind}, depth {run.depth}", leave=False, disable=None):
        losses.append(_epoch(network, optimizer, run.batch_size, data, generator))
        accuracies.append(_accuracy(network, data))
        if probe:
            probes.append(probe(network))
    return Record(run, tuple(losses), tuple(accuracies), time.perf_counter() - started, tuple(probes))


def build(run: Run, data: Split, generator: torch.Generator) -> nn.Sequential:
    """The initialised network of a run; errors are those of ``fully_connected`` and of the initializer.

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
        Maps ``(batch, pixels)`` to ``(batch, classes)``.
    """
    network = fully_connected(
        run.kind,
        depth=run.depth,
        width=run.width,
        inputs=data.train_inputs.shape[1],
        outputs=int(data.train_labels.max()) + 1,
        batch_norm=run.batch_norm,
        beta=run.beta,
    )
    return getattr(initializers, f"{run.initializer}_")(network, generator=generator)


def _epoch(
    network: nn.Module, optimizer: torch.optim.Optimizer, batch_size: int, data: Split, generator: torch.Generator
) -> float:
    network.train()
    total = 0.0
    for batch in torch.randperm(len(data.train_inputs), generator=generator).split(batch_size):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(data.train_inputs[batch]), data.train_labels[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(data.train_inputs)


@torch.no_grad()
def _accuracy(network: nn.Module, data: Split) -> float:
    network.eval()
    return (network(data.test_inputs).argmax(1) == data.test_labels).double().mean().item()
