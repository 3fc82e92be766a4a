"""Speed and memory of the samplers, beside the loop a user would write otherwise.

Every ratio is taken in one run: the candidates take turns, and the median over the rounds of the ratio within a round
is printed, so that a busy machine slows both sides alike. Run it with ``python benchmarks/sampling.py``.
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Literal

import torch
from torch import Tensor, nn

import shattered_lite as sl

Method = Literal["weights", "gram"]
DEPTH, WIDTH, ROUNDS = 50, 200, 11
PAIR = torch.tensor([0.5, 0.625])
GRID = torch.linspace(-2, 2, 256)


def obvious_loop(inputs: Tensor, networks: int) -> Tensor:
    """Build an ordinary module with He weights, differentiate it, and begin again with the next."""
    gradients = []
    for _ in range(networks):
        layers: list[nn.Module] = [nn.Linear(1, WIDTH)]
        for layer in range(DEPTH):
            layers += [nn.ReLU(), nn.Linear(WIDTH, WIDTH if layer < DEPTH - 1 else 1, bias=False)]
        network = nn.Sequential(*layers)
        for child in network:
            if isinstance(child, nn.Linear):
                nn.init.kaiming_normal_(child.weight, nonlinearity="relu")
        x = inputs[:, None].clone().requires_grad_()
        gradients.append(torch.autograd.grad(network(x).sum(), x)[0])
    return torch.stack(gradients)


def sampler(method: Method, depth: int = DEPTH) -> Callable[[Tensor, int], Tensor]:
    generator = torch.Generator().manual_seed(0)

    def sample(inputs: Tensor, networks: int) -> Tensor:
        return sl.sample_gradients(
            "plain",
            depth=depth,
            width=WIDTH,
            inputs=inputs,
            networks=networks,
            outputs=1,
            method=method,
            generator=generator,
        )

    return sample


def milliseconds(sample: Callable[[Tensor, int], Tensor], inputs: Tensor, networks: int) -> float:
    """Time for one network."""
    started = time.perf_counter()
    sample(inputs, networks)
    return (time.perf_counter() - started) / networks * 1e3


def race(inputs: Tensor, ours: Callable[[Tensor, int], Tensor], networks: int) -> tuple[float, float, float]:
    """Milliseconds of the loop and of the sampler, and the ratio of the second to the first; medians over rounds."""
    milliseconds(obvious_loop, inputs, 2)
    milliseconds(ours, inputs, networks)
    rounds = [(milliseconds(obvious_loop, inputs, 8), milliseconds(ours, inputs, networks)) for _ in range(ROUNDS)]
    loop, own = zip(*rounds, strict=True)
    return median(loop), median(own), median(b / a for a, b in rounds)


def peak_memory(depth: int) -> float:
    """MiB that a fresh process has held at most, after sampling at this depth."""
    printed = subprocess.run(
        [sys.executable, __file__, "--peak-memory", str(depth)], check=True, capture_output=True, text=True
    )
    return float(printed.stdout)


def print_own_peak(depth: int) -> None:
    sampler("weights", depth)(GRID, 40)
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would not do here: on Linux a child inherits its parent's maximum
        [kibibytes] = re.findall(r"VmHWM:\s+(\d+)", status.read_text())
        print(int(kibibytes) / 2**10)
    else:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)


def main() -> None:
    print(f"depth {DEPTH}, width {WIDTH}, float32, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"{'':42}{'loop':>11}{'sampler':>11}{'ratio':>10}{'target':>10}")
    races: tuple[tuple[str, Tensor, Method, int, float, str], ...] = (
        ("exact sampler, 2 inputs, ms a network", PAIR, "gram", 2_000, 1 / 80, "1/80"),
        ("explicit sampler, 256 inputs, ms a network", GRID, "weights", 40, 0.8, "0.80"),
    )
    for title, inputs, method, networks, target, wanted in races:
        loop, own, ratio = race(inputs, sampler(method), networks)
        shown = f"1/{1 / ratio:.0f}" if ratio < 0.1 else f"{ratio:.2f}"
        verdict = "" if ratio <= target else "  missed"
        print(f"{title:42}{loop:11.2f}{own:11.3f}{shown:>10}{'<= ' + wanted:>10}{verdict}")
    shallow, deep = peak_memory(10), peak_memory(200)
    verdict = "" if deep <= 1.05 * shallow else "  missed"
    print(f"{'':42}{'depth 10':>11}{'depth 200':>11}{'ratio':>10}{'target':>10}")
    title = "explicit sampler, peak memory in MiB"
    print(f"{title:42}{shallow:11.0f}{deep:11.0f}{deep / shallow:10.2f}{'1.00':>10}{verdict}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak-memory"]:
        print_own_peak(int(sys.argv[2]))
    else:
        main()
