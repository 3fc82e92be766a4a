"""Theory of a network operation by operation, against the theorems and against sampled networks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from shattered_lite import theory
from shattered_lite.theory import Step

RELU = theory.activation("relu")


def chain(depth: int) -> list[Step]:
    """Rectifiers of He's weights, the last layer of which is the output."""
    steps = [Step()]
    for _ in range(depth):
        steps.append(Step((len(steps) - 1,), gain=2.0, back=2.0))
        steps.append(Step((len(steps) - 1,), activation=RELU))
    return steps


@pytest.mark.parametrize("depth", [1, 2, 10])
def test_a_chain_of_rectifiers_follows_the_theory_of_plain_networks(depth: int) -> None:
    steps = chain(depth)
    covariance = np.eye(2)
    covariances = {0: covariance}
    for place, step in enumerate(steps[1:], 1):
        before = covariances[place - 1]
        covariances[place] = theory.through("relu", covariance=before).value if step.activation else step.gain * before
    assert theory.mean_squares(steps, squares={0: 1.0}) == pytest.approx(
        [covariances[place][0, 0] for place in range(len(steps))]
    )
    first = theory.gradient_covariances(steps, output=len(steps) - 1, start=np.ones((2, 2)), covariances=covariances)[0]
    expected = theory.plain_uncentred(depth)
    assert first[0, 1] / first[0, 0] == pytest.approx(float(expected.covariance / expected.variance), abs=1e-10)


def test_a_skip_adds_and_a_dead_end_hears_nothing() -> None:
    steps = [
        Step(),
        Step((0,), gain=0.5, offset=3.0, back=0.5),
        Step((0, 1), gain=1.0, back=1.0),
        Step((1,), 1.0, 0, 1.0),
    ]
    assert theory.mean_squares(steps, squares={0: 4.0}) == [4, 5, 9, 5]
    found = theory.gradient_covariances(steps, output=2, start=np.ones((2, 2)), covariances={})
    assert [each[0, 0] for each in found] == [1.5, 1, 1, 0]


def test_what_is_unknown_hides_what_lies_behind_it() -> None:
    """Sizes are unknown after it, gradients before it, and on other ways both are known."""
    steps = [
        Step(),
        Step((0,)),
        Step((1,), gain=2.0, back=2.0),
        Step(),
        Step((3,), gain=2.0, back=2.0),
        Step((2, 4), 1.0, 0, 1.0),
    ]
    squares = theory.mean_squares(steps, squares={0: 1.0, 3: 1.0})
    assert [math.isnan(square) for square in squares] == [False, True, True, False, False, True]
    found = theory.gradient_covariances(steps, output=5, start=np.ones((2, 2)), covariances={})
    assert [each is None for each in found] == [True, False, False, False, False, False]
    assert found[3][0, 0] == 2


def test_a_gain_of_zero_ends_what_came_before() -> None:
    steps = [Step(), Step((0,)), Step((1,), gain=0.0, offset=1.0, back=0.0)]
    assert theory.mean_squares(steps, squares={0: 1.0})[2] == 1


def test_gates_of_a_signal_that_nobody_measured_are_unknown() -> None:
    steps = chain(1)
    found = theory.gradient_covariances(steps, output=2, start=np.ones((2, 2)), covariances={})
    assert found[1] is None
    assert found[2] is not None


def test_sizes_and_gradients_of_drawn_networks() -> None:
    """500 networks with a skip and a bias: each size within four standard errors."""
    width, generator = 40, torch.Generator().manual_seed(0)
    inputs = torch.randn(1, width, generator=generator, dtype=torch.float64)
    inputs /= inputs.square().mean().sqrt()
    seen = {}
    for _ in range(500):
        one, two = (nn.Linear(width, width, dtype=torch.float64) for _ in range(2))
        for weights, size in ((one.weight, 1.5), (two.weight, 0.3), (one.bias, 0.5 * width), (two.bias, 0)):
            nn.init.normal_(weights, std=(size / width) ** 0.5, generator=generator)
        x = inputs.clone().requires_grad_()
        first = one(x)
        skip = first + two(torch.relu(first))
        weights = torch.randn(width, generator=generator, dtype=torch.float64)
        [gradient] = torch.autograd.grad(skip @ weights, [x])
        for name, square in (("first", first), ("skip", skip)):
            seen.setdefault(name, []).append(square.detach().square().mean())
        seen.setdefault("gradient", []).append(gradient.square().sum())
    steps = [
        Step(), Step((0,), gain=1.5, offset=0.5, back=1.5), Step((1,), activation=RELU),
        Step((2,), gain=0.3, back=0.3), Step((1, 3), gain=1.0, back=1.0),
    ]  # fmt: skip
    squares = theory.mean_squares(steps, squares={0: 1.0})
    start, covariances = np.full((1, 1), float(width)), {1: np.full((1, 1), squares[1])}
    back = theory.gradient_covariances(steps, output=4, start=start, covariances=covariances)[0]
    for name, expected in (("first", squares[1]), ("skip", squares[4]), ("gradient", back[0, 0])):
        values = torch.stack(seen[name])
        assert abs(values.mean().item() - expected) < 4 * values.std().item() / len(values) ** 0.5, name


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.mean_squares([Step((0,))], squares={}), r"steps: number 0 has sources \(0,\)"),
        (lambda: theory.mean_squares([Step(), Step((-1,))], squares={0: 1.0}), r"steps: number 1 has sources \(-1,\)"),
        (lambda: theory.mean_squares([Step()], squares={}), r"squares=\{\}: step 0 has no sources"),
        (
            lambda: theory.gradient_covariances([Step()], output=1, start=np.eye(1), covariances={}),
            "output=1: a place from 0 to 0",
        ),
    ],
)
def test_what_is_no_network_is_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
