"""Measures of covariances against those of the tensors that these are made of."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from shattered_lite import structure


def drawn(inputs: int, features: int = 6, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(inputs, features, generator=generator, dtype=torch.float64) + 0.4


@pytest.mark.parametrize("inputs", [3, 4, 9])
def test_moments_without_each_are_those_of_the_other_inputs(inputs: int) -> None:
    gradients = drawn(inputs)
    found = structure.pair_moments_without_each(structure.covariance(gradients))
    kept = [torch.arange(inputs) != left for left in range(inputs)]
    expected = [structure.pair_moments(rows) for rows in (gradients, *(gradients[keep] for keep in kept))]
    torch.testing.assert_close(found, torch.stack(expected))


def test_of_two_inputs_one_is_left_and_makes_no_pair() -> None:
    found = structure.pair_moments_without_each(torch.tensor([[2.0, 1.0], [1.0, 4.0]]))
    assert found[0].tolist() == [1, 3]
    assert found[1:, 1].tolist() == [4, 2]
    assert found[1:, 0].isnan().all()
    assert structure.pair_moments_without_each(torch.tensor([[2.0]]))[0].tolist()[1] == 2


@pytest.mark.parametrize("slope", [1.0, -3.0])
def test_correlation_along_a_line_by_loops(slope: float) -> None:
    """Gradients that grow along the line."""
    gradients = drawn(7) * torch.linspace(1, slope, 7, dtype=torch.float64)[:, None]
    found = structure.line_correlation(structure.covariance(gradients))
    for lag, value in enumerate(found.tolist()):
        pairs = [(i, i + lag) for i in range(7 - lag)]
        products = sum(float(gradients[i] @ gradients[j]) for i, j in pairs)
        lengths = sum(float(gradients[i].norm() * gradients[j].norm()) for i, j in pairs)
        assert value == pytest.approx(products / lengths, abs=1e-12)


def test_parallel_gradients_of_any_length_are_correlated_along_a_line() -> None:
    lengths = torch.tensor([1.0, 5.0, 0.1, 2.0], dtype=torch.float64)
    torch.testing.assert_close(structure.line_correlation(torch.outer(lengths, lengths)), torch.ones(4).double())
    assert structure.line_correlation(torch.zeros(3, 3)).isnan().all()


def test_the_structured_part_is_that_of_a_step_of_gradient_descent() -> None:
    """A step on one end of a line, of one linear layer of one output: by how much the outputs of all points change."""
    start, end = drawn(2)
    points = torch.lerp(start, end, torch.linspace(0, 1, 5, dtype=torch.float64)[:, None])
    layer = torch.nn.Linear(6, 1, bias=False, dtype=torch.float64)
    before = layer(points)
    [gradient] = torch.autograd.grad(before[0].sum(), [layer.weight])
    with torch.no_grad():
        layer.weight += 0.01 * gradient
        change = (layer(points) - before).flatten()
    found = structure.line_structure(points @ points.T)  # the gradient by what the layer makes is 1
    assert found.item() == pytest.approx(((change[2] - change[-1]) / change[0]).item())


def test_a_kernel_that_treats_all_others_alike_has_no_structure() -> None:
    assert structure.line_structure(torch.eye(5) + 3).item() == 0


@pytest.mark.parametrize("points", [3, 5, 33])
def test_curvature_of_a_line_and_of_an_arc(points: int) -> None:
    angle = torch.linspace(0, math.pi / 2, points, dtype=torch.float64)
    arc = torch.stack([angle.cos(), angle.sin()], 1)
    expected = (1 - math.cos(math.pi / 4)) / math.sin(math.pi / 4)  # sagitta over half the chord
    assert structure.line_curvature(arc @ arc.T).item() == pytest.approx(expected)
    line = torch.outer(angle, torch.tensor([1.0, 2.0], dtype=torch.float64)) + 1
    assert structure.line_curvature(line @ line.T).item() < 1e-7


FUNCTIONS = (
    structure.line_correlation, structure.line_curvature, structure.line_structure, structure.pair_moments_without_each,
)  # fmt: skip


@pytest.mark.parametrize("matrix", [torch.ones(3), torch.ones(3, 4), torch.ones(0, 0), torch.ones(2, 3, 3)])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_no_covariance_is_refused(function, matrix: Tensor) -> None:
    with pytest.raises(ValueError, match=r"(covariance|kernel): shape"):
        function(matrix)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_entries_that_are_no_numbers_are_refused(function) -> None:
    with pytest.raises(ValueError, match="finite real numbers are needed"):
        function(torch.full((3, 3), math.nan))


def test_a_line_of_an_even_number_of_points_has_no_middle() -> None:
    with pytest.raises(ValueError, match="covariance: 4 points, but an odd number is needed"):
        structure.line_curvature(torch.eye(4))
