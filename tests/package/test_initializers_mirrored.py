"""The mirror that is turned, and the Gaussian one, against their definition and the proposition on half a mirror."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from scipy import stats
from test_initializers_layers import assert_refused_and_unchanged, rng
from torch import Tensor, nn

from shattered_lite.initializers import mirrored_
from shattered_lite.networks import CReLU, convolutional, fully_connected

ANGLES = (0, 40, 90, 180)


def halves(layer: nn.Module) -> tuple[Tensor, Tensor]:
    first, second = layer.weight.detach().double().flatten(2)[..., 4 if layer.weight.ndim == 4 else 0].chunk(2, dim=1)
    return first, second


def networks(draws: int, **options) -> Iterator[nn.Sequential]:
    generator = rng(7)
    for _ in range(draws):
        network = fully_connected("crelu", depth=3, width=24, in_features=24, out_features=24)
        yield mirrored_(network, generator=generator, **options)


def agrees(values: list[float] | np.ndarray, expected: float) -> bool:
    """Within four standard errors: one false alarm in 16,000."""
    return abs(np.mean(values) - expected) <= 4 * stats.sem(values) + 1e-6


@pytest.mark.parametrize("turn", ANGLES)
def test_the_second_half_is_the_first_one_turned(turn: float) -> None:
    """What is left when the part along the first is taken away is orthogonal too, and independent of the first."""
    cosine, sine, overlaps = math.cos(math.radians(turn)), math.sin(math.radians(turn)), []
    for network in networks(50, turn=turn):
        stem, *gated = [child for child in network.modules() if isinstance(child, nn.Linear)]
        torch.testing.assert_close(stem.weight @ stem.weight.mT, torch.eye(24), rtol=0, atol=1e-5)
        for layer in gated:
            first, second = layer.weight.detach().double().chunk(2, dim=1)
            torch.testing.assert_close(first @ first.mT, torch.eye(24).double(), rtol=0, atol=1e-5)
            other = -second - cosine * first
            torch.testing.assert_close(other @ other.mT, sine**2 * torch.eye(24).double(), rtol=0, atol=1e-5)
            overlaps.append((first * other).sum().item() / 24)
    assert agrees(overlaps, 0)
    assert 0.5 < np.var(overlaps) * 24**2 / sine**2 < 2 if turn in (40, 90) else np.var(overlaps) < 1e-10


def test_a_convolution_is_mirrored_at_the_centre_of_its_kernel() -> None:
    network = convolutional("crelu", depth=4, width=4, input_shape=(3, 8, 8), out_features=4)
    mirrored_(network, turn=60, generator=rng())
    for layer in [child for child in network.modules() if isinstance(child, nn.Conv2d)][1:]:
        weight = layer.weight.detach().clone()
        first, second = weight[:, :, 1, 1].chunk(2, dim=1)
        size = min(first.shape)
        gram = first @ first.mT if first.shape[0] <= first.shape[1] else first.mT @ first
        torch.testing.assert_close(gram, torch.eye(size), rtol=0, atol=1e-5)
        assert not torch.allclose(second, -first, atol=0.1)
        weight[:, :, 1, 1] = 0
        assert not weight.any()


def test_a_gaussian_mirror_is_gaussian_and_a_mirror() -> None:
    drawn = []
    for network in networks(20, gaussian=True):
        stem, *gated = [child.weight.detach() for child in network.modules() if isinstance(child, nn.Linear)]
        drawn.append(stem)
        for weight in gated:
            first, second = weight.chunk(2, dim=1)
            assert torch.equal(second, -first)
            drawn.append(first)
    entries = torch.stack(drawn).double().flatten().numpy() * 24**0.5
    assert stats.kstest(entries, "norm").pvalue > 1e-4
    assert abs(entries.var() - 1) < 4 * (2 / entries.size) ** 0.5


@pytest.mark.parametrize("gaussian", [False, True])
@pytest.mark.parametrize("turn", ANGLES)
def test_gradients_agree_as_half_a_mirror_says(turn: float, gaussian: bool) -> None:
    """Of one gate, where signs are independent: the mean product is the squared cosine of half of the angle."""
    products, squares, lengths = [], [], []
    for network in networks(300, turn=turn, gaussian=gaussian):
        z = torch.randn(2, 24, generator=rng(len(products))).requires_grad_()
        gate, layer = network[1]
        outputs = layer(gate(z))
        here, there = torch.autograd.grad(outputs[:, 0].sum(), z)[0].double()
        products.append((here @ there).item())
        squares.append((here @ here).item())
        lengths.append((outputs.square().sum() / z.square().sum()).item())
    assert agrees(products, math.cos(math.radians(turn) / 2) ** 2)
    assert agrees(squares, 1)
    assert agrees(lengths, 1)


@pytest.mark.parametrize("wrong", [-1, 181, math.nan, "45", True])
def test_an_angle_that_is_none_is_named(wrong: object) -> None:
    network = fully_connected("crelu", depth=2, width=4, in_features=3, out_features=2)
    assert_refused_and_unchanged(f"turn={wrong!r}: an angle from 0 to 180", mirrored_, network, turn=wrong)


def test_what_cannot_be_mirrored_is_named() -> None:
    plain = fully_connected("plain", depth=2, width=4, in_features=3, out_features=2)
    assert_refused_and_unchanged("module: no CReLU in it", mirrored_, plain)
    normed = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), CReLU(), nn.Linear(8, 4))
    assert_refused_and_unchanged("BatchNorm1d, which is not linear", mirrored_, normed)
    with pytest.raises(ValueError, match="gaussian=1: True or False"):
        mirrored_(normed, gaussian=1)
