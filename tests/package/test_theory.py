"""Closed forms against integration, high-precision differentiation, computer algebra and brute force."""

from __future__ import annotations

import inspect
import itertools
import re
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from shattered_lite import theory

quick = settings(derandomize=True, deadline=None, max_examples=40)
WRONG_DEPTHS = [-1, 1.5, float("nan"), float("inf"), [2, -3], "2", True]


def over_the_gaussian_plane(integrand, angle: float) -> float:
    """Mean of a function of two unit normals with correlation cos(angle) over the wedge where both are positive.

    In polar coordinates u = r cos(t), v = r cos(t - angle): both are positive for angle - pi/2 < t < pi/2.
    """

    def density(radius: float, direction: float) -> float:
        u, v = radius * np.cos(direction), radius * np.cos(direction - angle)
        return integrand(u, v) * radius * np.exp(-(radius**2) / 2) / (2 * np.pi)

    return integrate.dblquad(density, angle - np.pi / 2, np.pi / 2, 0, np.inf, epsabs=1e-12, epsrel=1e-12)[0]


@pytest.mark.parametrize("cosine", [-0.9, -0.3, 0.0, 0.5, 0.99])
def test_arc_cosine_maps_are_the_integrals_they_stand_for(cosine: float) -> None:
    angle = float(np.arccos(cosine))
    maps = theory.arc_cosine(cosine)
    coactive = over_the_gaussian_plane(lambda u, v: 1.0, angle)
    assert maps.cosine == pytest.approx(2 * over_the_gaussian_plane(lambda u, v: u * v, angle), abs=1e-9)
    assert maps.coactivation == pytest.approx(coactive, abs=1e-9)
    assert maps.tangent == pytest.approx(2 * coactive, abs=1e-9)


def test_arc_cosine_at_its_ends() -> None:
    ends = theory.arc_cosine([-1.0, 0.0, 1.0])
    np.testing.assert_allclose(ends.cosine, [0, 1 / np.pi, 1], atol=1e-15)
    np.testing.assert_allclose(ends.tangent, [0, 0.5, 1], atol=1e-15)
    np.testing.assert_allclose(ends.coactivation, [0, 0.25, 0.5], atol=1e-15)


@quick
@given(st.floats(-1, 1))
def test_tangent_map_is_the_derivative_of_the_value_map(cosine: float) -> None:
    exact = mpmath.diff(
        lambda c: (mpmath.sqrt(1 - c * c) + (mpmath.pi - mpmath.acos(c)) * c) / mpmath.pi, cosine * 0.999
    )
    assert theory.arc_cosine(cosine * 0.999).tangent == pytest.approx(float(exact), abs=1e-9)


@quick
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=5), st.integers(0, 30))
def test_cosines_climb_and_stay_correlations(start: list[float], depth: int) -> None:
    trajectory = theory.cosines(depth, cosine=start)
    assert trajectory.shape == (depth + 1, len(start))
    np.testing.assert_array_equal(trajectory[0], start)
    assert (np.diff(trajectory, axis=0) >= -1e-15).all()
    assert (np.abs(trajectory) <= 1).all()


@pytest.mark.parametrize("depth", range(4))
def test_plain_counts_co_active_paths(depth: int) -> None:
    """Brute force: each of the N^L paths, with weight 1/2 or 1/4 and variance (2/N)^L, in exact fractions."""
    width = 3
    paths = list(itertools.product(range(width), repeat=depth))
    variance = sum(Fraction(1, 2) ** len(path) * Fraction(2, width) ** depth for path in paths)
    covariance = sum(Fraction(1, 4) ** len(path) * Fraction(2, width) ** depth for path in paths)
    moments = theory.plain(depth)
    assert moments.variance == float(variance) == 1
    assert moments.covariance == moments.correlation == pytest.approx(float(covariance), rel=1e-14)
    assert float(covariance) == 0.5**depth


@pytest.mark.parametrize("batch", [3, 4, 16])
def test_plain_of_a_finite_batch_uses_the_orthant_probability(batch: int) -> None:
    law = stats.multivariate_normal(cov=[[1, -1 / (batch - 1)], [-1 / (batch - 1), 1]])
    q = law.cdf([0, 0])
    np.testing.assert_allclose(
        theory.plain([0, 1, 2, 5], batch_size=batch).correlation, [1, 0.5, q, 0.5 * (2 * q) ** 4], rtol=1e-5
    )


def test_plain_tends_to_the_theorem_as_the_batch_grows() -> None:
    np.testing.assert_allclose(
        theory.plain([1, 6, 10], batch_size=10**9).correlation, 0.5 ** np.array([1, 6, 10]), rtol=1e-7
    )


def test_uncentred_golden_values() -> None:
    """The product of 1 - angle/pi over the layers, at 50 digits."""

    def product(depth: int) -> float:
        with mpmath.workdps(50):
            cosine, value = mpmath.mpf(0), mpmath.mpf(1)
            for _ in range(depth):
                angle = mpmath.acos(cosine)
                value *= 1 - angle / mpmath.pi
                cosine = (mpmath.sin(angle) + (mpmath.pi - angle) * cosine) / mpmath.pi
            return float(value)

    depths = [0, 1, 2, 4, 10, 24, 50]
    moments = theory.plain_uncentred(depths)
    np.testing.assert_allclose(moments.correlation, [product(depth) for depth in depths], rtol=1e-11)
    np.testing.assert_allclose(moments.correlation[[1, 3, 4, 5, 6]], [0.5, 0.142, 0.0337, 0.00546, 0.00091], rtol=5e-3)
    np.testing.assert_array_equal(moments.variance, 1)


def test_uncentred_follows_the_inverse_cube() -> None:
    depths = np.array([1_000, 4_000, 16_000])
    slopes = np.diff(np.log(theory.plain_uncentred(depths).correlation)) / np.diff(np.log(depths))
    assert np.all(np.diff(np.abs(slopes + 3)) < 0)  # the exponent comes closer to -3 ...
    assert slopes[-1] == pytest.approx(-3, abs=0.01)  # ... with corrections of order log(L) / L


def kernel(x, y, depth: int):
    """K_L(x, y) at the working precision, with K(x, x) the same at every depth."""
    length = mpmath.sqrt((x * x + 1) * (y * y + 1))
    k = x * y + 1
    for _ in range(depth):
        angle = mpmath.acos(k / length)
        k = length * (mpmath.sin(angle) + (mpmath.pi - angle) * mpmath.cos(angle)) / mpmath.pi
    return k


def mixed_derivative(x: float, y: float, depth: int) -> float:
    with mpmath.workdps(60):
        return float(mpmath.diff(lambda a, b: kernel(a, b, depth), (mpmath.mpf(x), mpmath.mpf(y)), (1, 1)))


@pytest.mark.parametrize("pair", [(0.5, 0.625), (-2.0, 1.5), (0.0, 0.01), (1.0, -1.0)])
@pytest.mark.parametrize("depth", [0, 1, 2, 7, 24])
def test_scalar_covariance_is_the_mixed_derivative_of_the_kernel(pair: tuple[float, float], depth: int) -> None:
    assert theory.scalar_covariance(*pair, depth=depth) == pytest.approx(
        mixed_derivative(*pair, depth), rel=1e-7, abs=1e-9
    )


def test_scalar_covariance_golden_values_and_shape() -> None:
    assert theory.scalar_covariance(0.5, 0.625, depth=24) == pytest.approx(0.395, abs=5e-4)
    assert theory.scalar_covariance(0.5, 0.625, depth=50) == pytest.approx(0.232, abs=1e-3)
    grid = np.linspace(-2, 2, 9)
    table = theory.scalar_covariance(grid[:, None], grid, depth=6)
    assert table.shape == (9, 9)
    np.testing.assert_allclose(table, table.T, atol=1e-12)
    np.testing.assert_allclose(np.diag(table), 1, rtol=1e-15)


def test_scalar_covariance_is_not_the_product_of_tangent_maps() -> None:
    cosine = (0.5 * 0.625 + 1) / np.sqrt(1.25 * (0.625**2 + 1))
    product = theory.plain_uncentred(10, cosine=float(cosine)).correlation
    assert abs(theory.scalar_covariance(0.5, 0.625, depth=10) - product) > 0.05


def gaussian_mean(polynomial: sympy.Expr, symbols: list[sympy.Symbol]) -> sympy.Expr:
    """Mean of a polynomial in independent unit normals, from E[z^2k] = (2k - 1)!!."""
    total = sympy.Integer(0)
    for powers, coefficient in sympy.Poly(polynomial, *symbols).terms():
        if all(power % 2 == 0 for power in powers):
            total += coefficient * sympy.prod([sympy.factorial2(power - 1) for power in powers if power])
    return total


@pytest.mark.parametrize(("width", "depth"), [(1, 1), (1, 2), (2, 1)])
def test_kurtosis_by_computer_algebra(width: int, depth: int) -> None:
    """Every pattern of fair gates, every Gaussian moment: exact fractions.

    Given their absolute preactivations, units are on or off like fair coins, and the gradient's moments see the
    weights only through even powers: independent gates therefore have the same second and fourth moment.
    """
    first = sympy.symbols(f"v:{width}")
    matrices = [sympy.Matrix(width, width, sympy.symbols(f"w{layer}_:{width**2}")) for layer in range(depth)]
    symbols = [*first, *(entry for matrix in matrices for entry in matrix)]
    second, fourth = sympy.Integer(0), sympy.Integer(0)
    patterns = list(itertools.product([0, 1], repeat=width * depth))
    for pattern in patterns:
        gradient = sympy.Matrix(first)
        for layer, matrix in enumerate(matrices):
            gradient = matrix * sympy.diag(*pattern[layer * width : (layer + 1) * width]) * gradient
        square = sympy.expand(sum(entry**2 for entry in gradient)) * sympy.Rational(2, width) ** depth
        second += gaussian_mean(square, symbols) / len(patterns)
        fourth += gaussian_mean(sympy.expand(square**2), symbols) / len(patterns)
    assert float(fourth / second**2) == pytest.approx(float(theory.plain_kurtosis(depth, width=width)), rel=1e-14)


def test_kurtosis_of_no_layer_is_a_chi_square() -> None:
    widths = np.array([1, 4, 100])
    second, variance = stats.chi2.stats(widths, moments="mv")
    np.testing.assert_allclose(theory.plain_kurtosis(0, width=widths), (variance + second**2) / second**2, rtol=1e-14)


@quick
@given(st.lists(st.integers(0, 60), min_size=1, max_size=4))
def test_depth_may_be_an_array_everywhere(depths: list[int]) -> None:
    shape = (len(depths),)
    assert theory.plain(depths).correlation.shape == shape
    assert theory.plain_uncentred(depths).correlation.shape == shape
    assert theory.plain_kurtosis(depths, width=10).shape == shape
    for correlation, alone in zip(theory.plain_uncentred(depths).correlation, depths, strict=True):
        assert correlation == pytest.approx(float(theory.plain_uncentred(alone).correlation), rel=1e-12)
    assert theory.plain([[1], [2]], batch_size=[3, 5, 9]).correlation.shape == (2, 3)


@pytest.mark.parametrize("depth", WRONG_DEPTHS)
@pytest.mark.parametrize(
    "function",
    [
        theory.plain,
        theory.plain_uncentred,
        theory.cosines,
        lambda depth: theory.scalar_covariance(0.0, 1.0, depth=depth),
        lambda depth: theory.plain_kurtosis(depth, width=10),
    ],
    ids=["plain", "plain_uncentred", "cosines", "scalar_covariance", "plain_kurtosis"],
)
def test_wrong_depths_are_refused(function, depth) -> None:
    with pytest.raises(ValueError, match=r"depth=.*: a number of layers is whole, from 0 to"):
        function(depth)


@pytest.mark.parametrize("function", [theory.cosines, lambda depth: theory.scalar_covariance(0.0, 1.0, depth=depth)])
def test_one_depth_where_one_is_meant(function) -> None:
    with pytest.raises(ValueError, match=r"depth=\[1, 2\]"):
        function([1, 2])


@pytest.mark.parametrize("cosine", [1.0001, -2.0, float("nan")])
@pytest.mark.parametrize(
    "function",
    [
        theory.arc_cosine,
        lambda cosine: theory.cosines(0, cosine=cosine),
        lambda cosine: theory.cosines(3, cosine=cosine),
        lambda cosine: theory.plain_uncentred(0, cosine=cosine),
    ],
    ids=["arc_cosine", "cosines of depth 0", "cosines", "plain_uncentred"],
)
def test_wrong_cosines_are_refused(function, cosine: float) -> None:
    with pytest.raises(ValueError, match=r"cosine=.*between -1 and 1"):
        function(cosine)


@pytest.mark.parametrize("inputs", [2, 0, float("nan")])
def test_wrong_batches_are_refused(inputs: float) -> None:
    with pytest.raises(ValueError, match=rf"batch_size={inputs}: .*3 inputs or more"):
        theory.plain(2, batch_size=inputs)


@pytest.mark.parametrize("width", [0, -4, float("nan")])
def test_wrong_widths_are_refused(width: float) -> None:
    with pytest.raises(ValueError, match=rf"width={width}: .*1 unit or more"):
        theory.plain_kurtosis(2, width=width)


# How it reads


def test_prints_are_mathematics() -> None:
    """Variances and correlations, not their logarithms; numbers as Python writes them, not as NumPy does."""
    moments = repr(theory.plain(np.int64(3)))
    assert re.fullmatch(r"Moments\(variance=1\.0, correlation=0\.125\d*\)", moments), moments
    assert repr(theory.plain([0, 1])) == "Moments(variance=array([1., 1.]), correlation=array([1. , 0.5]))"
    assert repr(theory.arc_cosine(0.0)) == f"ArcCosine(cosine={1 / np.pi}, tangent=0.5, coactivation=0.25)"
    apart = theory.plain_batch_norm(2, batch_size=8, statistics="differentiated")
    assert apart.sign < 0
    assert "correlation=-" in repr(apart)
    for averages in (
        theory.averages("relu"),
        theory.batch_averages("relu"),
        theory.batch_averages("relu", batch_size=8),
    ):
        assert all(type(value) is float for value in averages)
        assert "np." not in repr(averages)
    assert type(theory.averages("relu").shattering_index) is float


def test_who_looks_for_a_theorem_finds_it() -> None:
    """The room's docstring has a paragraph for each statement of the paper; the function says which it holds."""
    first_lines = dict(re.findall(r"^(Theorem \d|Corollary \d)\n +:func:`(\w+)`", theory.__doc__, re.M))
    assert list(first_lines) == ["Theorem 1", "Theorem 2", "Theorem 3", "Corollary 1"]
    for statement, function in first_lines.items():
        assert getattr(theory, function).__doc__.startswith(f"{statement}:")


def test_what_follows_the_first_argument_has_a_name() -> None:
    functions = [function for name in theory.__all__ if inspect.isfunction(function := getattr(theory, name))]
    assert len(functions) > 20
    for function in functions:
        free = [
            each.name for each in inspect.signature(function).parameters.values() if each.kind is not each.KEYWORD_ONLY
        ]
        assert free == (["first", "second"] if function is theory.scalar_covariance else free[:1]), function
