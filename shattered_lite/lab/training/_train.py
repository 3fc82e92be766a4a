"""A run from its first step to its record."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from ..data import Split
from . import _checkpoint
from ._configuration import Record, Run, Start
from ._loop import Training
from ._machine import find_device

CHECKPOINT_SECONDS = 60.0


def prepare_worker() -> None:
    """Make this process fit to train many small networks: one thread, and no denormal numbers.

    A vanishing network computes with denormal numbers, which a processor handles hundreds of times more slowly than
    others. Meant as the ``initializer`` of a ``concurrent.futures.ProcessPoolExecutor``.

    Examples
    --------
    >>> sl.lab.training.prepare_worker()
    >>> torch.get_num_threads()
    1
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def train(
    run: Run,
    data: Split | None = None,
    *,
    network: nn.Sequential | None = None,
    probe: Callable[[nn.Sequential], float] | None = None,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    device: str = "cpu",
    deterministic: bool = False,
) -> Record:
    """Train one network on cross-entropy.

    On a GPU each layer is compiled by itself and the whole step is recorded as a CUDA graph. A run that is interrupted
    and continues from its checkpoint gives, on a CPU, the same record to the last bit, but for its time and memory.

    Parameters
    ----------
    run : Run
        Configuration.
    data : Split, optional
        In place of the images that ``run`` names.
    network : nn.Sequential, optional
        Trained, and changed, in place of the one that ``run`` describes: for a start that no initializer makes. A run
        that continues takes its weights from the checkpoint, whatever network of that shape is given.
    probe : callable, optional
        Measures the network at initialisation and after each epoch; of a run that continues, from there on.
    checkpoint : Path, optional
        Where the state of the run is kept, and found again. A file that is damaged, or belongs to another run, device
        or version, is set aside as ``<name>.damaged<number>``, with a warning, and the run starts anew.
    checkpoint_seconds : float
        Time between checkpoints.
    device : str
        As PyTorch names it: ``"cpu"``, ``"cuda"``.
    deterministic : bool
        Use algorithms that give the same result each time, on a GPU too; slower there.

    Returns
    -------
    Record
        Accuracies are on ``data``'s test images. A run that diverges records ``nan`` losses.

    Raises
    ------
    ValueError
        If the configuration is not allowed, the last batch or the test has one image and there is batch norm, or this
        machine has no such device.
    OSError
        If a checkpoint cannot be written; the last one is still whole.

    References
    ----------
    Kingma and Ba (2015). Used in the chapters *Looks linear* and *Training very deep networks*.

    Examples
    --------
    >>> record = sl.lab.training.train(sl.lab.training.Run("residual", 4, batch_norm=True, epochs=2))
    >>> record.losses[1] < record.losses[0]
    True
    """
    with _algorithms(deterministic):
        training = Training(run, data, device=find_device(device), network=network, probe=probe)
        if checkpoint is None or not _checkpoint.resume(checkpoint, run, training.device, training.restore):
            training.begin()
        saved = time.perf_counter()
        for step in tqdm(
            range(training.progress.done, training.total),
            desc=f"{run.kind}, depth {run.depth}",
            initial=training.progress.done,
            total=training.total,
            leave=False,
            disable=None,
        ):
            if training.reached:
                break
            training.advance(step)
            if checkpoint and time.perf_counter() - saved >= checkpoint_seconds:
                _checkpoint.save(checkpoint, run, training.device, training.state())
                saved = time.perf_counter()
        return training.record()


def measure_start(run: Run, data: Split | None = None, *, device: str = "cpu") -> Start:
    """Gradients at the start of a run, without the run: those that :func:`train` would find.

    Parameters
    ----------
    run : Run
        Configuration, with ``minibatches`` of 1 or more.
    data, device
        As in :func:`train`.

    Returns
    -------
    Start
        Weights and minibatches are drawn on the CPU, so they are the same on every device.

    Raises
    ------
    ValueError
        If the configuration is not allowed or asks for no minibatch, or this machine has no such device.

    References
    ----------
    Balduzzi et al. (2017), Section 4. Used for the records of the chapters *Convolutional networks and real images* and
    *Training very deep networks*.

    Examples
    --------
    >>> start = sl.lab.training.measure_start(sl.lab.training.Run("plain", 4, minibatches=3, batch_size=16))
    >>> len(start.correlation)
    3
    """
    if not run.minibatches:
        raise ValueError("run: minibatches=0, but gradients are measured at 1 or more")
    training = Training(run, data, device=find_device(device))
    training.begin()
    return training.start


@contextmanager
def _algorithms(deterministic: bool) -> Iterator[None]:
    if deterministic:  # what NVIDIA's library of matrix products asks for, before its first use
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(deterministic or before)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
