"""The algebra of *Theorem 2: residual networks*, step by step, by SymPy."""

from __future__ import annotations

import pytest
import sympy as sp
from sympy.stats import E, Normal

beta, w, N, r, theta = sp.symbols("beta w N r theta", positive=True)
SHARE = beta**2 / (1 + beta**2)


def same(left: sp.Expr, right: sp.Expr) -> bool:
    return sp.simplify(left - right) == 0


@pytest.mark.parametrize("L", [1, 2, 5])
def test_paths_counted_by_length(L: int) -> None:
    q, sigma = sp.symbols("q sigma", positive=True)
    count = sum(sp.binomial(L, k) * N**k * sigma ** (2 * k) * q**k for k in range(L + 1))
    assert same(count, (1 + N * sigma**2 * q) ** L)
    assert count.subs({q: sp.Rational(1, 4), sigma: sp.sqrt(2 / N)}) == sp.Rational(3, 2) ** L


def test_factor_of_a_layer_is_one_less_half_the_share() -> None:
    assert same((1 + beta**2 / 2) / (1 + beta**2), 1 - SHARE / 2)
    L, c = sp.symbols("L c", positive=True)
    factor = sp.log(1 - SHARE.subs(beta, c / sp.sqrt(L)) / 2)
    assert sp.limit(L * factor, L, sp.oo) == -(c**2) / 2


def test_shares_of_the_covariance() -> None:
    assert same(beta**2 / 2 / (1 + beta**2 / 2), SHARE / (2 - SHARE))


def test_gains_and_scales() -> None:
    g, s = sp.symbols("g s", positive=True)  # beta^2 N sigma^2 E[u^2], and E[u]^2 / E[u^2]
    share = g / (1 + g)
    assert same((1 + g * s) / (1 + g), 1 - share * (1 - s))


def phi(x: sp.Expr) -> sp.Expr:
    return sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)


def cumulative(x: sp.Expr) -> sp.Expr:
    return (1 + sp.erf(x / sp.sqrt(2))) / 2


def test_one_unit() -> None:
    u, s = sp.symbols("u s", positive=True)
    primitive = (1 + s**2) * cumulative(u) - (2 * s + s**2 * u) * phi(u)
    assert same(sp.diff(primitive, u), (1 + s * u) ** 2 * phi(u))
    value = (1 + s**2) - primitive.subs(u, -1 / s)
    assert same(value, (1 + s**2) * cumulative(1 / s) + s * phi(1 / s))
    assert sp.expand((1 + u) ** 2 + (1 - u) ** 2) == 2 * (1 + u**2)  # |y| < 1
    assert sp.expand((1 + u) ** 2 - (1 - u) ** 2) == 4 * u  # |y| > 1


def test_three_terms_of_the_memory() -> None:
    x, mu, xi = sp.symbols("x mu xi", real=True)
    s, tau, rho = sp.symbols("s tau rho", positive=True)  # tau: variance at layer l; rho^2 tau: at layer m
    S = sp.sqrt(rho**2 * tau * (1 - rho**2))
    first = mu * cumulative(mu / s) + s * phi(mu / s)  # E[max(0, mu + s xi)], and of its square
    square = (mu**2 + s**2) * cumulative(mu / s) + mu * s * phi(mu / s)
    primitive = mu * cumulative(xi) - s * phi(xi)
    assert same(sp.diff(primitive, xi), (mu + s * xi) * phi(xi))
    assert same(mu - primitive.subs(xi, -mu / s), first)
    assert same(sp.diff(square, mu), 2 * first)
    density = phi(x / sp.sqrt(tau)) / sp.sqrt(tau)
    given = density * square.subs({mu: rho**2 * x, s: S})
    assert same(-sp.diff(given, x).subs(x, 0), -(rho**3) / sp.pi * sp.sqrt(1 - rho**2))
    given = density * first.subs({mu: rho**2 * x, s: S})
    assert same(given.subs(x, 0), rho * sp.sqrt(1 - rho**2) / (2 * sp.pi))


@pytest.mark.parametrize("L", [2, 3, 6])
def test_the_sum_of_the_memory(L: int) -> None:
    g = sp.IndexedBase("g")
    layers = sum(g[j] for layer in range(1, L) for j in range(1, layer + 1))
    assert same(layers, sum((L - j) * g[j] for j in range(1, L)))
    # what unit k gets back: beta^2 (1 + beta^2)^(n-1-m) tau_n varrho^2 / pi is w tau_n / pi at every distance
    m, n = sp.symbols("m n", integer=True)
    assert same(beta**2 * (1 + beta**2) ** (n - 1 - m) * (1 + beta**2) ** (m - n), SHARE)


def test_the_angle_step() -> None:
    a1, a2 = -w / (3 * sp.pi), -(w**2) / (18 * sp.pi**2)
    turned = theta + a1 * theta**2 + a2 * theta**3
    miss = sp.cos(turned) - sp.cos(theta) - w * (sp.sin(theta) - theta * sp.cos(theta)) / sp.pi
    assert sp.series(miss, theta, 0, 5).removeO() == 0
    inverse = sp.series(1 / turned, theta, 0, 2).removeO()
    assert same(inverse, 1 / theta + w / (3 * sp.pi) + w**2 * theta / (6 * sp.pi**2))


def test_the_flow() -> None:
    F = sp.sin(theta) - theta * sp.cos(theta)
    J = (sp.sin(theta) + (sp.pi - theta) * sp.cos(theta)) / sp.pi
    assert same(J - sp.cos(theta), F / sp.pi)
    speed = -F / (sp.pi * sp.sin(theta))
    assert same(-theta / sp.pi / speed, sp.diff(sp.log(F), theta))
    assert sp.limit(F / theta**3, theta, 0) == sp.Rational(1, 3)
    assert F.subs(theta, sp.pi / 2) == 1
    turned = sp.acos(sp.cos(theta) + w * F / sp.pi)
    second = -sp.cos(turned) * F**2 / (sp.pi**2 * sp.sin(turned) ** 3)
    point = {theta: sp.Rational(6, 5), w: sp.Rational(1, 3)}
    assert abs((sp.diff(turned, w, 2) - second).subs(point).evalf()) < 1e-12


def test_the_passenger() -> None:
    s, k, M = sp.symbols("s k M", positive=True)
    centred = s - 2 / M * (s + (M - 1) * k) + (M * s + M * (M - 1) * k) / M**2
    assert same(centred, (1 - 1 / M) * (s - k))
    q = sp.Symbol("q", positive=True)
    assert same((1 + 2 * q * beta**2) / (1 + beta**2), 1 - SHARE * (1 - 2 * q))


def test_moments_of_a_sum_with_a_gaussian_vector() -> None:
    x = sp.symbols("x1:4", real=True)
    s = sp.Symbol("s", positive=True)
    g = [Normal(f"g{k}", 0, s) for k in range(3)]
    X, Q, n = sum(value**2 for value in x), s**2, 3
    fourth = E(sp.expand(sum((a + b) ** 2 for a, b in zip(x, g, strict=True)) ** 2))
    assert same(fourth, X**2 + (2 * n + 4) * Q * X + (n**2 + 2 * n) * Q**2)
    assert same(E(sp.expand((x[0] + g[0]) ** 4)), x[0] ** 4 + 6 * x[0] ** 2 * Q + 3 * Q**2)


def test_recursion_of_the_fluctuation() -> None:
    A, B = sp.symbols("A B", positive=True)
    b = beta**2
    raw_A = A + (2 * N + 4) / N * b * A + (1 + 2 / N) * b**2 * (A + B / N)
    raw_B = B + 6 * b * A + 3 * b**2 * (A + B / N)
    new_A = (1 + 2 * w * (2 - w) / N) * A + w**2 / N * (1 + 2 / N) * B
    new_B = 3 * w * (2 - w) * A + (1 - w * (2 - w) + 3 * w**2 / N) * B
    assert same(raw_A / (1 + b) ** 2, new_A.subs(w, SHARE))
    assert same(raw_B / (1 + b) ** 2, new_B.subs(w, SHARE))
    assert same((2 * w * (2 - w) + 3 * w**2), 4 * w + w**2)
    plain = {w: 1, A: 1 + 2 / N, B: 3}
    assert same(new_A.subs(plain), (1 + 2 / N) * (1 + 5 / N))
    again = {w: 1, A: new_A.subs(plain), B: new_B.subs(plain)}
    assert same(new_A.subs(again), (1 + 2 / N) * (1 + 5 / N) ** 2)


def test_first_order_of_the_fluctuation_agrees_with_the_influence_of_units() -> None:
    share, epsilon = sp.Rational(2, 5), sp.Symbol("epsilon", positive=True)  # epsilon = 1/N
    A, B = 1 + 2 * epsilon, sp.Integer(3)
    for L in range(1, 5):
        A, B = (
            sp.expand((1 + 2 * share * (2 - share) * epsilon) * A + share**2 * epsilon * (1 + 2 * epsilon) * B),
            sp.expand(3 * share * (2 - share) * A + (1 - share * (2 - share) + 3 * share**2 * epsilon) * B),
        )
        kept = 1 - share
        variance = 2 + 4 * share * sum(kept**j for j in range(1, L + 1))
        variance += share**2 * (5 * L + 4 * sum((L - j) * kept**j for j in range(1, L)))
        assert A.coeff(epsilon, 1) == variance


def test_orthogonal_weights_take_two_fifths() -> None:
    assert same((1 + 2 / N) * (1 + 3 / (N + 2)), 1 + 5 / N)
    assert same(N * 3 / (N * (N + 2)), 3 / (N + 2))
    assert sp.solve(5 / N - sp.Rational(3, 102), N) == [170]
