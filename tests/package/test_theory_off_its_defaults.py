"""Values of the theory far from its defaults, against recursions and integrals in high precision, written out here."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from scipy import special, stats

from shattered_lite import theory


def leaning(shares: list[float], cosine: float) -> list[float]:
    """Correlation after each layer: the arc-cosine maps of the chapters at 40 digits, one layer at a time."""
    with mpmath.workdps(40):
        c, correlation, found = mpmath.mpf(cosine), mpmath.mpf(1), [1.0]
        for share in map(mpmath.mpf, shares):
            angle = mpmath.acos(c)
            correlation *= 1 - share * angle / mpmath.pi
            c += share * ((mpmath.sin(angle) + (mpmath.pi - angle) * c) / mpmath.pi - c)
            found.append(float(correlation))
    return found


DEPTHS = [0, 1, 2, 7, 30]
COSINES = [-1.0, -0.6, 0.0, 0.4, 1 - 1e-9, 1.0]


@pytest.mark.parametrize("cosine", COSINES)
def test_cosines_from_every_start(cosine: float) -> None:
    with mpmath.workdps(40):
        c, expected = mpmath.mpf(cosine), [cosine]
        for _ in range(30):
            angle = mpmath.acos(c)
            c = (mpmath.sin(angle) + (mpmath.pi - angle) * c) / mpmath.pi
            expected.append(float(c))
    np.testing.assert_allclose(theory.cosines(30, cosine=cosine), expected, atol=1e-15)


@pytest.mark.parametrize("cosine", COSINES)
def test_every_cosine_of_the_uncentred_laws(cosine: float) -> None:
    expected = np.array(leaning([1.0] * 30, cosine))
    np.testing.assert_allclose(theory.plain_uncentred(DEPTHS, cosine=cosine).correlation, expected[DEPTHS], rtol=1e-11)
    for beta in (0.0, 1e-4, 0.3, 3.0, 1e4):
        share, layers = beta**2 / (1 + beta**2), beta**2 / (1 + beta**2 * np.arange(1, 31))
        found = theory.residual_uncentred(DEPTHS, alpha=0.6, beta=beta, cosine=cosine)
        expected = np.array(leaning([share] * 30, cosine))
        np.testing.assert_allclose(found.correlation, expected[DEPTHS], rtol=1e-7)
        np.testing.assert_allclose(found.log_variance, np.array(DEPTHS) * math.log(0.36 * (1 + beta**2)), rtol=1e-12)
        found, expected = (
            theory.residual_layer_norm(DEPTHS, beta=beta, cosine=cosine),
            np.array(leaning(layers.tolist(), cosine)),
        )
        np.testing.assert_allclose(found.correlation, expected[DEPTHS], rtol=1e-7)
        np.testing.assert_allclose(found.variance, 1 + beta**2 * np.array(DEPTHS), rtol=1e-12)
    gammas = np.linspace(0, 1, 30)
    expected = leaning((1 - gammas**2).tolist(), cosine)
    np.testing.assert_allclose(theory.highway_uncentred(gammas, cosine=cosine).correlation, expected, rtol=1e-11)


def abel(angle: float) -> float:
    """Grows by one with each plain layer: of angle' = angle - angle^2/(3 pi) - ..., expanded for small angles."""
    return 3 * math.pi / angle - 1.5 * math.log(1 / angle)


def test_cosines_keep_their_angles_at_great_depth() -> None:
    """From 1,000 to 100,000 layers, 3 pi/angle - (3/2) log(1/angle) counts them, up to a term of order the angle."""
    start = [-0.5, 0.0, 0.9]
    cosines = theory.cosines(100_000, cosine=start)
    with mpmath.workdps(30):  # a sum of squares holds the small difference that 1 - cosine has lost
        exact = mpmath.mpf(0)
        for _ in range(1_000):
            angle = mpmath.acos(exact)
            exact = (mpmath.sin(angle) + (mpmath.pi - angle) * exact) / mpmath.pi
    assert cosines[1_000, 1] == pytest.approx(float(exact), abs=2e-16)
    for column in cosines.T:
        early, late = (abel(2 * math.asin(math.sqrt((1 - column[layer]) / 2))) for layer in (1_000, 100_000))
        assert late - early == pytest.approx(99_000, abs=0.5)


@pytest.mark.parametrize("law", [theory.plain_uncentred, theory.residual_uncentred])
def test_the_cubic_law_holds_to_a_million_layers(law) -> None:
    """d log R / d log L = -3 + O(log L / L), where rounded cosines would stand still."""
    depths = np.array([10_000, 100_000, 1_000_000])
    slopes = np.diff(law(depths).log_correlation) / math.log(10)
    np.testing.assert_allclose(slopes, -3, atol=5e-3)
    assert abs(slopes[1] + 3) < abs(slopes[0] + 3) / 5


@pytest.mark.parametrize("beta", [0.0, 1e-4, 0.01, 1.0, 1e4])
def test_skips_at_a_million_layers(beta: float) -> None:
    depth = 10**6
    with mpmath.workdps(60):
        b, half = mpmath.mpf(beta) ** 2, mpmath.mpf(1) / 2
        variance, plainly = float(mpmath.log(1 + b) * depth), float((mpmath.log(1 + b / 2) - mpmath.log(1 + b)) * depth)
        normalised = 0.0
        if beta:
            c = 1 / b
            logarithms = map(mpmath.loggamma, (depth + c + half, c + 1, depth + c + 1, c + half))
            a1, a2, a3, a4 = logarithms
            normalised = float(a1 + a2 - a3 - a4)
        grown = float(mpmath.log(1 + b * depth))
    found = theory.residual(depth, beta=beta)
    assert (found.log_variance, found.log_correlation) == pytest.approx((variance, plainly), rel=1e-12)
    found = theory.residual_idealised_batch_norm(depth, beta=beta)
    assert (found.log_variance, found.log_correlation) == pytest.approx((grown, normalised), rel=1e-9)


def test_a_branch_of_scale_nothing_is_the_identity() -> None:
    depths = [0, 1, 5, 10_000]
    for moments in (
        theory.residual(depths, beta=0),
        theory.residual_uncentred(depths, beta=0, cosine=-0.3),
        theory.residual_layer_norm(depths, beta=0, cosine=0.2),
        theory.residual_idealised_batch_norm(depths, beta=0),
        theory.residual_batch_norm(depths, beta=0),
        theory.residual_batch_norm(depths, beta=0, batch_size=8, activation="tanh", statistics="differentiated"),
        theory.highway(depths, gamma1=1.0),
    ):
        np.testing.assert_array_equal([moments.variance, moments.correlation], 1)
    np.testing.assert_allclose(theory.residual(depths[:3], alpha=0.7, beta=0).variance, 0.49 ** np.array(depths[:3]))


def test_a_huge_branch_leaves_the_skip_nothing() -> None:
    assert theory.residual_idealised_batch_norm(10, beta=1e8).log_variance == pytest.approx(math.log(1e17), rel=1e-14)
    np.testing.assert_allclose(theory.residual(5, beta=1e8).correlation, theory.plain(5).correlation, rtol=1e-14)


def test_alpha_may_be_so_small_that_its_square_is_not() -> None:
    assert theory.residual(3, alpha=1e-200).log_variance == pytest.approx(3 * (math.log(2) - 400 * math.log(10)))


# Batch norm


def averages_of_relu(batch: float) -> dict[str, float]:
    """Of a rectifier, homogeneous, by orthants: square, pair, slopes and levers."""
    r = -1 / (batch - 1)
    pair = (math.sqrt(1 - r * r) + (math.pi - math.acos(r)) * r) / (2 * math.pi)
    both = (math.pi - math.acos(r)) / (2 * math.pi)
    return {
        "square": 0.5,
        "pair": pair,
        "square_slope": 0.5,
        "pair_slope": both,
        "square_lever": 0.5,
        "pair_lever": pair,
    }


def averages_of_the_cube(batch: float) -> dict[str, float]:
    """Of z^3, by the moments of the sphere in d = M - 1 dimensions (the chapter's), and z times its slope is 3 z^3."""
    d, r = batch - 1, -1 / (batch - 1)
    if math.isinf(batch):
        return {"square": 15, "pair": 0, "square_slope": 27, "pair_slope": 9, "square_lever": 135, "pair_lever": 0}
    square, pair = 15 * d**2 / ((d + 2) * (d + 4)), (9 * r + 6 * r**3) * d**2 / ((d + 2) * (d + 4))
    slopes = {"square_slope": 27 * d / (d + 2), "pair_slope": 9 * (1 + 2 * r**2) * d / (d + 2)}
    return {"square": square, "pair": pair, **slopes, "square_lever": 9 * square, "pair_lever": 9 * pair}


CUBE = theory.Activation(lambda z: z**3, lambda z: 3 * z**2)
WIDE = {"relu": (0.5, 0.5 - 1 / (2 * math.pi), 0.5, 0.25), "cube": (15, 15, 27, 9)}  # square, variance, slopes
AVERAGES = {"relu": averages_of_relu, "cube": averages_of_the_cube}


def layer_by_layer(kept: float, beta: float, depth: int, batch: float, name: str, differentiated: bool):
    """log C(i) and R after each layer, by the recursion of the chapters at 40 digits."""
    square, variance, square_slope, mean_slope_squared = map(mpmath.mpf, WIDE[name])
    a = {key: mpmath.mpf(value) for key, value in AVERAGES[name](batch).items()}
    branch, one = mpmath.mpf(beta) ** 2 / square, 1 / mpmath.mpf(batch)
    own, both, spread, found = mpmath.mpf(1), mpmath.mpf(1), 1 - one, [(0.0, 1.0)]
    for layer in range(depth):
        gain = branch * (1 - one) / ((1 - 3 * one) * spread)
        if layer == 0:
            changes = branch * square_slope * own, branch * mean_slope_squared * both
            fed = variance
        elif differentiated:
            apart = own - both
            changes = (
                gain * apart * (a["square_slope"] * (1 - one) - a["square_lever"] * one),
                -gain * apart * one * (a["pair_slope"] + a["pair_lever"]),
            )
            fed = a["square"] - a["pair"]
        else:
            changes, fed = (gain * a["square_slope"] * own, gain * a["pair_slope"] * both), a["square"] - a["pair"]
        own, both, spread = kept * own + changes[0], kept * both + changes[1], kept * spread + branch * (1 - one) * fed
        found.append((float(mpmath.log(own)), float(both / own)))
    return np.array(found).T


@pytest.mark.parametrize("statistics", ["frozen", "differentiated"])
@pytest.mark.parametrize("name", ["relu", "cube"])
@pytest.mark.parametrize("batch", [4, 5, 11, 10**6, math.inf])
def test_batch_norm_layer_by_layer(batch: float, name: str, statistics: str) -> None:
    activation, differentiated = {"relu": "relu", "cube": CUBE}[name], statistics == "differentiated"
    tolerance = {"relu": 1e-4 if batch < 8 else 1e-6, "cube": 1e-9}[name]  # the expansion of a kink is cut at degree 40
    with mpmath.workdps(40):
        for beta in (0.05, 1.0, 30.0):
            variance, correlation = layer_by_layer(1, beta, 12, batch, name, differentiated)
            found = theory.residual_batch_norm(
                range(13), beta=beta, batch_size=batch, activation=activation, statistics=statistics
            )
            np.testing.assert_allclose(found.log_variance, variance, rtol=tolerance, atol=tolerance)
            np.testing.assert_allclose(found.correlation, correlation, rtol=20 * tolerance, atol=tolerance)
        variance, correlation = layer_by_layer(0, 1.0, 12, batch, name, differentiated)
    found = theory.plain_batch_norm(range(13), batch_size=batch, activation=activation, statistics=statistics)
    np.testing.assert_allclose(found.log_variance, variance, rtol=20 * tolerance, atol=20 * tolerance)
    np.testing.assert_allclose(found.correlation, correlation, rtol=20 * tolerance, atol=tolerance)


@pytest.mark.parametrize("batch", [4, 11, 10**6, math.inf])
def test_a_plain_network_with_batch_norm_never_rounds_its_correlation_away(batch: float) -> None:
    depths = np.array([100, 10_000, 10**6])
    a = averages_of_relu(batch)
    factor = math.log(2 * a["pair_slope"])
    expected = math.log(0.5) + (depths - 1) * factor
    found = theory.plain_batch_norm(depths, batch_size=batch)
    np.testing.assert_allclose(found.log_correlation, expected, rtol=1e-3 if batch == 4 else 1e-6)


def test_activations_that_lean_apart_alternate_in_sign() -> None:
    """Of z^2 + z/2, slopes of two inputs have the product 4 r + 1/4: negative for 5 inputs, where r is -1/4."""
    lopsided = theory.Activation(lambda z: z**2 + z / 2, lambda z: 2 * z + 0.5)
    found = theory.plain_batch_norm(np.arange(6), batch_size=5, activation=lopsided)
    np.testing.assert_array_equal(np.sign(found.correlation), [1, 1, -1, 1, -1, 1])
    np.testing.assert_array_equal(np.sign(found.covariance), [1, 1, -1, 1, -1, 1])
    assert found.correlation[2] / found.correlation[1] == pytest.approx(-0.75 / 4.25, rel=1e-9)


@pytest.mark.parametrize("batch", [4, 5, 30, 1_000, 10**6])
def test_averages_of_every_batch(batch: int) -> None:
    found = theory.batch_averages(CUBE, batch_size=batch)
    np.testing.assert_allclose(found, [averages_of_the_cube(batch)[name] for name in found._fields], rtol=1e-8)
    found, exact = theory.batch_averages("relu", batch_size=batch), averages_of_relu(batch)
    np.testing.assert_allclose(found, [exact[name] for name in found._fields], rtol=3e-3 if batch < 8 else 1e-6)


# Activity


@pytest.mark.parametrize("inputs", [1, 2, 7, 1_000, 10**6])
@pytest.mark.parametrize("cosine", [0.0, 1e-6, 0.3, 0.999, 1 - 1e-9])
def test_constant_units_for_any_number_of_inputs(cosine: float, inputs: int) -> None:
    """Gauss-Legendre on a grid fine enough for the step at 0 and for the bell."""
    if cosine == 0:
        expected = 2 * 0.5**inputs
    elif inputs <= 2:
        expected = [1, 1 - math.acos(cosine) / math.pi][inputs - 1]
    else:
        tau = math.sqrt(cosine / (1 - cosine))
        points = np.unique(np.concatenate([np.linspace(-9, 9, 4_000), np.linspace(-8, 8, 4_000) / tau]))
        points = points[np.abs(points) <= 9]
        nodes, weights = np.polynomial.legendre.leggauss(20)
        middle, half = (points[1:] + points[:-1]) / 2, np.diff(points) / 2
        s = middle[:, None] + half[:, None] * nodes
        values = np.exp(inputs * special.log_ndtr(tau * s)) * stats.norm.pdf(s)
        expected = 2 * float((values * weights * half[:, None]).sum())
    assert theory.constant_units(cosine, batch_size=inputs) == pytest.approx(expected, rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("inputs", [3, 6, 10**6])
def test_centred_length_is_a_quotient_of_two_variances(inputs: int) -> None:
    """Sums over the batch written out: one input of length a, orthogonal to the others, which have length 1."""
    a, others = 2.5, inputs - 1
    same, cross = 0.5, 1 / (2 * math.pi)
    total = a * a * same + others * same + 2 * others * a * cross + others * (others - 1) * cross
    longer = a * a * same - 2 * (a * a * same + others * a * cross) / inputs + total / inputs**2
    other = same - 2 * (same + a * cross + (others - 1) * cross) / inputs + total / inputs**2
    assert theory.centred_length(a, batch_size=inputs) == pytest.approx(longer / other, rel=1e-9)
    assert theory.centred_length([0.0, a], batch_size=[[inputs], [np.inf]]).shape == (2, 2)


@pytest.mark.parametrize("batch", [4, 16, np.inf])
def test_first_correction_of_a_finite_batch_and_width(batch: float) -> None:
    """The recursion of the docstring in exact steps, at a width and a batch of its own for every entry."""
    q = mpmath.mpf(1) / 4 - mpmath.asin(1 / (mpmath.mpf(batch) - 1)) / (2 * mpmath.pi)
    mu, width = 1 - 1 / mpmath.pi, mpmath.mpf(37)
    kappa = 1 / (2 * (mpmath.pi - 1) * width)
    T, A, B, U, S, expected = *map(mpmath.mpf, (1, 0, 0, 0, 0)), [1.0]
    for layer in range(500):
        twice = mpmath.mpf(1) / 2 if layer == 0 else 2 * q
        T, A, B, U, S = (
            twice * T + (A + B + U) / mpmath.pi,
            mu * A + kappa * T,
            B / (4 * mu) + kappa * T,
            U / (4 * mu) + (kappa + S / (2 * mpmath.pi * mu)) * T,
            S / (4 * mu**2) + 1 / width,
        )
        expected.append(float(mpmath.log(T)))
    depths = [0, 1, 2, 3, 17, 500]
    found = theory.plain_finite_width(depths, width=37, batch_size=batch).log_correlation
    np.testing.assert_allclose(found, np.array([0.0, *expected[1:]])[depths], rtol=1e-11, atol=1e-14)


def test_kurtosis_of_any_width_and_depth() -> None:
    with mpmath.workdps(40):
        for depth, width in ((10**6, 10**8), (10**6, 10**12), (3, 7), (300, 20)):
            exact = (1 + mpmath.mpf(2) / width) * (1 + mpmath.mpf(5) / width) ** depth
            assert theory.plain_kurtosis(depth, width=width) == pytest.approx(float(exact), rel=1e-12)
    assert theory.plain_kurtosis(10**6, width=100) == math.inf
    assert theory.plain_kurtosis(10**6, width=math.inf) == 1


# Scalar inputs


def scalar_kernel(depth: int):
    def kernel(a, b):
        length = mpmath.sqrt((a * a + 1) * (b * b + 1))
        cosine = (a * b + 1) / length
        for _ in range(depth):
            angle = mpmath.acos(cosine)
            cosine = (mpmath.sin(angle) + (mpmath.pi - angle) * cosine) / mpmath.pi
        return length * cosine

    return kernel


@pytest.mark.parametrize("pair", [(0.5, 0.625), (-2.0, 1.5)])
def test_scalar_covariance_at_great_depth(pair: tuple[float, float]) -> None:
    with mpmath.workdps(50):
        exact = float(mpmath.diff(scalar_kernel(1_000), tuple(map(mpmath.mpf, pair)), (1, 1)))
    assert theory.scalar_covariance(*pair, depth=1_000) == pytest.approx(exact, rel=1e-10)


def test_scalar_covariance_tends_to_its_limit_as_the_cube_of_the_angle() -> None:
    """x x' cos(angle) less 2 (angle / first angle)^3, both over the lengths: the leading terms of the formula."""
    x, y, depth = 0.5, 0.625, 100_000
    lengths, first = math.sqrt((1 + x * x) * (1 + y * y)), abs(math.atan(x) - math.atan(y))
    cosine = theory.cosines(depth, cosine=math.cos(first))[-1]
    left = theory.scalar_covariance(x, y, depth=depth) * lengths - x * y * cosine
    assert left / (math.acos(cosine) / first) ** 3 == pytest.approx(-2, rel=0.02)


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("depth", [1, 2, 9])
def test_neighbouring_inputs_have_neighbouring_slopes(gap: float, depth: int) -> None:
    """Nothing cancels where the values of two kernels would."""
    with mpmath.workdps(60):
        x = mpmath.mpf(0.5)
        y = x + mpmath.mpf(gap)
        exact = float(mpmath.diff(scalar_kernel(depth), (x, y), (1, 1), h=mpmath.mpf(gap) / 10**6))
    assert theory.scalar_covariance(0.5, 0.5 + gap, depth=depth) == pytest.approx(exact, abs=1e-5 * gap + 1e-14)
    if gap > 1e-7:  # closer inputs are refused
        grid = theory.grid_covariance([0.5, 0.5 + gap, 2.0], depth=depth, centred=False)
        assert grid[0, 1] == pytest.approx(exact, abs=1e-8)


def test_the_curve_of_a_constant_covariance_is_refused_though_it_rounds() -> None:
    with pytest.raises(ValueError, match="a constant curve has no autocorrelation"):
        theory.autocorrelation(np.full((7, 7), 0.1), lags=2)


def test_hermite_coefficients_to_the_highest_degree() -> None:
    """Of a rectifier, by parts: E[phi He_k] = He_{k-2}(0) / sqrt(2 pi), which is (-1)^m (2m - 1)!! for k - 2 = 2m."""
    expected = [1 / math.sqrt(2 * math.pi), 0.5]
    for k in range(2, 101):
        m = (k - 2) // 2
        zero = (-1) ** m * math.prod(range(1, 2 * m, 2)) if k % 2 == 0 else 0
        expected.append(zero / math.sqrt(math.factorial(k)) / math.sqrt(2 * math.pi))
    np.testing.assert_allclose(theory.hermite_coefficients("relu", degree=100), expected, atol=1e-12)


def test_expected_runs_of_lengths_and_ends() -> None:
    assert theory.expected_runs([]) == 1
    assert theory.expected_runs([[-1.0, 1.0], [0.0, 1.0]]) == pytest.approx(2.5)
