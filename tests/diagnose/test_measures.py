"""Measures of a diagnosis against those of the package, which see the tensors themselves."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import shattered_lite as sl


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
