"""Gaussian and batch averages of activations against high precision and brute force; batch norm against gammas."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import torch
from scipy import integrate, stats

from shattered_lite import theory

SMOOTH = {
    "gelu": lambda z: z * mpmath.ncdf(z),
    "silu": lambda z: z / (1 + mpmath.exp(-z)),
    "softplus": lambda z: mpmath.log1p(mpmath.exp(z)),
    "mish": lambda z: z * mpmath.tanh(mpmath.log1p(mpmath.exp(z))),
    "tanh": mpmath.tanh,
}


def precisely(function, *kinks: float) -> float:
    """Mean over a standard normal at 30 digits."""
    with mpmath.workdps(30):
        points = [-40, -8, *sorted({-2.0, *kinks, 2.0}), 8, 40]
        return float(mpmath.quad(lambda z: function(z) * mpmath.npdf(z), points))


@pytest.mark.parametrize("name", SMOOTH)
def test_averages_of_smooth_activations_to_ten_digits(name: str) -> None:
    value = SMOOTH[name]
    found = theory.averages(name)

    def slope(z):
        return mpmath.diff(value, z)

    expected = [precisely(value), precisely(lambda z: value(z) ** 2)]
    expected += [precisely(slope), precisely(lambda z: slope(z) ** 2)]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("slope", [0.0, 0.01, 0.3, -1.0])
def test_averages_of_leaky_rectifiers_in_closed_form(slope: float) -> None:
    found = theory.averages(theory.leaky_relu(slope))
    square = (1 + slope**2) / 2
    expected = [(1 - slope) / math.sqrt(2 * math.pi), square, (1 + slope) / 2, square]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    assert found.shattering_index == pytest.approx(
        ((1 - slope) ** 2 / 4) / (square - (1 - slope) ** 2 / (2 * math.pi)), rel=1e-12
    )


def test_the_rectifier_has_the_constants_of_the_book() -> None:
    found = theory.averages("relu")
    assert found.decay == pytest.approx(0.5, abs=1e-13)
    assert found.growth == pytest.approx(math.pi / (math.pi - 1), abs=1e-12)
    assert found.shattering_index == pytest.approx(math.pi / (2 * (math.pi - 1)), abs=1e-12)


def test_elu_and_selu_in_closed_form() -> None:
    """From E[e^{kZ}; Z < 0] = e^{k^2/2} Phi(-k)."""
    for name, scale, alpha in (("elu", 1.0, 1.0), ("selu", 1.0507009873554805, 1.6732632423543772)):
        below = [math.exp(k**2 / 2) * stats.norm.cdf(-k) for k in range(3)]
        mean = scale * (1 / math.sqrt(2 * math.pi) + alpha * (below[1] - below[0]))
        square = scale**2 * (0.5 + alpha**2 * (below[2] - 2 * below[1] + below[0]))
        slope, square_slope = scale * (0.5 + alpha * below[1]), scale**2 * (0.5 + alpha**2 * below[2])
        np.testing.assert_allclose(theory.averages(name), [mean, square, slope, square_slope], rtol=1e-11, atol=1e-12)


def test_selu_is_at_its_fixed_point() -> None:
    found = theory.averages("selu")
    assert (found.mean, found.square) == pytest.approx((0, 1), abs=1e-6)


@pytest.mark.parametrize("name", theory.ACTIVATIONS)
def test_the_theory_and_torch_mean_the_same_function(name: str) -> None:
    z = torch.linspace(-6, 6, 400, dtype=torch.float64, requires_grad=True)
    value = getattr(torch.nn.functional, name)(z)
    [slope] = torch.autograd.grad(value.sum(), z)
    ours = theory.ACTIVATIONS[name]
    np.testing.assert_allclose(ours.value(z.detach().numpy()), value.detach().numpy(), atol=1e-8)
    np.testing.assert_allclose(ours.slope(z.detach().numpy()), slope.numpy(), atol=1e-8)


@pytest.mark.parametrize("name", ["gelu", "silu", "tanh", "softplus"])
def test_hermite_coefficients_add_up(name: str) -> None:
    found, a = theory.averages(name), theory.hermite_coefficients(name, degree=60)
    k = np.arange(61)
    assert a[0] == pytest.approx(found.mean, abs=1e-12)
    assert a[1] == pytest.approx(found.mean_slope, abs=1e-12)  # Stein: E[Z phi] = E[phi']
    assert np.sum(a[1:] ** 2) == pytest.approx(found.variance, rel=1e-6)
    assert np.sum(k[2:] * a[2:] ** 2) == pytest.approx(found.shattering_index * found.variance, rel=1e-5)


def test_an_affine_activation_does_not_shatter() -> None:
    found = theory.averages(theory.Activation(lambda z: 3 * z + 1, lambda z: 3 + 0 * z))
    assert found.shattering_index == pytest.approx(0, abs=1e-12)
    assert (found.growth, found.decay) == pytest.approx((1, 1), abs=1e-12)


# A batch


def over_a_pair(function, inputs: int) -> float:
    """Mean of f(z_i) f(z_j) over the sphere by brute force: z_j given z_i is again a coordinate of a sphere."""
    d = inputs - 1
    r = -1 / d

    def density(u: float, dimension: int) -> float:
        norm = math.gamma(dimension / 2) / (math.sqrt(math.pi) * math.gamma((dimension - 1) / 2))
        return norm * (1 - u * u) ** ((dimension - 3) / 2)

    def integrand(w: float, u: float) -> float:
        other = r * u + math.sqrt((1 - r * r) * (1 - u * u)) * w
        return function(math.sqrt(d) * u) * function(math.sqrt(d) * other) * density(u, d) * density(w, d - 1)

    return integrate.dblquad(integrand, -1, 1, -1, 1, epsabs=1e-9, epsrel=1e-9)[0]


@pytest.mark.parametrize("inputs", [6, 8, 12])
def test_batch_averages_are_integrals_over_the_sphere(inputs: int) -> None:
    found = theory.batch_averages("tanh", batch_size=inputs)

    def slope(z: float) -> float:
        return math.cosh(z) ** -2

    assert found.pair == pytest.approx(over_a_pair(math.tanh, inputs), abs=1e-7)
    assert found.pair_slope == pytest.approx(over_a_pair(slope, inputs), abs=1e-7)
    assert found.pair_lever == pytest.approx(over_a_pair(lambda z: z * slope(z), inputs), abs=1e-7)


@pytest.mark.parametrize("inputs", [8, 16, 100])
def test_batch_averages_of_the_rectifier_in_closed_form(inputs: int) -> None:
    """The rectifier is homogeneous: sphere and Gaussian of correlation -1/(M-1) agree."""
    found, maps = theory.batch_averages("relu", batch_size=inputs), theory.arc_cosine(-1 / (inputs - 1))
    np.testing.assert_allclose(found.square, 0.5, rtol=1e-10)
    np.testing.assert_allclose([found.pair, found.pair_lever], maps.cosine / 2, rtol=1e-7)
    np.testing.assert_allclose(found.pair_slope, maps.coactivation, rtol=1e-6)


@pytest.mark.parametrize("name", theory.ACTIVATIONS)
def test_a_large_batch_is_gaussian(name: str) -> None:
    np.testing.assert_allclose(
        theory.batch_averages(name, batch_size=10_000), theory.batch_averages(name), rtol=3e-3, atol=3e-4
    )


@pytest.mark.parametrize("beta", [0.1, 1.0])
def test_real_batch_norm_is_a_ratio_of_gammas(beta: float) -> None:
    depths = [1, 10, 50, 10_000]
    moments = theory.residual_batch_norm(depths, beta=beta)
    with mpmath.workdps(40):
        mu = 1 - 1 / mpmath.pi
        c = 1 / (mu * mpmath.mpf(beta) ** 2)
        closed = [
            mpmath.gammaprod([depth + c + 1 / (2 * mu), c + 1 / mu], [depth + c + 1 / mu, c + 1 / (2 * mu)])
            for depth in map(mpmath.mpf, depths)
        ]
    np.testing.assert_allclose(moments.correlation, [float(value) for value in closed], rtol=1e-10)


@pytest.mark.parametrize("name", ["relu", "gelu", "tanh"])
def test_the_exponent_is_the_shattering_index(name: str) -> None:
    depths = np.array([5_000, 10_000])
    moments = theory.residual_batch_norm(depths, activation=name)
    found = theory.averages(name)
    assert np.diff(moments.log_correlation)[0] / math.log(2) == pytest.approx(-found.shattering_index, abs=2e-3)
    assert np.diff(moments.log_variance)[0] / math.log(2) == pytest.approx(found.growth, abs=2e-3)


def test_differentiated_statistics_double_the_exponent() -> None:
    depths = np.array([5_000, 10_000])
    moments = theory.residual_batch_norm(depths, statistics="differentiated")
    assert np.diff(moments.log_correlation)[0] / math.log(2) == pytest.approx(-math.pi / (math.pi - 1), abs=5e-3)
    small = theory.residual_batch_norm([50, 200], batch_size=16, statistics="differentiated")
    assert np.all(small.correlation < 0)
    np.testing.assert_allclose(small.covariance, small.variance * small.correlation)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.averages("swish"), r"activation='swish': choose one of 'relu', .*, or an Activation"),
        (
            lambda: theory.averages(theory.Activation(lambda z: 0 * z + 2, lambda z: 0 * z)),
            "a constant carries no signal",
        ),
        (lambda: theory.hermite_coefficients("relu", degree=-1), r"degree=-1: a whole number from 0 to 100"),
        (lambda: theory.averages(["relu"]), r"activation=\['relu'\]: choose one of 'relu', .*, or an Activation"),
        (lambda: theory.leaky_relu(math.nan), r"slope=nan: a finite number"),
        (lambda: theory.batch_averages("relu", batch_size=3), r"batch_size=3: .*4 inputs or more"),
        (lambda: theory.residual_batch_norm(3, statistics="moving"), r"statistics='moving': choose one of 'frozen'"),
        (lambda: theory.residual_batch_norm(3, beta=-1), r"beta=-1: a scale is 0 or more"),
        (lambda: theory.plain_batch_norm(-3), r"depth=-3: a number of layers is whole, from 0"),
    ],
)
def test_what_is_not_allowed_is_named(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
