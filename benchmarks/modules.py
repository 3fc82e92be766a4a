"""Gradients of one network at many inputs, beside the loop a user would write; a diagnosis; and the package's import.

As in the benchmark of the samplers, candidates take turns and ratios are medians over rounds. Run it with
``python benchmarks/modules.py``.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor, nn

import shattered_lite as sl

INPUTS, ROUNDS, IMPORTS = 64, 3, 5


class Block(nn.Module):
    """A basic block of ResNet-18."""

    def __init__(self, fan_in: int, fan_out: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(fan_in, fan_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(fan_out),
            nn.ReLU(inplace=True),
            nn.Conv2d(fan_out, fan_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(fan_out),
        )
        shorter = nn.Sequential(nn.Conv2d(fan_in, fan_out, 1, stride, bias=False), nn.BatchNorm2d(fan_out))
        self.skip = nn.Identity() if stride == 1 else shorter

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.skip(x) + self.branch(x))


def resnet_18() -> nn.Sequential:
    """Eleven million parameters, for images of 32 x 32 pixels."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True)]
    for fan_in, fan_out in ((64, 64), (64, 128), (128, 256), (256, 512)):
        layers += [Block(fan_in, fan_out, 1 if fan_in == fan_out else 2), Block(fan_out, fan_out, 1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def resnet_110() -> nn.Sequential:
    """Fifty-four blocks of 16 to 64 channels."""
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    for fan_in, fan_out in ((16, 16), (16, 32), (32, 64)):
        layers += [
            Block(fan_in, fan_out, 1 if fan_in == fan_out else 2),
            *(Block(fan_out, fan_out, 1) for _ in range(17)),
        ]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def one_by_one(network: nn.Module, inputs: Tensor) -> Tensor:
    """Evaluation mode, so that inputs do not mix, and a pass forward and back for each input."""
    network.eval()
    gradients = []
    for each in inputs:
        x = each[None].clone().requires_grad_()
        gradients.append(torch.autograd.grad(network(x).sum(), x)[0])
    return torch.cat(gradients).flatten(1)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def importing(module: str) -> float:
    """Seconds that a fresh Python needs to import it."""
    return seconds(lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True))


def line(title: str, rounds: list[tuple[float, float]], wanted: float) -> None:
    one, other = (median(times) for times in zip(*rounds, strict=True))
    ratio = median(b / a for a, b in rounds)
    verdict = "" if ratio <= wanted else "  missed"
    print(f"{title:42}{one:11.2f}{other:11.2f}{ratio:10.2f}{f'<= {wanted:.2f}':>10}{verdict}")


def main() -> None:
    network, inputs = resnet_18(), torch.randn(INPUTS, 3, 32, 32)
    count = sl.networks.parameters(network) / 1e6
    print(
        f"{count:.0f} million parameters, {INPUTS} inputs, {torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    print(f"{'':42}{'loop':>11}{'ours':>11}{'ratio':>10}{'target':>10}")
    rounds = [
        (
            seconds(lambda: one_by_one(network, inputs)),
            seconds(lambda: sl.input_gradients(network, inputs, statistics="running")),
        )
        for _ in range(ROUNDS + 1)
    ][1:]
    line("gradients at each input, s", rounds, 1.0)
    deep = resnet_110()
    print(f"{'':42}{'one pass':>11}{'ours':>11}{'ratio':>10}{'target':>10}")
    rounds = [
        (seconds(lambda: deep(inputs).sum().backward()), seconds(lambda: sl.diagnose(deep, inputs)))
        for _ in range(ROUNDS)
    ]
    line("diagnosis of ResNet-110, s", rounds, 20.0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"memory of all so far, GB: {peak:.1f} (target 2)")
    print(f"{'':42}{'torch':>11}{'ours':>11}{'ratio':>10}{'target':>10}")
    line("import, s", [(importing("torch"), importing("shattered_lite")) for _ in range(IMPORTS)], 1.5)


if __name__ == "__main__":
    main()
