"""The tangent kernel, against networks whose weights correlate, closed forms, and autograd on real modules."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
import numpy as np
import pytest
import torch
from torch import Tensor, nn

import shattered_lite as sl
from shattered_lite import theory

CHI = math.pi / (math.pi - 1)
BATCH_NORM = {"centred": True, "normalised": True}
NETWORKS = {
    "plain": {},
    "plain, centred": {"centred": True},
    "plain, batch norm": BATCH_NORM,
    "residual": {"kept": 1.0, "added": 0.5},
    "residual, layer norm": {"kept": 1.0, "normalised": True},
    "residual, batch norm": {"kept": 1.0, "added": 0.3} | BATCH_NORM,
    "highway": {"kept": 0.64, "added": 0.36},
}


def correlated_outputs(
    q: mpmath.mpf, cosine: mpmath.mpf, depth: int, network: dict, moving: bool, readout: bool
) -> mpmath.mpf:
    """Covariance of the outputs of two wide rectifier networks at two inputs, whose weights have correlation q.

    A mean over inputs that moves with the weights correlates as they do; a frozen one is the same in both networks.
    """
    kept, added = mpmath.mpf(network.get("kept", 0.0)), mpmath.mpf(network.get("added", 1.0))
    mean = 1 / mpmath.pi if network.get("centred") else mpmath.mpf(0)
    values = normed = cosine
    variance = mpmath.mpf(1)
    for _ in range(depth):
        angle = mpmath.acos(normed / variance)
        dual = (mpmath.sin(angle) + (mpmath.pi - angle) * mpmath.cos(angle)) / mpmath.pi
        scale = added * (1 if network.get("normalised") else variance)
        values = kept * values + scale * q * dual
        normed = kept * normed + scale * (q * dual - (q * mean if moving else mean))
        variance = kept * variance + scale * (1 - mean)
    return q * values if readout else values


@pytest.mark.parametrize("readout", [False, True])
@pytest.mark.parametrize("statistics", ["frozen", "differentiated"])
@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_the_slope_of_similarity_in_the_correlation_of_weights(name: str, statistics: str, readout: bool) -> None:
    """For Gaussian weights the derivative of E[f(i) g(j)] by their covariance is the mean product of derivatives."""
    cosines, step = [-0.7, 0.0, 0.4, 0.95, 1.0], mpmath.mpf(10) ** -30
    for depth in (1, 2, 9):
        kernel = theory.tangent_kernel(depth, cosine=cosines, statistics=statistics, readout=readout, **NETWORKS[name])
        with mpmath.workdps(80):
            ends = [
                [
                    correlated_outputs(q, mpmath.mpf(c), depth, NETWORKS[name], statistics != "frozen", readout)
                    for c in cosines
                ]
                for q in (mpmath.mpf(1), 1 - step)
            ]
            slopes = [float((one - other) / step) for one, other in zip(*ends, strict=True)]
        np.testing.assert_allclose(kernel.relative * kernel.own, slopes, rtol=1e-7)


def test_its_constant_part_is_a_quotient_of_sums() -> None:
    for depth in (1, 4, 12):
        k = np.arange(depth)
        plain = np.sum((CHI / 2) ** k) / np.sum(CHI**k) / math.pi
        moving = 1 / math.pi / (1 + np.sum(CHI ** k[:-1]))
        assert theory.tangent_kernel(depth, **BATCH_NORM).relative == pytest.approx(plain, rel=1e-12)
        assert theory.tangent_kernel(depth, centred=True).relative == pytest.approx(plain, rel=1e-12)
        found = theory.tangent_kernel(depth, statistics="differentiated", **BATCH_NORM).relative
        assert found == pytest.approx(moving, rel=1e-12)
    for beta in (0.1, 1.0):
        shares = beta**2 / (1 + (1 - 1 / math.pi) * beta**2 * np.arange(40))
        behind = [np.prod(1 + shares[m:] / 2) for m in range(1, 41)], [np.prod(1 + shares[m:]) for m in range(1, 41)]
        below, own = (np.sum(products) for products in behind)
        network = {"kept": 1.0, "added": beta**2} | BATCH_NORM
        assert theory.tangent_kernel(40, **network).relative == pytest.approx(below / own / math.pi, rel=1e-12)
        with_readout = (40 + below) * beta**2 / math.pi / (1 + (40 + own) * beta**2)
        found = theory.tangent_kernel(40, readout=True, **network).relative
        assert found == pytest.approx(with_readout, rel=1e-12)


def test_other_activations_by_a_grid_of_two_normals() -> None:
    points, weights = np.polynomial.hermite_e.hermegauss(200)
    weights = weights / weights.sum()
    grid = np.outer(weights, weights)

    def pair(function: Callable[[np.ndarray], np.ndarray], c: float) -> float:
        other = c * points[:, None] + math.sqrt(1 - c * c) * points
        return float(np.sum(grid * function(points)[:, None] * function(other)))

    rho, square, expected = 0.5, pair(np.tanh, 1.0), 0.0
    for _ in range(3):
        slope = pair(lambda z: 1 - np.tanh(z) ** 2, rho) / square
        rho = pair(np.tanh, rho) / square
        expected = slope * expected + rho
    kernel = theory.tangent_kernel(3, cosine=0.5, activation="tanh")
    assert kernel.relative * kernel.own == pytest.approx(expected, rel=1e-9)
    linear = theory.tangent_kernel(7, cosine=[-0.3, 0.8], activation=theory.leaky_relu(1.0))
    np.testing.assert_allclose(linear.relative, [-0.3, 0.8], rtol=1e-12)
    np.testing.assert_allclose(linear.own, 7, rtol=1e-12)


def test_structure_falls_like_the_depth_over_two_to_the_depth() -> None:
    """At depth 30 seven digits of the difference are left."""
    depths = np.arange(20, 31)
    relative = theory.tangent_kernel(depths, cosine=[0.0, 0.5], **BATCH_NORM).relative
    scaled = (relative[:, 1] - relative[:, 0]) * 2.0**depths / depths
    np.testing.assert_allclose(scaled, scaled[-1], rtol=0.01)


def test_a_thousand_layers_do_not_overflow() -> None:
    kernel = theory.tangent_kernel([1, 5_000], cosine=[[0.0], [0.5]], kept=1.0, readout=True)
    assert kernel.relative.shape == (2, 2, 1)
    assert kernel.log_own.shape == (2, 1, 1)
    assert np.all(np.isfinite(kernel.relative))
    assert np.all(np.isfinite(kernel.log_own))
    assert kernel.own[1] == math.inf
    deep = theory.tangent_kernel(5_000, **BATCH_NORM)
    assert float(deep.log_own) == pytest.approx(5_000 * math.log(CHI) - math.log(CHI - 1), rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": 0}, r"depth=0: without a layer there are no weights"),
        ({"depth": 1.5}, r"depth=1\.5: a number of layers is whole"),
        ({"depth": 2, "cosine": 1.2}, r"cosine=1\.2: a correlation lies between -1 and 1"),
        ({"depth": 2, "kept": 1.0, "added": 0.0}, r"added=0\.0: the weights of a branch of scale 0 have no gradient"),
        ({"depth": 2, "kept": -1.0}, r"kept=-1\.0: squared scales are 0 or more"),
        ({"depth": 2, "statistics": "moving"}, r"statistics='moving'"),
        ({"depth": 2, "readout": 1}, r"readout=1"),
    ],
)
def test_bad_arguments_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        theory.tangent_kernel(**arguments)


def gram(network: nn.Sequential, inputs: Tensor, examples: int, moving: bool) -> Tensor:
    """Inner products of the gradients by all weights but the first map's; statistics of the batch, moving or not."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm1d)]
    for norm in norms:
        norm.momentum = 1.0
    network.train()
    if norms and not moving:
        with torch.no_grad():
            network(inputs)
        network.eval()
    outputs = network(inputs)[:examples, 0]
    weights = [module.weight for module in network.modules() if isinstance(module, nn.Linear)][1:]
    rows = [torch.autograd.grad(output, weights, retain_graph=True) for output in outputs]
    gradients = torch.stack([torch.cat([part.flatten() for part in row]) for row in rows]).double()
    return gradients @ gradients.T


def measured(
    kind: str, *, depth: int, batch: int, networks: int, moving: bool, seed: int, **options: object
) -> np.ndarray:
    """Mean inner products of examples of cosine 0.6 and 0, and of an example and itself: one row a network."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.eye(batch) * math.sqrt(batch / 2)  # He weights make of them values of variance 1
    inputs[1::2] = 0.6 * inputs[0::2] + 0.8 * inputs[1::2]
    width, pairs, rows = 200, 8, []
    partner = torch.eye(2 * pairs).reshape(pairs, 2, -1).flip(1).reshape(2 * pairs, -1).bool()
    stranger = ~partner & ~torch.eye(2 * pairs).bool()
    for _ in range(networks):
        network = sl.networks.fully_connected(
            kind, depth=depth, width=width, in_features=batch, out_features=1, **options
        )
        found = gram(sl.he_(network, generator=generator), inputs, 2 * pairs, moving)
        rows.append([found[partner].mean(), found[stranger].mean(), found.diagonal().mean()])
    return np.array(rows)


def ratios(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ratios of means to the last column, and their standard errors."""
    means = rows.mean(0)
    ratio = means[:2] / means[2]
    deviation = (rows[:, :2] - ratio * rows[:, 2:]) / means[2]
    return ratio, deviation.std(0, ddof=1) / math.sqrt(len(rows))


@pytest.mark.parametrize(
    ("kind", "options", "arguments", "moving"),
    [
        ("plain", {}, {}, False),
        ("plain", {"batch_norm": True}, BATCH_NORM, False),
        ("plain", {"batch_norm": True}, BATCH_NORM, True),
        ("residual", {"batch_norm": True}, {"kept": 1.0, "readout": True} | BATCH_NORM, False),
        (
            "residual",
            {"batch_norm": True, "beta": 0.3},
            {"kept": 1.0, "added": 0.09, "readout": True} | BATCH_NORM,
            True,
        ),
    ],
)
def test_parameter_gradients_of_real_modules(kind: str, options: dict, arguments: dict, moving: bool) -> None:
    """A batch twice as large takes the first order in one over its size away; what is left is below the error."""
    statistics = "differentiated" if moving else "frozen"
    predicted = theory.tangent_kernel(3, cosine=[0.6, 0.0], statistics=statistics, **arguments).relative
    sizes = ({"batch": 100, "networks": 40}, {"batch": 200, "networks": 60})
    found = [ratios(measured(kind, depth=3, moving=moving, seed=5, **size, **options)) for size in sizes]
    (small, error), (large, less) = found
    total = np.sqrt(error**2 + 4 * less**2)
    assert np.all(np.abs(2 * large - small - predicted) < 4 * total)
    assert np.all(total < 0.05 * predicted)  # an error of a fifth would be seen
