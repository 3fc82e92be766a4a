"""Networks against the formulas of their docstrings, written out."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from shattered_lite.initializers import looks_linear_
from shattered_lite.networks import CReLU, Residual, convolutional, flops, fully_connected, matching_width, parameters

KINDS = ["plain", "residual", "highway", "crelu", "linear"]
SKIPS = ("residual", "highway")
GATES = {
    "plain": lambda z: z.clamp(min=0),
    "residual": lambda z: z.clamp(min=0),
    "highway": lambda z: z.clamp(min=0),
    "crelu": lambda z: torch.cat([z.clamp(min=0), (-z).clamp(min=0)], 1),
    "linear": lambda z: z,
}


def layer_of(kind: str, depth: int, alpha: float, beta: float) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """A layer, from what comes along the skip and out of the branch."""
    layers = {
        "residual": lambda skip, branch: alpha * (skip + beta * branch),
        "highway": lambda skip, branch: (1 - 1 / depth) ** 0.5 * skip + (1 / depth) ** 0.5 * branch,
    }
    return layers.get(kind, lambda skip, branch: branch)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_forward_is_the_formula(kind: str, batch_norm: bool) -> None:
    alpha, beta = (0.7, 0.3) if kind == "residual" else (1.0, 1.0)
    network = fully_connected(
        kind, depth=3, width=4, in_features=2, out_features=3, batch_norm=batch_norm, alpha=alpha, beta=beta
    ).double()
    stem, *layers = [child for child in network.modules() if isinstance(child, nn.Linear)]
    x = torch.randn(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    z = x @ stem.weight.T + stem.bias
    for layer in layers[:3]:
        hat = z
        if batch_norm:
            hat = (z - z.mean(0)) / (z.var(0, correction=0) + 1e-5).sqrt()
        branch = GATES[kind](hat) @ layer.weight.T
        z = layer_of(kind, 3, alpha, beta)(z, branch)
    if kind in SKIPS:
        z = z @ layers[3].weight.T
    torch.testing.assert_close(network(x), z, rtol=1e-12, atol=1e-12)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.sampled_from(KINDS), *[st.integers(1, 5)] * 4, st.booleans())
def test_shapes_and_gates(kind: str, depth: int, width: int, inputs: int, outputs: int, batch_norm: bool) -> None:
    depth += kind == "highway"  # which has 2 layers or more
    network = fully_connected(
        kind, depth=depth, width=width, in_features=inputs, out_features=outputs, batch_norm=batch_norm
    )
    assert network(torch.ones(3, inputs)).shape == (3, outputs)
    counted = {name: sum(type(child) is name for child in network.modules()) for name in (nn.ReLU, CReLU, nn.Identity)}
    assert sum(counted.values()) == depth
    assert sum(isinstance(child, nn.BatchNorm1d) for child in network.modules()) == depth * batch_norm
    assert sum(isinstance(child, Residual) for child in network.modules()) == depth * (kind in SKIPS)
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


@pytest.mark.parametrize(
    ("scales", "message"), [((math.nan, 1.0), "alpha=nan"), ((1.0, -1.0), "beta=-1.0"), ((0, 1.0), "alpha=0")]
)
def test_a_skip_refuses_scales_by_name(scales: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Residual(nn.Identity(), *scales)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_block_whose_beta_is_nothing_starts_as_the_identity(batch_norm: bool) -> None:
    network = fully_connected(
        "residual", depth=3, width=4, in_features=2, out_features=3, batch_norm=batch_norm, alpha=0.5, beta=0.0
    )
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network(x), network[-1](0.125 * network[0](x)))


def test_residual_says_its_scales() -> None:
    assert "alpha=0.5, beta=0.25" in repr(Residual(nn.Identity(), 0.5, 0.25))
    assert Residual(nn.Identity(), 0.5, 0.25)(torch.ones(1)).item() == 0.625


GOOD = {"kind": "plain", "depth": 2, "width": 3, "in_features": 2, "out_features": 1}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "resnet"}, r"kind='resnet': choose one of 'plain', 'residual', 'highway', 'crelu', 'linear'"),
        *[
            ({name: value}, rf"{name}={value!r}: a whole number from 1")
            for name in ("depth", "width", "in_features", "out_features")
            for value in (0, -2, 1.5, "3", True)
        ],
        ({"beta": 0.5}, r"alpha=1\.0, beta=0\.5: only a residual network"),
        ({"kind": "crelu", "alpha": 2.0}, r"alpha=2\.0, beta=1\.0: only a residual network"),
        ({"kind": "residual", "beta": math.nan}, r"beta=nan: a scale is 0 or more, and finite"),
        ({"kind": "residual", "beta": -0.1}, r"beta=-0\.1: a scale is 0 or more, and finite"),
        ({"kind": "residual", "alpha": 0.0}, r"alpha=0\.0: a scale is positive and finite"),
        ({"kind": "residual", "alpha": math.nan}, r"alpha=nan: a scale is positive and finite"),
        ({"kind": "residual", "alpha": "1"}, r"alpha='1': a scale is positive"),
        ({"kind": "residual", "beta": True}, r"beta=True: a scale is 0 or more"),
        ({"kind": "highway", "beta": 0.5}, r"alpha=1\.0, beta=0\.5: only a residual network"),
        ({"kind": "highway", "depth": 1}, r"depth=1: the one layer of a highway network would be all branch"),
        ({"kind": ["plain"]}, r"kind=\['plain'\]: choose one of"),
        ({"batch_norm": math.nan}, r"batch_norm=nan: True or False"),
        ({"depth": 2**31}, r"depth=2147483648: a whole number from 1 to 1,000,000"),
    ],
)
def test_what_is_not_allowed_is_named(wrong: dict, message: str) -> None:
    arguments = GOOD | wrong
    with pytest.raises(ValueError, match=message):
        fully_connected(arguments.pop("kind"), **arguments)


SIZES = {"kind": "plain", "depth": 5, "width": 3, "input_shape": (2, 8, 8), "out_features": 4}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_convolutional_forward_is_the_formula(kind: str, batch_norm: bool) -> None:
    """Convolutions by the definition of the kernel, squares of pixels by indices, one layer at a time."""
    alpha, beta = (0.7, 0.3) if kind == "residual" else (1.0, 1.0)
    network = convolutional(**SIZES | {"kind": kind}, patch=2, batch_norm=batch_norm, alpha=alpha, beta=beta).double()
    stem, *layers = [child.weight for child in network.modules() if isinstance(child, nn.Conv2d)]
    x = torch.randn(6, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    z = _convolve(_squares_as_channels(x), stem) + network[0][-1].bias[:, None, None]
    for index, weight in enumerate(layers):
        hat = z
        if batch_norm:
            hat = (z - z.mean((0, 2, 3), keepdim=True)) / (z.var((0, 2, 3), correction=0, keepdim=True) + 1e-5).sqrt()
        gated = GATES[kind](hat)
        narrowing = index in (1, 3)
        branch = _convolve(_squares_as_channels(gated) if narrowing else gated, weight)
        z = branch if narrowing else layer_of(kind, 5, alpha, beta)(z, branch)
    torch.testing.assert_close(network(x), z.mean((2, 3)) @ network[-1].weight.T, rtol=1e-12, atol=1e-12)


def _squares_as_channels(x: torch.Tensor) -> torch.Tensor:
    """Channel c of pixel (2i + a, 2j + b) becomes channel 4c + 2a + b of pixel (i, j)."""
    return torch.stack([x[:, c, a::2, b::2] for c in range(x.shape[1]) for a in (0, 1) for b in (0, 1)], 1)


def _convolve(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Nine shifts of the image, what comes from beyond its border being zero."""
    height, width = x.shape[2:]
    padded = torch.zeros(*x.shape[:2], height + 2, width + 2, dtype=x.dtype)
    padded[:, :, 1:-1, 1:-1] = x
    shifts = [(a, b) for a in range(3) for b in range(3)]
    return sum(
        torch.einsum("oc,ncij->noij", weight[:, :, a, b], padded[:, :, a : a + height, b : b + width])
        for a, b in shifts
    )


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.sampled_from(KINDS), st.integers(2, 9), *[st.integers(1, 3)] * 5, st.booleans())
def test_convolutional_shapes_gates_and_stages(
    kind: str, depth: int, width: int, channels: int, outputs: int, patch: int, size: int, batch_norm: bool
) -> None:
    inputs = (channels, 4 * patch * size, 8 * patch)
    network = convolutional(
        kind, depth=depth, width=width, input_shape=inputs, out_features=outputs, patch=patch, batch_norm=batch_norm
    )
    assert network(torch.ones(3, *inputs)).shape == (3, outputs)
    counted = [sum(type(child) is gate for child in network.modules()) for gate in (nn.ReLU, CReLU, nn.Identity)]
    assert sum(counted) == depth
    assert sum(isinstance(child, nn.BatchNorm2d) for child in network.modules()) == depth * batch_norm
    assert sum(isinstance(child, Residual) for child in network.modules()) == (depth - 2) * (kind in SKIPS)
    convolutions = [child for child in network.modules() if isinstance(child, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == sorted(layer.out_channels for layer in convolutions)
    assert {layer.out_channels for layer in convolutions} == {width, 2 * width, 4 * width}
    stages = [sum(layer.out_channels == 2**stage * width for layer in convolutions) for stage in range(3)]
    assert max(stages) - min(stages) <= 2  # the stem counts in the first
    assert [layer.bias is not None for layer in convolutions] == [True] + [False] * depth


@pytest.mark.parametrize("kind", SKIPS)
def test_networks_with_skips_cost_what_plain_ones_do(kind: str) -> None:
    for batch_norm in (False, True):
        plain, other = (convolutional(**SIZES | {"kind": each}, batch_norm=batch_norm) for each in ("plain", kind))
        assert parameters(plain) == parameters(other)
        assert flops(plain, (2, 8, 8)) == flops(other, (2, 8, 8))


def test_squares_of_concatenated_channels_keep_the_mirror() -> None:
    """Positive parts stay in the first half of the channels and their negatives in the same order in the second."""
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(2, 3, 4, 4, generator=generator)
    weight = torch.randn(5, 12, generator=generator)
    squares = nn.PixelUnshuffle(2)(CReLU()(z))
    mirrored = torch.einsum("oc,ncij->noij", torch.cat([weight, -weight], dim=1), squares)
    torch.testing.assert_close(mirrored, torch.einsum("oc,ncij->noij", weight, _squares_as_channels(z)))


def test_a_looks_linear_convolutional_network_is_linear() -> None:
    generator = torch.Generator().manual_seed(2)
    network = looks_linear_(convolutional(**SIZES | {"kind": "crelu"}, patch=2), generator=generator).double()
    x, y = torch.randn(2, 3, 2, 8, 8, dtype=torch.float64, generator=generator)
    torch.testing.assert_close(network(2 * x - 3 * y), 2 * network(x) - 3 * network(y), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "resnet"}, r"kind='resnet': choose one of 'plain', 'residual', 'highway', 'crelu', 'linear'"),
        *[
            ({name: value}, rf"{name}={value!r}: a whole number from 1")
            for name in ("depth", "width", "out_features", "patch")
            for value in (0, -2, 1.5, "3", True)
        ],
        ({"input_shape": ()}, r"input_shape=\(\): channels, height and width"),
        ({"input_shape": (2, 8)}, r"input_shape=\(2, 8\): channels, height and width"),
        ({"input_shape": (2, 8, 8, 8)}, r"input_shape=\(2, 8, 8, 8\): channels, height and width"),
        ({"input_shape": 8}, r"input_shape=8: channels, height and width"),
        (
            {"input_shape": (2, 8.0, 8)},
            r"input_shape=\(2, 8\.0, 8\): with patch=1, height and width must be multiples of 4",
        ),
        ({"batch_norm": "no"}, r"batch_norm='no': True or False"),
        ({"input_shape": (0, 8, 8)}, r"channels=0: a whole number from 1"),
        ({"depth": 1}, r"depth=1: 3 stages need 2 layers between them"),
        ({"input_shape": (2, 8, 6)}, r"input_shape=\(2, 8, 6\): with patch=1, height and width must be multiples of 4"),
        ({"patch": 4}, r"input_shape=\(2, 8, 8\): with patch=4, height and width must be multiples of 16"),
        ({"input_shape": (2, 0, 8)}, r"input_shape=\(2, 0, 8\): with patch=1, height and width must be multiples of 4"),
        ({"beta": 0.5}, r"alpha=1\.0, beta=0\.5: only a residual network"),
    ],
)
def test_what_a_convolutional_network_refuses_is_named(wrong: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        convolutional(**SIZES | wrong)


def test_parameters_and_operations_counted_by_hand() -> None:
    """Width 3, depth 5 on 8 x 8 pixels: stages of 1, 1 and 1 ordinary layers on 64, 16 and 4 pixels."""
    stem, layers, between, head = 9 * 2 * 3, (9 * 3**2, 9 * 6**2, 9 * 12**2), (9 * 12 * 6, 9 * 24 * 12), 12 * 4
    for kind, copies in (("plain", 1), ("crelu", 2), ("linear", 1)):
        network = convolutional(**SIZES | {"kind": kind})
        assert parameters(network) == stem + 3 + copies * (sum(layers) + sum(between)) + head
        products = stem * 64 + copies * (
            layers[0] * 64 + between[0] * 16 + layers[1] * 16 + between[1] * 4 + layers[2] * 4
        )
        assert flops(network, (2, 8, 8)) == 2 * (products + head)
    normalised = convolutional(**SIZES, batch_norm=True)
    assert parameters(normalised) == parameters(convolutional(**SIZES)) + 2 * (3 + 3 + 6 + 6 + 12)
    normalised[0].requires_grad_(False)
    assert parameters(normalised) == parameters(convolutional(**SIZES)) + 60 - stem - 3


def test_operations_are_counted_without_computing() -> None:
    with torch.device("meta"):
        network = convolutional(**SIZES)
    assert flops(network, (2, 8, 8)) == flops(convolutional(**SIZES), (2, 8, 8))


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(1, 40), st.integers(1, 9), st.integers(2, 60_000))
def test_matching_width_is_the_best_of_all_widths(inputs: int, depth: int, target: int) -> None:
    """A scan, with costs written out: stem and its bias, concatenated layers, three outputs."""

    def build(width: int) -> nn.Module:
        return fully_connected("crelu", depth=depth, width=width, in_features=inputs, out_features=3)

    costs = {width: (inputs + 1) * width + 2 * (depth - 1) * width**2 + 6 * width for width in range(1, 10_000)}
    if costs[1] > 2 * target:
        with pytest.raises(ValueError, match=rf"target={target}: the narrowest network costs {costs[1]}"):
            matching_width(build, parameters, target)
    else:
        found = matching_width(build, parameters, target)
        assert abs(costs[found] - target) == min(abs(cost - target) for cost in costs.values())


@pytest.mark.parametrize("target", [math.nan, math.inf, 0, -3, "5", True])
def test_a_target_that_is_no_cost_is_refused(target) -> None:
    with pytest.raises(ValueError, match=rf"target={target!r}: a positive, finite cost"):
        matching_width(lambda width: nn.Linear(width, width), parameters, target)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [(3, "input_shape=3: the shape"), ("3", "input_shape='3'"), ((3.0,), r"input_shape=3\.0: a whole number")],
)
def test_a_shape_that_is_none_is_refused(inputs, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        flops(nn.Linear(3, 2), inputs)


def test_a_network_without_parameters_costs_nothing() -> None:
    assert parameters(nn.ReLU()) == flops(nn.ReLU(), (3,)) == 0
