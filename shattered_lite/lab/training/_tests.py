"""When a network is tested along a run, and how."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import nn

from ..data import Split

TEST_BATCH = 500
DIGITS = 5  # binary, of the number of steps after which a network is tested on its way to a target


def steps_tested(tests: int) -> list[int]:
    """Numbers of steps after which a run with a target is tested: 1 to 31, 32, 34, ..., 62, 64, 68 and so on.

    Parameters
    ----------
    tests : int
        How many, 0 or more: of a record, ``len(record.accuracies)``.

    Returns
    -------
    list of int
        Increasing.

    Examples
    --------
    >>> sl.lab.training.steps_tested(35)[-5:]
    [31, 32, 34, 36, 38]
    """
    half = 2 ** (DIGITS - 1)  # so many lie between one power of two and the next, from there on
    places = [divmod(place + 1, half) for place in range(tests)]
    return [half + rest << octave - 1 if octave else rest for octave, rest in places]


def is_tested(steps: int) -> bool:
    """Whether a run with a target is tested after so many steps."""
    unit: int = 1 << max(0, steps.bit_length() - DIGITS)
    return steps % unit == 0


@torch.no_grad()
def accuracy(network: nn.Module, data: Split, precision: str, *, batch_statistics: bool = False) -> float:
    """Share of the test images classified correctly; leaves the network in evaluation."""
    network.eval()
    right, images = 0, len(data.test_labels)
    parts = zip(*(tensor.tensor_split(-(-images // TEST_BATCH)) for tensor in data[2:]), strict=True)
    with _normalised_by_batch(network) if batch_statistics else nullcontext():
        for inputs, labels in parts:
            with torch.autocast(inputs.device.type, torch.bfloat16, precision == "bfloat16"):
                right += (network(inputs).argmax(1) == labels).sum()
    return float(right) / images


@contextmanager
def _normalised_by_batch(network: nn.Module) -> Iterator[None]:
    """Batch norm takes its statistics from each batch; those that it has averaged stay as they are."""
    norms = [each for each in network.modules() if isinstance(each, nn.BatchNorm1d | nn.BatchNorm2d)]
    for norm in norms:
        norm.training, norm.track_running_stats = True, False
    try:
        yield
    finally:
        for norm in norms:
            norm.training, norm.track_running_stats = False, True
