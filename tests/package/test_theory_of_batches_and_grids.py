"""Centred and batch-normalised networks, and whole grids of inputs, against quadrature and plain linear algebra."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from shattered_lite import theory


def rectified_product(correlation: float) -> float:
    """E[relu(x) relu(y)] of two standard normals, by quadrature over the quadrant."""
    density = stats.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).pdf
    value, _ = integrate.dblquad(lambda y, x: x * y * density([x, y]), 0, 9, 0, 9, epsabs=1e-9)
    return value


def both_positive(correlation: float) -> float:
    return stats.multivariate_normal.cdf([0, 0], cov=[[1, correlation], [correlation, 1]])


def centring(inputs: int) -> np.ndarray:
    return np.eye(inputs) - 1 / inputs


@pytest.mark.parametrize("depth", [1, 2, 5, 9])
def test_first_correction_of_finite_width_is_its_series(depth: int) -> None:
    """The chapter's series, each solved as a geometric sum: memories that grow by g, shrink by 1/g, and by 1/g^2."""
    g, layers = 2 * (1 - 1 / np.pi), np.arange(1, depth)
    alpha, beta = (g**layers - 1) / (g - 1), (1 - g**-layers) / (1 - 1 / g)
    fed = [sum(g ** -(layer - 1.0 - m) * (1 - g ** (-2.0 * m)) / (1 - g**-2) for m in range(layer)) for layer in layers]
    u = beta + np.array(fed)
    gamma = 2 / (np.pi * (np.pi - 1)) * (alpha + beta + u).sum()
    width = 1e7
    measured = (theory.plain_finite_width(depth, width=width).correlation * 2.0**depth - 1) * width
    assert measured == pytest.approx(gamma, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("inputs", [3, 10, np.inf])
def test_wide_centred_networks_obey_the_theorem(inputs: float) -> None:
    depths = np.arange(6)
    wide = theory.plain_finite_width(depths, width=np.inf, batch_size=inputs)
    np.testing.assert_allclose(wide.covariance, theory.plain(depths, batch_size=inputs).covariance)
    assert (
        theory.plain_finite_width(depths[2:], width=100, batch_size=inputs).correlation > wide.correlation[2:]
    ).all()


def test_batch_norm_explodes_by_the_spread_of_a_rectifier() -> None:
    spread = 0.5 - 1 / (2 * np.pi)  # variance of the rectified normal
    found = theory.plain_batch_norm(np.arange(1, 6))
    np.testing.assert_allclose(found.variance, (0.5 / spread) ** np.arange(5))
    np.testing.assert_allclose(found.correlation, 0.5 ** np.arange(1, 6))


@pytest.mark.parametrize("batch", [5, 20])
def test_batch_norm_over_few_inputs(batch: int) -> None:
    """One later layer: half of the gradient survives its gate; the inverse of a sample variance does the rest."""
    product = rectified_product(-1 / (batch - 1))
    spread = (1 - 1 / batch) * (0.5 - product)  # of the rectified values over the batch, on average
    inverse_chi_square = (batch - 1) / (batch - 3)  # E[1/s^2] over E[s^2]^-1, batch - 1 degrees of freedom
    factor = 0.5 / spread * inverse_chi_square
    found = theory.plain_batch_norm([3, 4], batch_size=batch).variance
    assert found[1] / found[0] == pytest.approx(factor, rel=1e-5)


@pytest.mark.parametrize("inputs", [3, 4, 17])
def test_centred_coactivation_is_an_orthant(inputs: int) -> None:
    assert theory.centred_coactivation(inputs) == pytest.approx(both_positive(-1 / (inputs - 1)), abs=1e-6)


@pytest.mark.parametrize("cosine", [0.2, 0.494, 0.9])
def test_constant_units_is_twice_an_orthant(cosine: float) -> None:
    covariance = np.full((5, 5), cosine) + (1 - cosine) * np.eye(5)
    orthant = stats.multivariate_normal.cdf(np.zeros(5), cov=covariance, abseps=1e-7, releps=1e-7)
    assert theory.constant_units(cosine, batch_size=5) == pytest.approx(2 * orthant, abs=2e-5)


def test_expected_runs_counts_changes_of_sign() -> None:
    cosines = [0.9, 0.5, -0.3]
    changes = sum(1 - 2 * both_positive(c) for c in cosines)
    assert theory.expected_runs(cosines) == pytest.approx(1 + changes, abs=1e-6)


@pytest.mark.parametrize(("length", "inputs"), [(1.0, 5), (1.7, 5), (0.4, 30), (3.0, 30)])
def test_centred_length_by_linear_algebra(length: float, inputs: int) -> None:
    lengths = np.ones(inputs)
    lengths[0] = length
    moments = np.outer(lengths, lengths) * rectified_product(0.0)
    np.fill_diagonal(moments, lengths**2 / 2)
    centred = centring(inputs) @ moments @ centring(inputs)
    assert theory.centred_length(length, batch_size=inputs) == pytest.approx(centred[0, 0] / centred[1, 1], rel=1e-6)


def test_centred_length_in_the_limit() -> None:
    assert theory.centred_length(1.7, batch_size=10**7) == pytest.approx(theory.centred_length(1.7), rel=1e-5)
    assert theory.centred_length(1.0) == pytest.approx(1)


@pytest.mark.parametrize("depth", [1, 3, 8])
def test_grid_without_centring_is_the_kernel_of_each_pair(depth: int) -> None:
    x = np.array([-1.5, -0.2, 0.4, 2.0])
    expected = theory.scalar_covariance(x[:, None], x[None, :], depth=depth)
    np.testing.assert_allclose(theory.grid_covariance(x, depth=depth, centred=False), expected, atol=1e-12)


def test_grid_with_centring_is_a_covariance_and_centres_from_the_second_layer() -> None:
    x = np.linspace(-2, 2, 24)
    one, two = (theory.grid_covariance(x, depth=depth, centred=True) for depth in (1, 2))
    np.testing.assert_allclose(one, theory.grid_covariance(x, depth=1, centred=False), atol=1e-12)
    assert np.abs(two - theory.grid_covariance(x, depth=2, centred=False)).max() > 0.1
    for matrix in (one, two):
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
        np.testing.assert_allclose(np.diag(matrix), 1)
        assert np.linalg.eigvalsh(matrix).min() > -1e-10


def test_autocorrelation_of_a_covariance_by_loops() -> None:
    root = np.random.default_rng(0).normal(size=(6, 6))
    covariance = root @ root.T
    centred = centring(6) @ covariance @ centring(6)
    expected = [sum(centred[i, i + k] for i in range(6 - k)) / centred.trace() for k in range(5)]
    np.testing.assert_allclose(theory.autocorrelation(covariance, lags=4), expected)


def test_autocorrelation_of_white_noise() -> None:
    n, k = 20, np.arange(1, 6)
    np.testing.assert_allclose(theory.autocorrelation(np.eye(n), lags=5)[1:], -(n - k) / (n * (n - 1)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.plain_finite_width(2, width=0), "width=0: a layer needs 1 unit"),
        (lambda: theory.plain_finite_width(2, width=10, batch_size=2), "batch_size=2: centring needs 3 inputs"),
        (lambda: theory.plain_batch_norm(2, batch_size=3), "batch_size=3: .* 4 inputs or more"),
        (lambda: theory.centred_coactivation(2), "batch_size=2: centring needs 3 inputs"),
        (lambda: theory.constant_units(1.5, batch_size=4), r"cosine=1.5"),
        (lambda: theory.constant_units(0.5, batch_size=0), "batch_size=0"),
        (lambda: theory.expected_runs([2.0]), "cosine="),
        (lambda: theory.centred_length(-1), "length=-1: a length is not negative"),
        (lambda: theory.centred_length(1, batch_size=2), "batch_size=2: centring needs 3 inputs"),
        (lambda: theory.grid_covariance([0.0, 0.0], depth=2, centred=False), "inputs: .* distinct numbers"),
        (lambda: theory.grid_covariance([0.0, 1.0, 2.0], depth=-1, centred=True), "depth=-1"),
        (
            lambda: theory.grid_covariance([0.0, 1.0, 2.0], depth=[1, 2], centred=True),
            r"depth=\[1, 2\]: .*one is needed",
        ),
        (lambda: theory.autocorrelation(np.ones((2, 3)), lags=1), "covariance: shape"),
        (lambda: theory.autocorrelation([[1.0, np.inf], [np.inf, 1.0]], lags=1), "covariance=.*finite numbers"),
        (lambda: theory.autocorrelation(np.eye(3), lags=3), "lags=3: with 3 inputs"),
        (lambda: theory.autocorrelation(np.eye(3), lags=1.5), "lags=1.5"),
        (lambda: theory.autocorrelation(np.ones((3, 3)), lags=1), "a constant curve has no autocorrelation"),
    ],
)
def test_what_is_refused_is_named(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("centred", [False, True])
def test_inputs_of_a_grid_are_apart(centred: bool) -> None:
    for close in ([1, 1 + 1e-15, 1 + 2e-15], [-1, 1e6, 1e6 + 1e-5], [2, 0, 2 + 1e-9]):
        with pytest.raises(ValueError, match=r"inputs=.*: two lie closer than 1e-08"):
            theory.grid_covariance(close, depth=5, centred=centred)
    assert np.isfinite(theory.grid_covariance([-1, 1, 1 + 3e-8], depth=500, centred=centred)).all()


@pytest.mark.parametrize(("distance", "depth", "error"), [(3e-8, 20, 1e-7), (3e-8, 500, 2e-6), (1e-3, 500, 1e-10)])
def test_close_inputs_of_a_grid_are_as_exact_as_it_says(distance: float, depth: int, error: float) -> None:
    x = np.array([-1, 1, 1 + distance])
    expected = theory.scalar_covariance(x[:, None], x, depth=depth)
    assert np.abs(theory.grid_covariance(x, depth=depth, centred=False) - expected).max() < error
