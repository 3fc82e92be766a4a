"""Speed of training, beside the loop a user would write otherwise; on a GPU where there is one.

As in the benchmark of the samplers, candidates take turns and ratios are medians over rounds. Run it with
``python benchmarks/training.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from statistics import median

import numpy as np
import torch
from torch import nn

import shattered_lite as sl
from shattered_lite.lab.training import Run, build, load, train
from shattered_lite.lab.training._loop import Training

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
RUN = Run(
    "crelu",
    depth=200,
    width=8,
    initializer="looks_linear",
    convolutional=True,
    batch_size=128,
    learning_rate=1e-4,
    precision="bfloat16" if DEVICE.type == "cuda" else "float32",
)
ROUNDS, DEPTHS, SEEDS = 5, (25, 50, 100, 200), 4


def synchronised(step: Callable[[], object]) -> float:
    """Seconds, with whatever the step has left running on a GPU."""
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    step()
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def eager_step(run: Run) -> Callable[[], object]:
    """The training step of a tutorial: float32, layers as they are, the loss looked at each time."""
    generator = torch.Generator().manual_seed(0)
    data = load(run, generator=generator)
    network = build(run, data, generator).to(DEVICE)
    optimizer = torch.optim.Adam(network.parameters(), lr=run.learning_rate)
    inputs, labels = data.train_inputs[: run.batch_size].to(DEVICE), data.train_labels[: run.batch_size].to(DEVICE)

    def step() -> float:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(inputs), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def own_step(run: Run) -> Callable[[], object]:
    """The step of ``train``: always the first of an epoch, so that batches are whole."""
    training = Training(run, device=DEVICE)
    return partial(training.advance, 0)


def race(first: Callable[[], object], second: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float, float]:
    """Seconds of both, and the ratio of the second to the first; medians over rounds, after one that warms up."""
    measured = [(synchronised(first), synchronised(second)) for _ in range(rounds + 1)][1:]
    one, other = zip(*measured, strict=True)
    return median(one), median(other), median(b / a for a, b in measured)


def one_after_another(runs: list[Run]) -> None:
    for run in runs:
        train(run)


def in_parallel(pool: Executor, runs: list[Run]) -> None:
    for job in [pool.submit(train_alone, run) for run in runs]:
        job.result()


def train_alone(run: Run) -> None:
    sl.lab.training.prepare_worker()
    train(run)


def line(title: str, one: float, other: float, ratio: float, target: str, met: bool) -> None:
    print(f"{title:42}{one:11.3f}{other:11.3f}{ratio:10.2f}{target:>10}{'' if met else '  missed'}")


def main() -> None:
    threads = torch.get_num_threads()
    sl.lab.training.prepare_worker()
    torch.set_num_threads(threads)
    print(f"depth {RUN.depth}, width {RUN.width}, {DEVICE.type}, {threads} threads, torch {torch.__version__}")
    print(f"{'':42}{'loop':>11}{'ours':>11}{'ratio':>10}{'target':>10}")
    wanted = 0.4 if DEVICE.type == "cuda" else 1.0
    one, other, ratio = race(eager_step(RUN), own_step(RUN))
    line("training step, s", one, other, ratio, f"<= {wanted:.2f}", ratio <= wanted)

    seeds = [replace(RUN, depth=50, epochs=1, seed=seed) for seed in range(SEEDS)]
    with sl.lab.sweep.local_processes() as pool:  # its start, some seconds, falls into the warm-up
        one, other, ratio = race(partial(one_after_another, seeds), partial(in_parallel, pool, seeds), rounds=3)
    line(f"{SEEDS} seeds, one by one and in parallel, s", one, other, ratio, "< 1.00", ratio < 1)

    steps = {depth: own_step(replace(RUN, depth=depth)) for depth in DEPTHS}
    rounds = [[synchronised(step) for step in steps.values()] for _ in range(ROUNDS + 1)][1:]
    seconds = np.median(rounds, axis=0)
    exponent = np.polyfit(np.log(DEPTHS), np.log(seconds), 1)[0]
    speeds = [f"{RUN.batch_size / each:.0f} at depth {depth}" for depth, each in zip(DEPTHS, seconds, strict=True)]
    print("images a second: " + ", ".join(speeds))
    verdict = "" if exponent <= 1.05 else "  missed"
    print(f"{'time grows with depth to the power':64}{exponent:10.2f}{'<= 1.05':>10}{verdict}")


if __name__ == "__main__":
    main()
