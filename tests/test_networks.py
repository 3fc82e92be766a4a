"""Networks against the formulas of their docstrings, written out."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from shattered_lite.networks import CReLU, Residual, fully_connected

KINDS = ["plain", "residual", "crelu", "linear"]
GATES = {
    "plain": lambda z: z.clamp(min=0),
    "residual": lambda z: z.clamp(min=0),
    "crelu": lambda z: torch.cat([z.clamp(min=0), (-z).clamp(min=0)], 1),
    "linear": lambda z: z,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_forward_is_the_formula(kind: str, batch_norm: bool) -> None:
    alpha, beta = (0.7, 0.3) if kind == "residual" else (1.0, 1.0)
    network = fully_connected(
        kind, depth=3, width=4, inputs=2, outputs=3, batch_norm=batch_norm, alpha=alpha, beta=beta
    ).double()
    stem, *layers = [child for child in network.modules() if isinstance(child, nn.Linear)]
    x = torch.randn(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    z = x @ stem.weight.T + stem.bias
    for layer in layers[:3]:
        hat = z
        if batch_norm:
            hat = (z - z.mean(0)) / (z.var(0, correction=0) + 1e-5).sqrt()
        branch = GATES[kind](hat) @ layer.weight.T
        z = alpha * (z + beta * branch) if kind == "residual" else branch
    if kind == "residual":
        z = z @ layers[3].weight.T
    torch.testing.assert_close(network(x), z, rtol=1e-12, atol=1e-12)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.sampled_from(KINDS), *[st.integers(1, 5)] * 4, st.booleans())
def test_shapes_and_gates(kind: str, depth: int, width: int, inputs: int, outputs: int, batch_norm: bool) -> None:
    network = fully_connected(kind, depth=depth, width=width, inputs=inputs, outputs=outputs, batch_norm=batch_norm)
    assert network(torch.ones(3, inputs)).shape == (3, outputs)
    counted = {name: sum(type(child) is name for child in network.modules()) for name in (nn.ReLU, CReLU, nn.Identity)}
    assert sum(counted.values()) == depth
    assert sum(isinstance(child, nn.BatchNorm1d) for child in network.modules()) == depth * batch_norm
    assert sum(isinstance(child, Residual) for child in network.modules()) == depth * (kind == "residual")
    assert sum(child.bias is not None for child in network.modules() if isinstance(child, nn.Linear)) == 1


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.integers(2, 4))
def test_crelu_doubles_the_channels_and_keeps_norm_and_information(seed: int, axes: int) -> None:
    z = torch.randn([2, 3, 4, 5][:axes], dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    gated = CReLU()(z)
    assert gated.shape == (2, 6, *z.shape[2:])
    assert (gated >= 0).all()
    torch.testing.assert_close(gated.square().sum(), z.square().sum())
    assert torch.equal(gated[:, :3] - gated[:, 3:], z)


def test_residual_says_its_scales() -> None:
    assert "alpha=0.5, beta=0.25" in repr(Residual(nn.Identity(), 0.5, 0.25))
    assert Residual(nn.Identity(), 0.5, 0.25)(torch.ones(1)).item() == 0.625


GOOD = {"kind": "plain", "depth": 2, "width": 3, "inputs": 2, "outputs": 1}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "resnet"}, r"kind='resnet': choose one of 'plain', 'residual', 'crelu', 'linear'"),
        *[
            ({name: value}, rf"{name}={value!r}: a whole number, 1 or more")
            for name in ("depth", "width", "inputs", "outputs")
            for value in (0, -2, 1.5, "3", True)
        ],
        ({"beta": 0.5}, r"alpha=1\.0, beta=0\.5: only a residual network"),
        ({"kind": "crelu", "alpha": 2.0}, r"alpha=2\.0, beta=1\.0: only a residual network"),
        ({"kind": "residual", "beta": math.nan}, r"beta=nan: a scale is positive and finite"),
        ({"kind": "residual", "beta": -0.1}, r"beta=-0\.1: a scale is positive and finite"),
        ({"kind": "residual", "alpha": 0.0}, r"alpha=0\.0: a scale is positive and finite"),
    ],
)
def test_what_is_not_allowed_is_named(wrong: dict, message: str) -> None:
    arguments = GOOD | wrong
    with pytest.raises(ValueError, match=message):
        fully_connected(arguments.pop("kind"), **arguments)
