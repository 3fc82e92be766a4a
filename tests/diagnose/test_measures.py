"""Measures of a diagnosis against those of the package, which see the tensors themselves."""

from __future__ import annotations

import ast

import pytest
import torch
from torch import nn

import shattered_lite as sl
from tools.site import ROOT, address


def test_the_scale_is_the_gradient_scale_coefficient() -> None:
    """At an activation's output, whose signals and gradients are taken by hand."""
    generator = torch.Generator().manual_seed(0)
    first, last = nn.Sequential(nn.Linear(9, 12), nn.Tanh()), nn.Linear(12, 5)
    inputs = torch.randn(20, 9, generator=generator)
    layers = {
        layer.operation: layer for layer in sl.diagnose(nn.Sequential(first, last), inputs, directions=500).layers
    }
    with torch.no_grad():
        signals = first(inputs)
        outputs = last(signals)
    rows = last.weight.detach().repeat(20, 1)  # of the Jacobian, at each input
    exact = sl.structure.gradient_scale_coefficient(signals, outputs, rows).item()
    assert layers["tanh"].scale == pytest.approx(exact, rel=0.06)  # 500 combinations: 4 standard errors


def test_correlation_and_size_are_those_of_input_gradients() -> None:
    network = nn.Sequential(nn.Linear(9, 12), nn.ReLU(), nn.Linear(12, 1, bias=False))
    inputs = torch.randn(20, 9, generator=torch.Generator().manual_seed(0))
    gradients = sl.input_gradients(network, inputs)
    first = sl.diagnose(network, inputs).layers[0]  # of one output all combinations are alike
    assert first.correlation == pytest.approx(sl.structure.correlation(gradients).item(), rel=1e-5)


def test_the_page_of_every_finding_is_in_the_book() -> None:
    """Where the built book has it: a page lies at its root."""
    trees = [ast.parse(path.read_text()) for path in (ROOT / "shattered_lite/_judging").glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    pages = {file.stem for file in (ROOT / "book").glob("*.md")}
    named = {word for word in words if word in pages or ("-" in word and " " not in word)}
    assert named <= pages
    assert {"any-activation", "one-curve", "who-is-active"} <= named
    found = sl.diagnose(nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2)), torch.randn(16, 8))
    assert f"Why: {address('Homepage')}/looks-linear.html" in str(found)


def test_an_autocorrelation_begins_at_one_and_is_that_of_the_gradients_on_the_line() -> None:
    network = nn.Sequential(nn.Linear(9, 12), nn.ReLU(), nn.Linear(12, 1, bias=False))
    inputs = torch.randn(20, 9, generator=torch.Generator().manual_seed(0))
    far = (inputs - inputs[0]).norm(dim=1).argmax()
    share = torch.linspace(0, 1, 33)[:, None]
    gradients = sl.input_gradients(network, (1 - share) * inputs[0] + share * inputs[far])
    first = sl.diagnose(network, inputs).layers[0]
    lengths = gradients.norm(dim=1)
    for lag, found in enumerate(first.autocorrelation):
        one, other = slice(0, 33 - lag), slice(lag, 33)
        expected = (gradients[one] * gradients[other]).sum() / (lengths[one] * lengths[other]).sum()
        assert found == pytest.approx(expected.item(), rel=1e-4, abs=1e-6)
    assert first.nearby == first.autocorrelation[1]


def test_inputs_of_zero_before_a_head_of_zero_are_diagnosed() -> None:
    network = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3, bias=False))
    nn.init.zeros_(network[1].weight)
    nn.init.zeros_(network[0].bias)
    assert "Zero at the start" not in str(sl.diagnose(network, torch.zeros(6, 4)))


def test_dropout_that_draws_is_no_step_that_theory_knows() -> None:
    class Dropping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(8, 8), nn.Linear(8, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.two(nn.functional.dropout(self.one(x), 0.5))

    with torch.random.fork_rng():
        torch.manual_seed(0)
        first, *_, last = sl.diagnose(Dropping(), torch.randn(16, 8)).layers
    assert first.expected_gradient != first.expected_gradient  # nan
    assert last.expected_gradient > 0
