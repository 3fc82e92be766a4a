"""Theorems 2 and 3, Corollary 1 and the power laws of real gates, against exact fractions, gammas and each other."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from shattered_lite import theory

DEEP = 10_000


@pytest.mark.parametrize("depth", range(5))
def test_theorem_2_counts_the_gates_that_a_path_crosses(depth: int) -> None:
    """A path skips or passes each layer; of those with k gates, (N/2)^k are active and (N/4)^k co-active."""
    width = 3
    sums = {share: Fraction(0) for share in (Fraction(1, 2), Fraction(1, 4))}
    for share in sums:
        for gates in range(depth + 1):
            paths = math.comb(depth, gates) * width**gates
            sums[share] += paths * share**gates * Fraction(2, width) ** gates
    moments = theory.residual(depth)
    assert moments.variance == pytest.approx(float(sums[Fraction(1, 2)]), rel=1e-14) == 2**depth
    assert moments.covariance == pytest.approx(float(sums[Fraction(1, 4)]), rel=1e-14)
    assert moments.correlation == pytest.approx(0.75**depth, rel=1e-14)


def test_alpha_scales_the_variance_alone() -> None:
    depths = np.arange(0, 60, 7)
    scaled = theory.residual(depths, alpha=0.5**0.5)
    np.testing.assert_allclose(scaled.variance, 1, rtol=1e-13)
    np.testing.assert_allclose(scaled.correlation, theory.residual(depths).correlation, rtol=1e-14)


@pytest.mark.parametrize("beta", [0.1, 0.3, 1.0, 2.5])
def test_theorem_3_is_a_ratio_of_gammas(beta: float) -> None:
    depths = [0, 1, 2, 10, 50, DEEP]
    moments = theory.residual_idealised_batch_norm(depths, beta=beta)
    with mpmath.workdps(40):
        c, half = 1 / mpmath.mpf(beta) ** 2, mpmath.mpf(1) / 2
        closed = [
            mpmath.gammaprod([depth + c + half, c + 1], [depth + c + 1, c + half]) for depth in map(mpmath.mpf, depths)
        ]
    np.testing.assert_allclose(moments.correlation, [float(value) for value in closed], rtol=1e-11)
    np.testing.assert_allclose(moments.variance, 1 + beta**2 * np.array(depths), rtol=1e-11)


def test_highway_is_one_family_with_the_residual_networks() -> None:
    depths = np.array([1, 5, 40])
    beta = 0.7
    same = theory.highway(depths, gamma1=1 / math.sqrt(1 + beta**2))
    np.testing.assert_allclose(same.correlation, theory.residual(depths, beta=beta).correlation, rtol=1e-13)
    np.testing.assert_allclose(same.variance, 1)
    np.testing.assert_allclose(
        theory.highway(depths, gamma1=0.0).correlation, theory.plain(depths).correlation, rtol=1e-14
    )
    shares = beta**2 / (1 + beta**2 * np.arange(1, 41))
    schedule = theory.highway(1, gamma1=np.sqrt(1 - shares)).correlation
    assert np.prod(schedule) == pytest.approx(
        float(theory.residual_idealised_batch_norm(40, beta=beta).correlation), rel=1e-12
    )


def test_corollary_1_tends_to_one_over_the_root_of_e() -> None:
    depths = np.array([10, 100, 1_000, DEEP])
    gaps = math.exp(-0.5) - theory.highway(depths, gamma1=np.sqrt(1 - 1 / depths)).correlation
    np.testing.assert_allclose(gaps * depths, math.exp(-0.5) / 8, rtol=0.1)  # (1 - 1/2L)^L = e^-1/2 (1 - 1/8L - ...)
    assert np.all(gaps > 0)


def test_real_gates_of_a_plain_network_are_the_case_without_skip() -> None:
    depths = np.arange(30)
    without = theory.highway_uncentred(np.zeros(29), cosine=0.3)
    np.testing.assert_allclose(without.correlation, theory.plain_uncentred(depths, cosine=0.3).correlation, rtol=1e-10)


def test_uncentred_residual_networks_obey_the_cubic_law_at_every_beta() -> None:
    depths = np.array([10_000, 40_000])
    for beta in (0.5, 1.0):
        correlation = theory.residual_uncentred(depths, beta=beta).correlation
        assert np.diff(np.log(correlation))[0] / math.log(4) == pytest.approx(-3, abs=0.03)
    np.testing.assert_allclose(theory.residual_uncentred([5], beta=0.5).variance, 1.25**5, rtol=1e-13)
    angle, product = math.pi / 2, 1.0  # beta = 1 and orthogonal inputs, in so many words
    for _ in range(100):
        product *= 1 - angle / (2 * math.pi)
        angle = math.acos(math.cos(angle) + (math.sin(angle) - angle * math.cos(angle)) / (2 * math.pi))
    assert theory.residual_uncentred(100).correlation == pytest.approx(product, rel=1e-9)


def test_layer_norm_falls_like_the_cube_of_a_logarithm() -> None:
    """R = c (log L + b)^-3 makes R^(-1/3) a straight line in log L."""
    depths = np.array([10, 100, 1_000, 10_000, 100_000])
    moments = theory.residual_layer_norm(depths)
    slopes = np.diff(moments.correlation ** (-1 / 3)) / np.diff(np.log(depths))
    np.testing.assert_allclose(slopes[1:], slopes[-1], rtol=0.01)  # but for a term of order log log L / log L
    np.testing.assert_allclose(moments.variance, 1 + depths)


def test_nothing_overflows_at_great_depth() -> None:
    moments = theory.residual(DEEP)
    assert moments.log_variance == pytest.approx(DEEP * math.log(2))
    assert moments.log_correlation == pytest.approx(DEEP * math.log(0.75))
    assert moments.variance == math.inf
    for law in (theory.plain, theory.plain_batch_norm, theory.residual_uncentred, theory.residual_layer_norm):
        assert np.isfinite(law(DEEP).log_variance)
        assert np.isfinite(law(DEEP).log_correlation)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.residual(-1), r"depth=-1: a number of layers is whole, from 0"),
        (lambda: theory.residual(2, alpha=0.0), r"alpha=0\.0: a scale is positive"),
        (lambda: theory.residual(2, beta=math.inf), r"beta=inf: a scale is 0 or more, and 1e\+100 or less"),
        (lambda: theory.residual_idealised_batch_norm(2, beta=-1), r"beta=-1: a scale is 0 or more"),
        (lambda: theory.residual_uncentred(2, cosine=1.5), r"cosine=1\.5: .*between -1 and 1"),
        (lambda: theory.residual_layer_norm(2.5), r"depth=2\.5: a number of layers is whole"),
        (
            lambda: theory.highway(2, gamma1=1.2),
            r"gamma1=1\.2: highway coefficients need 0 <= gamma1 <= 1, since .* variance",
        ),
        (lambda: theory.highway_uncentred([0.5, -0.1]), r"gamma1=\[0\.5, -0\.1\]: highway coefficients need"),
        (lambda: theory.highway_uncentred(0.5), r"gamma1: shape \(\), but one coefficient for each"),
    ],
)
def test_what_is_not_allowed_is_named(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
