"""One curve for every network: its forms against each other, against autograd of the map, and duals that are known."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
import numpy as np
import pytest
import torch
from scipy import special

from shattered_lite import theory
from shattered_lite.theory._dual import dual

DEPTHS = np.array([0, 1, 2, 7, 40, 300])


def same(found: theory.Moments, expected: theory.Moments) -> None:
    np.testing.assert_allclose(found.log_variance, expected.log_variance, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found.log_correlation, expected.log_correlation, rtol=1e-10, atol=1e-10)
    np.testing.assert_array_equal(found.sign, np.broadcast_to(expected.sign, found.sign.shape))


@pytest.mark.parametrize(
    ("network", "form"),
    [
        pytest.param({"centred": True}, theory.plain(DEPTHS), id="Theorem 1"),
        pytest.param({"centred": True, "kept": 1, "added": 1}, theory.residual(DEPTHS), id="Theorem 2"),
        pytest.param(
            {"centred": True, "kept": 0.49, "added": 0.49 * 0.09},
            theory.residual(DEPTHS, alpha=0.7, beta=0.3),
            id="Equation 2",
        ),
        pytest.param(
            {"centred": True, "kept": 0.9, "added": 0.1}, theory.highway(DEPTHS, gamma1=0.9**0.5), id="Corollary 1"
        ),
        *(
            pytest.param(
                {"centred": True, "normalised": True, "kept": 1, "added": beta**2, "activation": name},
                theory.residual_batch_norm(DEPTHS, beta=beta, activation=name),
                id=f"residual, batch norm, {name}, {beta}",
            )
            for name, beta in (("relu", 0.1), ("relu", 1.0), ("selu", 0.3), ("tanh", 1.0))
        ),
        *(
            pytest.param(
                {"centred": True, "normalised": True, "activation": name},
                theory.plain_batch_norm(DEPTHS, activation=name),
                id=f"plain, batch norm, {name}",
            )
            for name in ("relu", "gelu", "softplus")
        ),
        pytest.param(
            {"activation": theory.leaky_relu(1.0)}, theory.Moments(0.0 * DEPTHS, 0.0 * DEPTHS), id="looks linear"
        ),
    ],
)
def test_slope_at_zero_and_one_is_the_theorem(network: dict, form: theory.Moments) -> None:
    same(theory.similarity(DEPTHS, **network).gradients, form)


def arc_cosine(correlation: torch.Tensor) -> torch.Tensor:
    return (torch.sqrt(1 - correlation**2) + (math.pi - torch.arccos(correlation)) * correlation) / math.pi


def sine(correlation: torch.Tensor) -> torch.Tensor:
    return torch.sinh(correlation) / math.sinh(1)


SINE = theory.Activation(np.sin, np.cos)


COSINES = [-0.9, -0.2, 0.0, 0.4, 0.99]


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize(("kept", "added"), [(0.0, 1.0), (1.0, 0.09), ([0.5, 0.2, 0.0, 0.7], [0.1, 0.8, 2.0, 0.3])])
@pytest.mark.parametrize(("activation", "map_of"), [("relu", arc_cosine), (SINE, sine)], ids=["relu", "sine"])
def test_gradients_are_the_derivative_of_the_map(
    centred: bool, normalised: bool, kept: list, added: list, activation: str, map_of: Callable
) -> None:
    """K_L as a function of K_0, by the recursion of two numbers; autograd takes its slope."""
    k = start = torch.tensor(COSINES, dtype=torch.float64, requires_grad=True)
    variance, zero = 1.0, float(map_of(torch.tensor(0.0, dtype=torch.float64))) if centred else 0.0
    for skip, branch in zip(np.broadcast_to(kept, 4), np.broadcast_to(added, 4), strict=True):
        unit = 1.0 if normalised else variance
        k = skip * k + branch * unit * (map_of(k / variance) - zero)
        variance = skip * variance + branch * unit * (1 - zero)
    [slopes] = torch.autograd.grad(k.sum(), start)
    found = theory.similarity(
        4, cosine=COSINES, kept=kept, added=added, activation=activation, centred=centred, normalised=normalised
    )
    np.testing.assert_allclose(found.cosine, k.detach().numpy() / variance, atol=1e-10)
    np.testing.assert_allclose(found.variance, variance, rtol=1e-10)
    np.testing.assert_allclose(found.gradients.covariance, slopes.numpy(), rtol=1e-10)


def test_slope_at_one_is_the_variance() -> None:
    """The map is followed to identical inputs; the slope there is a one-sided difference."""
    network = {"kept": 1.0, "added": 0.5, "activation": "gelu", "normalised": True}
    near, alike = (theory.similarity(6, cosine=c, **network) for c in (1 - 1e-7, 1.0))
    assert float(alike.cosine) == 1
    assert float(alike.gradients.correlation) == 1
    lost = float(alike.variance * (1 - near.cosine))
    assert lost / 1e-7 == pytest.approx(float(alike.gradients.variance), rel=1e-4)


def test_inputs_that_meet_keep_their_digits() -> None:
    with mpmath.workdps(40):
        cosine, correlation = mpmath.mpf(0), mpmath.mpf(1)
        for _ in range(3_000):
            angle = mpmath.acos(cosine)
            correlation *= 1 - angle / mpmath.pi
            cosine = (mpmath.sin(angle) + (mpmath.pi - angle) * cosine) / mpmath.pi
    found = theory.similarity(3_000)
    assert float(found.gradients.correlation) == pytest.approx(float(correlation), rel=1e-10)


def test_shape_is_depth_followed_by_cosine() -> None:
    found = theory.similarity([[1, 2, 3]], cosine=[0.1, 0.2])
    assert found.cosine.shape == found.log_variance.shape == found.gradients.correlation.shape == (1, 3, 2)
    assert float(found.cosine[0, 2, 1]) == theory.similarity(3, cosine=0.2).cosine


ANGLES = np.concatenate([np.logspace(-4, 0, 9), np.linspace(1, math.pi, 9)])
LEAK = 0.3
LEAKY_SQUARE = (1 + LEAK**2) / 2


@pytest.mark.parametrize(
    ("activation", "values", "slopes"),
    [
        pytest.param(
            SINE,
            lambda c: math.exp(-1) * np.sinh(c),
            lambda c: math.exp(-1) * np.cosh(c),
            id="sine",
        ),
        pytest.param(
            theory.Activation(special.erf, lambda z: 2 / math.sqrt(math.pi) * np.exp(-(z**2))),
            lambda c: 2 / math.pi * np.arcsin(2 * c / 3),
            lambda c: 4 / math.pi / np.sqrt(9 - 4 * c**2),
            id="erf (Williams, 1997)",
        ),
        pytest.param(
            theory.leaky_relu(LEAK),
            lambda c: LEAK * c + (1 - LEAK) ** 2 / 2 * theory.arc_cosine(c).cosine,
            lambda c: LEAK + (1 - LEAK) ** 2 * (0.5 - np.arccos(c) / (2 * math.pi)),
            id="leaky",
        ),
        pytest.param(
            theory.Activation(lambda z: np.abs(z - 1), lambda z: np.sign(z - 1), kinks=(1.0,)),
            None,
            lambda c: 4 * corner(c) - 4 * special.ndtr(-1) + 1,
            id="a kink away from 0",
        ),
    ],
)
def test_dual_is_the_known_one(activation: theory.Activation, values: Callable, slopes: Callable) -> None:
    found, square = dual(activation), theory.averages(activation).square
    for gap, known in ((found.value_gap, values), (found.slope_gap, slopes)):
        if known is not None:
            expected = (known(1.0) - known(np.cos(ANGLES))) / square
            np.testing.assert_allclose(gap(ANGLES), expected, rtol=1e-7, atol=1e-9)


@np.vectorize
def corner(correlation: float) -> float:
    """P(z_1 > 1, z_2 > 1) for standard normals, from its derivative by the correlation."""

    def density(c: mpmath.mpf) -> mpmath.mpf:
        return mpmath.exp(-1 / (1 + c)) / (2 * mpmath.pi * mpmath.sqrt(1 - c**2))

    return float(special.ndtr(-1) ** 2 + mpmath.quad(density, [0, correlation]))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"kept": -0.1}, "kept"),
        ({"kept": 0.0, "added": 0.0}, "kept"),
        ({"kept": [1.0, 1.0]}, "kept"),
        ({"added": [[1.0]]}, "added"),
        ({"kept": 1e100, "normalised": True, "depth": 10}, "kept"),
        ({"cosine": np.zeros(10**6), "depth": 1_000}, "cosine"),
        ({"centred": 1}, "centred"),
        ({"activation": theory.Activation(np.sign, lambda z: 0 * z + 1, kinks=(0.0,))}, "activation"),
    ],
)
def test_refusals_name_the_argument(arguments: dict, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        theory.similarity(**{"depth": 3} | arguments)
