"""The algebra of the chapter *Theorem 3: batch norm and beta*, by SymPy."""

from __future__ import annotations

import pytest
import sympy as sp
from sympy import Rational, gamma, oo, pi, simplify, sqrt

c, x, w = sp.symbols("c x w", positive=True)
layer, L, M = sp.symbols("l L M", positive=True, integer=True)
beta, mu = sp.symbols("beta mu", positive=True)
theta = sp.Symbol("theta", positive=True)


def rising(start: sp.Expr, length: int) -> sp.Expr:
    return sp.prod([start + k for k in range(length)])


def test_variance_telescopes() -> None:
    u = beta**2 / (1 + beta**2 * (layer - 1))
    assert simplify(1 + u - (1 + beta**2 * layer) / (1 + beta**2 * (layer - 1))) == 0
    assert simplify(u.subs(beta, 1 / sqrt(c)) - 1 / (c + layer - 1)) == 0


@pytest.mark.parametrize("added", [1, mu])
def test_products_are_quotients_of_gamma_functions(added: sp.Expr) -> None:
    """With c = 1/(added beta^2): the idealisation has added = 1, real batch norm added = mu."""
    depth, share = 4, 1 / sp.sympify(added)

    def products(part: int) -> sp.Expr:
        return sp.prod([1 + share / part / (c + k - 1) for k in range(1, depth + 1)])

    for part in (1, 2):
        assert simplify(products(part) - rising(c + share / part, depth) / rising(c, depth)) == 0
    correlation = rising(c + share / 2, depth) / rising(c + share, depth)
    assert simplify(products(2) / products(1) - correlation) == 0
    found = sp.gammasimp(gamma(depth + x) / gamma(x)) - rising(x, depth)
    assert sp.expand(sp.expand_func(found)) == 0
    assert simplify((added * beta**2).subs(beta, 1 / sqrt(added * c)) - 1 / c) == 0


def test_correlation_of_the_theorem_in_gamma_functions() -> None:
    covariance = gamma(L + c + Rational(1, 2)) * gamma(c) / (gamma(L + c) * gamma(c + Rational(1, 2)))
    correlation = gamma(L + c + Rational(1, 2)) * gamma(c + 1) / (gamma(L + c + 1) * gamma(c + Rational(1, 2)))
    assert sp.gammasimp(covariance / (1 + L / c) - correlation) == 0


def test_constant_of_the_asymptote() -> None:
    assert simplify(gamma(1) / gamma(Rational(3, 2)) - 2 / sqrt(pi)) == 0
    small = 10 * gamma(100) / gamma(Rational(201, 2))  # beta = 1/10
    assert float(small) == pytest.approx(1 + 0.01 / 8, abs=1e-5)


def test_factors_of_the_two_bounds() -> None:
    half, quarter = Rational(1, 2), Rational(1, 4)
    left = sp.expand((x - half) ** 2 * (x + quarter) - (x - 3 * quarter) * x**2)
    assert left == Rational(1, 16)  # positive: the left inequality
    assert sp.expand(x**2 - (x - half) * (x + half)) == quarter  # positive: the right one
    for part in (half, quarter):
        steps = sp.prod([(c + k - 1 + part) / (c + k + part) for k in range(1, 6)])
        assert simplify(steps - (c + part) / (5 + c + part)) == 0
    assert (
        simplify((L + c + quarter) / (c + quarter) - (1 + L * beta**2 / (1 + beta**2 / 4)).subs(beta, 1 / sqrt(c))) == 0
    )


def test_skip_after_the_normalisation_keeps_the_variance() -> None:
    state = 1 + beta**2
    assert simplify((1 + beta**2) / state) == 1
    real = 1 + (1 - 1 / pi) * beta**2
    assert (sp.limit((1 + beta**2) / real, beta, oo) - pi / (pi - 1)).simplify() == 0


def test_averages_of_a_rectified_normal() -> None:
    z = sp.Symbol("z", real=True)
    density = sp.exp(-(z**2) / 2) / sqrt(2 * pi)
    mean = sp.integrate(z * density, (z, 0, oo))
    square = sp.integrate(z**2 * density, (z, 0, oo))
    assert simplify(2 * (square - mean**2) - (1 - 1 / pi)) == 0
    exponent = 1 / (2 * (square - mean**2))
    assert simplify(exponent - pi / (pi - 1)) == 0


def test_inverse_chi_square() -> None:
    n, y = sp.symbols("n y", positive=True)
    density = y ** (n / 2 - 1) * sp.exp(-y / 2) / (2 ** (n / 2) * gamma(n / 2))
    mean = sp.integrate((density / y).subs(n, n + 2), (y, 0, oo), conds="none")  # so that n > 2
    assert sp.gammasimp(mean - 1 / n) == 0


def test_exponents_for_a_batch() -> None:
    k, q = sp.symbols("k q", positive=True)
    growth = (M - 1) / M * beta**2 * (1 - 2 * k)  # of S, for each block
    chi = (M - 1) / (M - 3) * beta**2 / growth
    assert simplify(chi - M / ((M - 3) * (1 - 2 * k))) == 0
    assert simplify((chi * (1 - 2 * q)).subs(q, (pi - theta) / (2 * pi)) - chi * theta / pi) == 0
    assert simplify(sp.limit(chi.subs(k, 1 / (2 * pi)), M, oo) - pi / (pi - 1)) == 0


def test_integral_of_the_collapse() -> None:
    y = sp.Symbol("y", positive=True)
    assert simplify(sp.integrate(beta**2 / (1 + mu * beta**2 * y), (y, 0, L)) - sp.log(1 + mu * beta**2 * L) / mu) == 0


def test_jacobian_of_batch_norm_is_a_projection_over_the_deviation() -> None:
    size = 4
    z = sp.Matrix(sp.symbols(f"z:{size}", real=True))
    mean = sum(z) / size
    centred = z - mean * sp.ones(size, 1)
    deviation = sqrt(sum(entry**2 for entry in centred) / size)
    values = dict(zip(z, (1, 3, -2, 5), strict=True))
    jacobian = (centred / deviation).jacobian(z).subs(values)
    hat, s = (centred / deviation).subs(values), deviation.subs(values)
    projection = sp.eye(size) - sp.ones(size, size) / size - hat * hat.T / size
    assert (jacobian - projection / s).applyfunc(simplify).is_zero_matrix
    assert (projection**2 - projection).applyfunc(simplify).is_zero_matrix
    assert (projection * sp.ones(size, 1)).applyfunc(simplify).is_zero_matrix


def test_recursion_through_the_statistics() -> None:
    T, D, u, q, k = sp.symbols("T D u q k", positive=True)
    epsilon = 2 * (q + k) / M
    variance = T + D + u * D * (1 - 2 / M)
    covariance = T - 2 * u * D * (q + k) / M
    assert simplify(covariance - (T - epsilon * u * D)) == 0
    assert sp.expand(variance - covariance - D * (1 + u * (1 - 2 / M + epsilon))) == 0
    floor = -epsilon / (1 - 2 / M)
    assert simplify(floor + 2 * (q + k) / (M - 2)) == 0
    limit = sp.limit((floor * M).subs({q: Rational(1, 4), k: 1 / (2 * pi)}), M, oo)
    assert simplify(limit + Rational(1, 2) + 1 / pi) == 0
    product = sp.Symbol("P", positive=True)
    T, D = 1 + beta**2 / 2, beta**2 / 2 * product
    assert simplify(T / (T + D) - 1 / (1 + beta**2 / (2 + beta**2) * product)) == 0


def test_moving_alone_is_an_average_over_a_sphere() -> None:
    dimension = M - 1
    second = (M - 1) / dimension
    fourth = (M - 1) ** 2 * 3 / (dimension * (dimension + 2))
    mean = (1 - 1 / M) ** 2 - 2 * (1 - 1 / M) / M * second + fourth / M**2
    assert simplify(mean - (M - 1) * (M - 2) / (M * (M + 1))) == 0


def test_share_of_a_block_turns_the_angle() -> None:
    S = sp.Symbol("S", positive=True)
    cosine, kappa = sp.symbols("cosine kappa")
    share = beta**2 / (S + beta**2)
    assert simplify((S * cosine + beta**2 * kappa) / (S + beta**2) - (cosine + share * (kappa - cosine))) == 0
    assert simplify((S + beta**2 * (1 - theta / pi)) / (S + beta**2) - (1 - share * theta / pi)) == 0
    assert simplify((beta**2 / (1 + beta**2 * layer)).subs(beta, 1 / sqrt(c)) - 1 / (layer + c)) == 0


def test_step_of_a_small_angle() -> None:
    a1, a2 = -w / (3 * pi), -(w**2) / (18 * pi**2)
    turned = theta + a1 * theta**2 + a2 * theta**3
    right = sp.cos(theta) + w * (sp.sin(theta) - theta * sp.cos(theta)) / pi
    assert sp.expand(sp.series(sp.cos(turned) - right, theta, 0, 5).removeO()) == 0
    inverse = sp.series(1 / turned, theta, 0, 2).removeO()
    assert sp.expand(inverse - (1 / theta + w / (3 * pi) + w**2 * theta / (6 * pi**2))) == 0
