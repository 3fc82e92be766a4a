"""Ten small tasks for a reader of the reference page, solved here with the package as it is."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch import nn

import shattered_lite as sl

TASKS = {task["name"]: task for task in yaml.safe_load(Path(__file__).with_name("tasks.yml").read_text())}


def theorem(_: torch.Generator) -> float:
    return sl.theory.plain(12).correlation


def residual(_: torch.Generator) -> float:
    return sl.theory.residual(20, beta=0.5).variance


def depth(_: torch.Generator) -> float:
    return np.argmax(sl.theory.highway(range(100), gamma1=0.9).correlation < 0.1)


def batch_norm(_: torch.Generator) -> float:
    return sl.theory.residual_batch_norm(100, beta=0.1, batch_size=64).correlation


def activation(_: torch.Generator) -> float:
    return sl.theory.averages(nn.Mish()).shattering_index


def sampler(generator: torch.Generator) -> float:
    gradients = sl.sample_gradients(
        "plain", depth=6, width=50, inputs=torch.eye(32), networks=1_000, normalisation="centred",
        generator=generator,
    )  # fmt: skip
    prediction = sl.theory.plain_finite_width(6, width=50, batch_size=32).correlation
    sl.checks.agrees(sl.structure.pair_moments(gradients), prediction, "correlation")
    return prediction


def own_network(generator: torch.Generator) -> float:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(10, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 1))
    inputs = torch.randn(16, 10)
    return sl.structure.correlation(sl.input_gradients(network, inputs, generator=generator))


def looks_linear(generator: torch.Generator) -> float:
    crelu = sl.CReLU
    network = nn.Sequential(nn.Linear(8, 8), crelu(), nn.Linear(16, 8), crelu(), nn.Linear(16, 8))
    sl.looks_linear_(network, generator=generator)
    inputs = torch.randn(2, 8, generator=generator)
    return network(inputs).diff(dim=0).norm().item() / inputs.diff(dim=0).norm().item()


def raster(_: torch.Generator) -> float:
    active = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 1, 0], [1, 1, 1]]).bool()
    return sl.structure.contiguity(active).double().mean() + sl.structure.coactivation(active)


def records(_: torch.Generator) -> float:
    found = sl.lab.records.read(sl.lab.records.FOLDER / "figure_6.jsonl")
    chosen = [each for each in found if (each.run.kind, each.run.depth, each.run.held_out) == ("plain", 6, False)]
    return np.mean([each.accuracies[-1] for each in chosen])


SOLUTIONS = (
    theorem, residual, depth, batch_norm, activation, sampler, own_network, looks_linear, raster, records,
)  # fmt: skip


def test_every_task_has_a_solution():
    assert [solution.__name__ for solution in SOLUTIONS] == list(TASKS)
    assert len(TASKS) == 10


@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda solution: solution.__name__)
def test_the_answer_is_right(solution):
    task = TASKS[solution.__name__]
    found = float(solution(torch.Generator().manual_seed(0)))
    assert found == pytest.approx(task["answer"], rel=task["tolerance"]), task["task"]
