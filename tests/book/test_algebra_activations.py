"""The algebra of *One number for any activation* and *What moves the index*, step by step, by SymPy and mpmath."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest
import sympy as sp
from chapters import cells

import shattered_lite as sl
from shattered_lite import theory

z, t, u, c = sp.symbols("z t u c", real=True)


def he(k: int, x: sp.Expr = z) -> sp.Expr:
    """The Hermite polynomial, by the chapter's recursion."""
    previous, current = sp.Integer(0), sp.Integer(1)
    for m in range(k):
        previous, current = current, sp.expand(x * current - m * previous)
    return current


def gaussian_mean(expression: sp.Expr, variables: list[sp.Symbol], covariance: sp.Matrix) -> sp.Expr:
    """Mean of a polynomial of centred Gaussians: half the covariance's Laplacian, exponentiated, at zero."""
    total, term, order = sp.Integer(0), sp.expand(expression), 0
    pairs = list(itertools.product(range(len(variables)), repeat=2))
    while term != 0:
        total += term.subs(dict.fromkeys(variables, 0))
        order += 1
        diffused = sum(covariance[i, j] * sp.diff(term, variables[i], variables[j]) for i, j in pairs)
        term = sp.expand(diffused / (2 * order))
    return sp.expand(total)


def normal(expression: sp.Expr) -> sp.Expr:
    """Mean of a polynomial of one standard normal."""
    return gaussian_mean(expression, [z], sp.eye(1))


@pytest.mark.parametrize("k", range(1, 8))
def test_stein_steps_of_the_hermite_polynomials(k: int) -> None:
    assert sp.expand(z * he(k - 1) - sp.diff(he(k - 1), z) - he(k)) == 0
    assert sp.expand(sp.diff(he(k), z) - k * he(k - 1)) == 0


@pytest.mark.parametrize(("j", "k"), list(itertools.product(range(5), repeat=2)))
def test_mehler(j: int, k: int) -> None:
    mean = gaussian_mean(he(j, t) * he(k, u), [t, u], sp.Matrix([[1, c], [c, 1]]))
    assert sp.expand(mean - (sp.factorial(k) * c**k if j == k else 0)) == 0


def test_bounds_of_index_and_growth() -> None:
    k = sp.symbols("k", integer=True, positive=True)
    assert sp.expand(2 * (k - 1) - k - (k - 2)) == 0
    chi, p1 = sp.symbols("chi p1")
    assert sp.simplify((chi - p1) - (chi - 1) - (1 - p1)) == 0
    assert sp.simplify(chi * (1 - p1 / chi) - (chi - p1)) == 0


def gaussian_quadrature(function, kinks=()) -> float:
    mpmath.mp.dps = 25
    return mpmath.quad(lambda x: function(x) * mpmath.npdf(x), [-20, -6, -2, *kinks, 2, 6, 20])


CLOSED = {
    "leaky": (
        lambda x: x if x > 0 else x * mpmath.mpf(3) / 10,
        lambda x: mpmath.mpf(1) if x > 0 else mpmath.mpf(3) / 10,
        (0.7 / np.sqrt(2 * np.pi), 0.545, 0.65, 0.545),
    ),
    "gelu": (
        lambda x: x * mpmath.ncdf(x),
        lambda x: mpmath.ncdf(x) + x * mpmath.npdf(x),
        (
            0.5 / np.sqrt(np.pi),
            1 / 3 + 1 / (2 * np.sqrt(3) * np.pi),
            0.5,
            1 / 3 + 2 / (3 * np.sqrt(3) * np.pi),
        ),
    ),
    "sine": (
        mpmath.sin,
        mpmath.cos,
        (0.0, (1 - np.exp(-2)) / 2, np.exp(-0.5), (1 + np.exp(-2)) / 2),
    ),
}
E1, E2 = (float(mpmath.exp(k * k / 2) * mpmath.ncdf(-k)) for k in (mpmath.mpf(1), mpmath.mpf(2)))
CLOSED["elu"] = (
    lambda x: x if x > 0 else mpmath.expm1(x),
    lambda x: mpmath.mpf(1) if x > 0 else mpmath.exp(x),
    (1 / np.sqrt(2 * np.pi) + E1 - 0.5, 0.5 + E2 - 2 * E1 + 0.5, 0.5 + E1, 0.5 + E2),
)


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_by_quadrature_in_25_digits(name: str) -> None:
    value, slope, exact = CLOSED[name]
    for function, mean in zip((value, lambda x: value(x) ** 2, slope, lambda x: slope(x) ** 2), exact, strict=True):
        assert float(gaussian_quadrature(function, (0,))) == pytest.approx(mean, abs=1e-10)


@pytest.mark.parametrize("name", ["gelu", "elu"])
def test_the_package_knows_the_closed_forms(name: str) -> None:
    np.testing.assert_allclose(theory.averages(name), CLOSED[name][2], atol=1e-10)


def test_closed_forms_of_the_cube_and_of_the_square() -> None:
    assert [normal(e) for e in (z**6, 3 * z**2, 9 * z**4)] == [15, 3, 27]
    assert (normal(4 * z**2) - normal(2 * z) ** 2) / (normal(z**4) - normal(z**2) ** 2) == 2


def test_indices_of_the_leaky_rectifier_and_of_the_sine() -> None:
    a, y, g = sp.symbols("a y g", positive=True)
    slope = (1 + a**2) / 2 - ((1 + a) / 2) ** 2
    value = (1 + a**2) / 2 - (1 - a) ** 2 / (2 * sp.pi)
    assert sp.simplify(slope - (1 - a) ** 2 / 4) == 0
    kappa = slope / value
    assert sp.simplify(kappa - sp.pi * (1 - a) ** 2 / (2 * sp.pi * (1 + a**2) - 2 * (1 - a) ** 2)) == 0
    assert sp.simplify(kappa.subs(a, 0) - sp.pi / (2 * (sp.pi - 1))) == 0
    assert sp.simplify(kappa.subs(a, -1) - sp.pi / (sp.pi - 2)) == 0
    ratio = g**2 * ((1 + y**2) / 2 - y) / ((1 - y**2) / 2)
    assert sp.simplify(ratio - g**2 * (1 - y) / (1 + y)) == 0
    tanh = sp.tanh(g**2 / 2).rewrite(sp.exp)
    assert sp.simplify((1 - sp.exp(-(g**2))) / (1 + sp.exp(-(g**2))) - tanh) == 0


def test_a_branch_counts_one_over_b_plus_l_minus_one() -> None:
    beta, square, variance, slope, layer = sp.symbols("beta S V D l", positive=True)
    nu = variance / square
    b = 1 / (beta**2 * nu)
    deviation = 1 + beta**2 * nu * (layer - 1)
    chi = slope / variance
    assert sp.simplify(deviation - beta**2 * nu * (b + layer - 1)) == 0
    assert sp.simplify(beta**2 * slope / (square * deviation) - chi / (b + layer - 1)) == 0


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_products_are_gamma_functions(depth: int) -> None:
    b, chi, p1 = sp.symbols("b chi p1", positive=True)
    product = sp.prod((b + layer - 1 + p1) / (b + layer - 1 + chi) for layer in range(1, depth + 1))
    closed = sp.gamma(b + chi) * sp.gamma(depth + b + p1) / (sp.gamma(b + p1) * sp.gamma(depth + b + chi))
    assert sp.simplify(sp.gammasimp(closed) / product - 1) == 0


def test_the_power_by_stirling() -> None:
    with mpmath.workdps(30):
        for y, w in ((1.3, 2.7), (0.2, 0.9)):
            quotient = mpmath.gammaprod([10**8 + y], [10**8 + w])
            assert float(quotient / mpmath.mpf(10**8) ** (y - w)) == pytest.approx(1, abs=1e-6)


def test_recursion_of_leaning_states() -> None:
    b, layer, before, fed = sp.symbols("b l c F", positive=True)
    after = ((b + layer - 1) * before + fed) / (b + layer)
    assert sp.simplify(after - before - (fed - before) / (b + layer)) == 0


def test_inverse_chi_square_and_the_simplex() -> None:
    x = sp.symbols("x", positive=True)
    for n in (3, 5, 8):
        density = x ** (sp.Rational(n, 2) - 1) * sp.exp(-x / 2) / (2 ** sp.Rational(n, 2) * sp.gamma(sp.Rational(n, 2)))
        assert sp.simplify(sp.integrate(density / x, (x, 0, sp.oo)) - sp.Rational(1, n - 2)) == 0
    inputs = 6
    projected = sp.eye(inputs) - sp.ones(inputs) / inputs
    assert projected[0, 1] / projected[0, 0] == -sp.Rational(1, inputs - 1)


def sphere_mean(i: int, j: int, cosine: sp.Expr, dimension: int) -> sp.Expr:
    """Mean of <w, n_i>^i <w, n_j>^j over the unit sphere: Gaussian moment over the moment of the radius."""
    gauss = gaussian_mean(t**i * u**j, [t, u], sp.Matrix([[1, cosine], [cosine, 1]]))
    radius = sp.prod(dimension + 2 * m for m in range((i + j) // 2))
    return gauss / radius if (i + j) % 2 == 0 else sp.Integer(0)


@pytest.mark.parametrize("k", range(1, 6))
def test_averages_over_a_sphere_multiply_a_degree_by_its_polynomial(k: int) -> None:
    inputs = 8
    dimension, cosine = inputs - 1, -sp.Rational(1, inputs - 1)
    index = sp.Rational(inputs - 3, 2)
    p = sp.Poly(sp.gegenbauer(k, index, z) / sp.gegenbauer(k, index, 1), z).all_coeffs()[::-1]

    def mean(at: sp.Expr) -> sp.Expr:
        return sum(p[i] * p[j] * sphere_mean(i, j, at, dimension) for i in range(k + 1) for j in range(k + 1))

    value = sum(p[i] * cosine**i for i in range(k + 1))
    assert sp.simplify(mean(cosine) - mean(sp.Integer(1)) * value) == 0


def test_index_of_a_batch_tends_to_the_index() -> None:
    inputs = sp.symbols("M", positive=True)
    r = -1 / (inputs - 1)
    slopes = sp.Rational(1, 4) - sp.asin(r) / (2 * sp.pi)
    values = sp.Rational(1, 2) - (sp.sqrt(1 - r**2) + (sp.pi - sp.acos(r)) * r) / (2 * sp.pi)
    index = inputs / (inputs - 3) * slopes / values
    assert sp.simplify(sp.limit(index, inputs, sp.oo) - sp.pi / (2 * (sp.pi - 1))) == 0
    ball = theory.batch_averages("relu", batch_size=12)
    found = 12 / 9 * (ball.square_slope - ball.pair_slope) / (ball.square - ball.pair)
    assert found == pytest.approx(float(index.subs(inputs, 12)), rel=1e-6)


# First correction for finite width: Gaussian averages to second order in the small covariances.
G = sp.expand(1 + 2 * z - 3 * z**2 + z**3 / 2 + z**5 / 5)  # any polynomial will do


def b(n: int) -> sp.Expr:
    return normal(sp.diff(G, z, n))


def coefficient(expression: sp.Expr, *factors: sp.Symbol) -> sp.Expr:
    """Of a product of small symbols, all others put to zero."""
    expression = sp.expand(expression)
    powers = {factor: factors.count(factor) for factor in set(factors)}
    for symbol in expression.free_symbols:
        expression = expression.coeff(symbol, powers.get(symbol, 0))
    return expression


def test_gated_product_to_second_order() -> None:
    zi, zj, ti, tj = sp.symbols("zi zj ti tj")
    li, lj, r, cii, cij, cji, cjj, tij = sp.symbols("li lj r cii cij cji cjj tij")
    variables = [zi, zj, ti, tj]
    covariance = sp.Matrix([[1 + li, r, cii, cij], [r, 1 + lj, cji, cjj], [cii, cji, 1, tij], [cij, cjj, tij, 1]])
    slope = sp.diff(G, z)
    # two tangents enter linearly: Wick's rule for them, then the values' own Gaussian
    wick = {(0, 0): (cii, cij), (0, 1): (cii, cjj), (1, 0): (cji, cij), (1, 1): (cji, cjj)}
    gain = slope.subs(z, zi) * slope.subs(z, zj)
    example = 1 + 2 * zi + 3 * zj + zi * zj
    direct = gaussian_mean(example * ti * tj, variables, covariance)
    by_rule = tij * gaussian_mean(example, [zi, zj], covariance[:2, :2])
    by_rule += sum(
        left * right * gaussian_mean(sp.diff(example, variables[m], variables[n]), [zi, zj], covariance[:2, :2])
        for (m, n), (left, right) in wick.items()
    )
    assert sp.expand(direct - by_rule) == 0
    alone = gaussian_mean(gain, [zi, zj], covariance[:2, :2])
    assert coefficient(alone) == b(1) ** 2
    assert coefficient(alone, li) == b(1) * b(3) / 2
    assert coefficient(alone, li, li) == b(1) * b(5) / 8
    assert coefficient(alone, r) == b(2) ** 2
    assert coefficient(alone, r, r) == b(3) ** 2 / 2
    assert normal(sp.diff(slope, z, 2)) * normal(slope) == b(1) * b(3)  # of c_ii c_ij


def test_squared_gate_to_second_order() -> None:
    excess = sp.symbols("l")
    squared = sp.expand(sp.diff(G, z) ** 2)
    found = gaussian_mean(squared, [z], sp.Matrix([[1 + excess]]))
    assert coefficient(found, excess) == normal(squared * he(2)) / 2
    assert coefficient(found, excess, excess) == normal(squared * he(4)) / 8
    assert normal(sp.diff(squared, z, 2)) == normal(squared * he(2))
    product = sp.expand((G - normal(G)) * sp.diff(G, z))
    assert normal(sp.diff(product, z)) == normal((G - normal(G)) ** 2 * he(2)) / 2  # omega


def test_what_is_handed_on_and_fed_is_a_geometric_sum() -> None:
    p, q = sp.symbols("p q")
    once = twice = sp.Integer(0)
    for layers in range(1, 7):
        once, twice = 1 + q * once, p * twice + once
        assert sp.expand(once - sum(q**a for a in range(layers))) == 0
        pairs = [(a, b) for a in range(layers) for b in range(layers) if a + b <= layers - 2]
        assert sp.expand(twice - sum(p**a * q**b for a, b in pairs)) == 0


def test_batch_norm_operator_by_stein() -> None:
    """Lambda = 1 + z.grad/2, on a function of two values: the averages of the folded list."""
    x, y, s = sp.symbols("x y s")
    slope = sp.diff(G, z)
    gain = sp.expand(slope.subs(z, x) * slope.subs(z, y))

    def both(expression: sp.Expr) -> sp.Expr:
        return gaussian_mean(expression, [x, y], sp.eye(2))

    def lam(f: sp.Expr) -> sp.Expr:
        return sp.expand(f + (x * sp.diff(f, x) + y * sp.diff(f, y)) / 2)

    def laplacian(f: sp.Expr) -> sp.Expr:
        return sp.diff(f, x, 2) + sp.diff(f, y, 2)

    b1, b3, b5 = b(1), b(3), b(5)
    assert both(lam(gain)) == b1**2 + b1 * b3
    assert both(laplacian(lam(gain))) == 4 * b1 * b3 + b1 * b5 + b3**2
    twice = both(lam(gain) + lam(lam(gain)))
    assert twice == 2 * b1**2 + 4 * b1 * b3 + (b1 * b5 + b3**2) / 2
    assert twice - both(laplacian(lam(gain))) == 2 * b1**2 - (b1 * b5 + b3**2) / 2
    squared = sp.expand(slope.subs(z, x) ** 2)
    chi, chi2, chi4 = (normal(sp.expand(slope**2 * he(n))) for n in (0, 2, 4))
    assert both(lam(squared)) == chi + chi2 / 2
    assert both(sp.diff(lam(squared), x, 2)) == 2 * chi2 + chi4 / 2
    assert both(lam(squared) + lam(lam(squared))) == 2 * chi + 2 * chi2 + chi4 / 4
    monomial = x**3 * y  # dividing by the root of 1 + s, to second order
    divided = sp.series(monomial.subs({x: x / sp.sqrt(1 + s), y: y / sp.sqrt(1 + s)}) / (1 + s), s, 0, 3).removeO()
    expected = monomial - s * lam(monomial) + s**2 / 2 * (lam(monomial) + lam(lam(monomial)))
    assert sp.simplify(sp.expand(divided) - expected) == 0


@pytest.mark.parametrize("depth", [2, 4, 7])
def test_the_chapters_coefficient_is_theorem_1s_for_the_rectifier(depth: int) -> None:
    chapter = cells("what-moves-the-index")
    source = next(source for tags, source in chapter if "claim-prp-act-width" in tags)
    room = {"np": np, "sl": sl}
    exec(source.split("known =")[0], room)
    limit = (theory.plain_finite_width(depth, width=1e7).correlation * 2.0**depth - 1) * 1e7
    assert room["gamma"]("relu", depth) == pytest.approx(limit, rel=1e-4)


def test_small_and_large_gain() -> None:
    g = sp.symbols("g", positive=True)
    first, second, third = sp.symbols("f1 f2 f3", positive=True)
    wave = first * g * z + second * (g * z) ** 2 / 2 + third * (g * z) ** 3 / 6
    slope = sp.diff(wave, z)
    index = (normal(slope**2) - normal(slope) ** 2) / (normal(wave**2) - normal(wave) ** 2)
    assert sp.simplify(sp.limit(index / g**2, g, 0) - (second / first) ** 2) == 0
    phi = z * (1 + sp.erf(z / sp.sqrt(2))) / 2
    ratio = sp.diff(phi, z, 2).subs(z, 0) / sp.diff(phi, z).subs(z, 0)
    assert sp.simplify(ratio**2 - 8 / sp.pi) == 0
    tanh = sp.tanh(z)
    assert sp.simplify(sp.diff(tanh - tanh**3 / 3, z) - (1 - tanh**2) ** 2) == 0  # so the integral of cosh^-4 is 4/3


def test_linear_network_in_a_small_batch() -> None:
    inputs = sp.symbols("M", positive=True)
    spread = 1 + 1 / (inputs - 1)
    assert sp.simplify(inputs / (inputs - 3) / spread - (inputs - 1) / (inputs - 3)) == 0
    late = theory.plain_batch_norm([4, 5], batch_size=8, activation=theory.leaky_relu(1.0)).variance
    assert late[1] / late[0] == pytest.approx(7 / 5, rel=1e-9)


def test_squared_rectifier() -> None:
    value = sp.Rational(1, 2) * 3 - sp.Rational(1, 2) ** 2
    slope = 4 * (sp.Rational(1, 2) - 1 / (2 * sp.pi))
    assert sp.simplify(slope / value - sp.Rational(8, 5) * (1 - 1 / sp.pi)) == 0
