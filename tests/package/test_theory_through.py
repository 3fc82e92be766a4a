"""Second moments behind an activation, against quadrature in two dimensions and Price's theorem."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import special
from torch import nn
from torch.nn import functional

from shattered_lite import theory

SIGMOID = theory.Activation(special.expit, lambda z: special.expit(z) * special.expit(-z))
SPELLED = {
    **{name: name for name in theory.ACTIVATIONS},
    "sigmoid": SIGMOID,
    "absolute value": theory.leaky_relu(-1.0),
    "identity": theory.leaky_relu(1.0),
    "steep below": theory.leaky_relu(3.0),
    "of torch": torch.tanh,
    "a module": nn.ELU(),
}
TORCH = {
    **{name: getattr(functional, name) for name in theory.ACTIVATIONS},
    "sigmoid": torch.sigmoid,
    "absolute value": torch.abs,
    "identity": lambda z: z,
    "steep below": lambda z: functional.leaky_relu(z, 3.0),
    "of torch": torch.tanh,
    "a module": functional.elu,
}
NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)


def value_and_slope(name: str, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By torch and its autograd, which know nothing of the package."""
    points = torch.tensor(z, requires_grad=True)
    values = TORCH[name](points)
    [slopes] = torch.autograd.grad(values.sum(), points)
    return values.detach().numpy(), slopes.numpy()


def panels(*edges: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre between neighbouring edges, which may be arrays: one rule for each entry."""
    points, weights = [], []
    for low, high in pairwise(np.broadcast_arrays(*edges)):
        half = (high - low)[..., None] / 2
        points.append(low[..., None] + half * (NODES + 1))
        weights.append(half * WEIGHTS)
    return np.concatenate(points, -1), np.concatenate(weights, -1)


def density(z: np.ndarray) -> np.ndarray:
    return np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def by_quadrature(name: str, one: float, other: float, cosine: float) -> tuple[float, float]:
    """Over u and v of z = sqrt(q) u and sqrt(q') (c u + sqrt(1 - c^2) v); both integrals stop at the kinks."""
    rest = math.sqrt(1 - cosine**2)
    steps = [0.03, 0.3, 1.0, 3.0]
    u, of_u = panels(*np.array([-9.0, *(-step for step in reversed(steps)), 0.0, *steps, 9.0]))
    kink = np.clip(-cosine * u / rest, -9, 9)
    width = math.sqrt(other) * rest  # the steep part of a smooth gate lies about the kink, as wide as 1 / width
    edges = [np.clip(kink + step / max(width, 1), -9, 9) for step in (-8, -2, 0, 2, 8)]
    v, of_v = panels(-9.0, *edges, 9.0)
    first = value_and_slope(name, math.sqrt(one) * u)
    second = value_and_slope(name, math.sqrt(other) * (cosine * u[:, None] + rest * v))
    inner = [(each * density(v) * of_v).sum(-1) for each in second]
    value, slope = ((a * b * density(u) * of_u).sum() for a, b in zip(first, inner, strict=True))
    return float(value), float(slope)


@pytest.mark.parametrize(("one", "other"), [(1.0, 1.0), (0.01, 2.5), (0.3, 1e-6), (4.0, 4.0)])
@pytest.mark.parametrize("name", SPELLED)
def test_second_moments_are_those_of_quadrature(name: str, one: float, other: float) -> None:
    for cosine in (-0.95, -0.4, 0.0, 0.5, 0.99):
        across = cosine * math.sqrt(one * other)
        found = theory.through(SPELLED[name], covariance=[[one, across], [across, other]])
        value, slope = by_quadrature(name, one, other, cosine)
        precision = 1e-3 if max(one, other) > 1 or abs(cosine) > 0.9 else 1e-6  # the series ends at degree 60
        for each, wanted in ((found.value, value), (found.slope, slope)):
            assert each[0, 1] == pytest.approx(wanted, rel=precision, abs=1e-7)
            assert each[1, 0] == each[0, 1]


@pytest.mark.parametrize("variance", [1e-6, 0.3, 1.0, 4.0])
@pytest.mark.parametrize("name", SPELLED)
def test_at_one_input_it_is_a_mean_of_squares(name: str, variance: float) -> None:
    found = theory.through(SPELLED[name], covariance=[[variance]])
    u, weight = panels(*np.array([-9.0, -3, -1, -0.3, 0, 0.3, 1, 3, 9]))
    for each, values in zip(found, value_and_slope(name, math.sqrt(variance) * u), strict=True):
        assert each.item() == pytest.approx((values**2 * density(u) * weight).sum(), rel=1e-3)


@pytest.mark.parametrize("variance", [100.0, 1e4])
@pytest.mark.parametrize("name", SPELLED)
def test_large_signals_at_two_inputs(name: str, variance: float) -> None:
    found = theory.through(SPELLED[name], covariance=[[variance, 0.5 * variance], [0.5 * variance, variance]])
    for each, wanted in zip(found, by_quadrature(name, variance, variance, 0.5), strict=True):
        assert each[0, 1] == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "variance"),
    [(name, variance) for name in SPELLED for variance in (100.0, 1e4)],
)
def test_large_signals_at_one_input_are_followed_to_a_percent(name: str, variance: float) -> None:
    """Signals that grow are what a diagnosis is about: a root mean square of 10 or 100 is no rare size."""
    found = theory.through(SPELLED[name], covariance=[[variance]])
    u, weight = panels(*np.array([-9.0, -1, -0.3, -0.1, -0.02, 0, 0.02, 0.1, 0.3, 1, 9]))
    for each, values in zip(found, value_and_slope(name, math.sqrt(variance) * u), strict=True):
        assert each.item() == pytest.approx((values**2 * density(u) * weight).sum(), rel=0.01)


@pytest.mark.parametrize(("one", "other"), [(1.0, 1.0), (0.2, 3.0)])
@pytest.mark.parametrize("name", SPELLED)
def test_the_slope_is_the_derivative_of_the_value(name: str, one: float, other: float) -> None:
    """Price (1958): d/dk of E[phi(z) phi(z')] is E[phi'(z) phi'(z')], where k is the covariance of z and z'."""
    size, step = math.sqrt(one * other), 1e-4
    for cosine in (-0.7, 0.0, 0.3, 0.8):
        moved = [
            theory.through(SPELLED[name], covariance=[[one, size * c], [size * c, other]])
            for c in (cosine - step, cosine, cosine + step)
        ]
        numerical = (moved[2].value[0, 1] - moved[0].value[0, 1]) / (2 * step * size)
        assert moved[1].slope[0, 1] == pytest.approx(numerical, rel=1e-5, abs=1e-7)


def test_the_rectifier_in_closed_form_at_any_size() -> None:
    """Cho and Saul (2009), with another length at each input."""
    lengths, cosine = np.array([1e-30, 0.7, 1e20]), 0.3
    matrix = np.full((3, 3), cosine)
    np.fill_diagonal(matrix, 1)
    found = theory.through("relu", covariance=matrix * np.outer(lengths, lengths))
    angle = math.acos(cosine)
    value = (math.sin(angle) + (math.pi - angle) * cosine) / (2 * math.pi)
    expected = np.full((3, 3), value)
    np.fill_diagonal(expected, 0.5)
    np.testing.assert_allclose(found.value / np.outer(lengths, lengths), expected, rtol=1e-6)
    np.testing.assert_allclose(found.slope[0, 1], (math.pi - angle) / (2 * math.pi), rtol=1e-6)
    np.testing.assert_allclose(np.diagonal(found.slope), 0.5, rtol=1e-6)


@pytest.mark.parametrize("name", SPELLED)
def test_it_is_a_covariance_again(name: str) -> None:
    rows = np.random.default_rng(1).standard_normal((12, 5)) * np.linspace(0.2, 2, 12)[:, None]
    for each in theory.through(SPELLED[name], covariance=rows @ rows.T / 5):
        assert each.shape == (12, 12)
        np.testing.assert_allclose(each, each.T, rtol=1e-12)
        assert np.linalg.eigvalsh(each).min() > -1e-6 * np.trace(each)


def test_the_order_of_inputs_does_not_matter_nor_do_others() -> None:
    rows = np.random.default_rng(2).standard_normal((6, 4))
    covariance, order = rows @ rows.T / 4, [3, 0, 5]
    whole, part = (theory.through("elu", covariance=each) for each in (covariance, covariance[np.ix_(order, order)]))
    np.testing.assert_allclose(part.value, whole.value[np.ix_(order, order)], rtol=1e-12)
    np.testing.assert_allclose(part.slope, whole.slope[np.ix_(order, order)], rtol=1e-12)


@pytest.mark.parametrize(
    ("activation", "covariance", "message"),
    [
        (nn.Hardtanh(), [[1.0]], r"activation=Hardtanh.*: kinks at \(-1.0, 1.0\), but only one at 0 is allowed"),
        ("swish", [[1.0]], "activation='swish': choose one of"),
        ("relu", [1.0], r"covariance: shape \(1,\)"),
        ("relu", [[1.0, 0.5]], r"covariance: shape \(1, 2\)"),
        ("relu", [[1.0, 0.0], [0.0, 0.0]], "covariance: .* positive diagonal"),
        ("relu", [[-1.0]], "covariance: .* positive diagonal"),
        ("relu", [[math.nan]], "covariance=.*finite numbers"),
        ("relu", [[math.inf]], "covariance=.*finite numbers"),
        ("relu", "one", "covariance"),
        ("tanh", [[1.0, 5.0], [5.0, 1.0]], "covariance"),
        ("tanh", [[1.0, 0.5], [-0.5, 1.0]], "covariance"),
    ],
)
def test_what_is_no_covariance_is_refused(activation: object, covariance: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        theory.through(activation, covariance=covariance)
