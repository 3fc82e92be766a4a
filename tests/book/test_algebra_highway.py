"""The algebra of the chapter *Highway networks*, step by step, in SymPy."""

from __future__ import annotations

import itertools

import sympy as sp

w, B, t = sp.symbols("w B t", positive=True)
L, N = sp.symbols("L N", positive=True)
theta = sp.symbols("theta", positive=True)
GAP = sp.sin(theta) - theta * sp.cos(theta)  # pi times the speed of the flow
TURN = -(1 - theta * sp.cot(theta)) / sp.pi  # d theta / dt


def test_a_layer_keeps_the_variance_and_loses_half_of_its_share() -> None:
    gamma1, gamma2 = sp.sqrt(1 - w), sp.sqrt(w)
    assert sp.simplify(gamma1**2 + gamma2**2 - 1) == 0
    assert sp.simplify(gamma1**2 + gamma2**2 / 2 - (1 - w / 2)) == 0


def test_sum_over_sets_is_the_product() -> None:
    shares = sp.symbols("w1:5")
    total = sum(
        sp.Rational(1, 2) ** sum(crossed)
        * sp.prod([share if c else 1 - share for share, c in zip(shares, crossed, strict=True)])
        for crossed in itertools.product((0, 1), repeat=4)
    )
    assert sp.expand(total - sp.prod([1 - share / 2 for share in shares])) == 0


def test_bounds_of_the_logarithm() -> None:
    u = sp.symbols("u", positive=True)
    series = sp.series(sp.log(1 - u), u, 0, 4).removeO()
    assert sp.expand(series + u + u**2 / 2 + u**3 / 3) == 0
    assert sp.expand((L * (u + u**2)).subs(u, B / (2 * L)) - (B / 2 + B**2 / (4 * L))) == 0
    assert sp.expand((L * (u + u**2 / 2)).subs(u, B / (2 * L)) - (B / 2 + B**2 / (8 * L))) == 0
    mean = (L * (1 - B / (2 * L)) + 1) / (L + 1)
    assert sp.simplify(mean - (1 - B / (2 * (L + 1)))) == 0


def test_chord_and_concavity_of_a_layers_factor() -> None:
    curve, line = 2 ** (-w), 1 - w / 2
    assert all(sp.simplify((curve - line).subs(w, end)) == 0 for end in (0, 1))
    assert sp.simplify(sp.diff(curve, w, 2) - curve * sp.log(2) ** 2) == 0
    assert sp.simplify(sp.diff(sp.log(line), w, 2) + 1 / (2 - w) ** 2) == 0


def test_theorem_3_is_a_highway() -> None:
    beta = sp.symbols("beta", positive=True)
    layer = sp.symbols("l", positive=True)
    before, after = 1 + beta**2 * (layer - 1), 1 + beta**2 * layer
    a, b = 1, beta / sp.sqrt(before)
    assert sp.simplify(a**2 + b**2 - after / before) == 0
    assert sp.simplify(b**2 / (a**2 + b**2) - beta**2 / after) == 0
    assert sp.simplify(beta**2 / after - 1 / (layer + 1 / beta**2)) == 0


def test_laws_of_the_number_of_gates() -> None:
    k = sp.symbols("k", integer=True, nonnegative=True)
    assert sp.simplify(sp.summation(sp.exp(-B) * (B / 2) ** k / sp.factorial(k), (k, 0, sp.oo)) - sp.exp(-B / 2)) == 0
    y = sp.symbols("y", positive=True)
    assert sp.simplify(sp.expand_func(sp.digamma(y + 1)) - sp.digamma(y) - 1 / y) == 0
    agree = (1 - w) + w * sp.exp(-w)
    assert sp.simplify(1 - agree - w * (1 - sp.exp(-w))) == 0


def test_change_of_a_layer() -> None:
    assert sp.series(2 * (1 - sp.sqrt(1 - w)), w, 0, 3).removeO() == w + w**2 / 4


def test_the_gates_factor_is_the_slope_of_the_map() -> None:
    k = (sp.sin(theta) + (sp.pi - theta) * sp.cos(theta)) / sp.pi
    slope = sp.diff(k, theta) / sp.diff(sp.cos(theta), theta)
    assert sp.simplify(slope - (1 - theta / sp.pi)) == 0
    assert sp.simplify(k - sp.cos(theta) - GAP / sp.pi) == 0
    assert sp.simplify(sp.diff(slope, theta) / sp.diff(sp.cos(theta), theta) - 1 / (sp.pi * sp.sin(theta))) == 0


def test_the_flow_in_closed_form() -> None:
    assert sp.simplify(-sp.sin(theta) * TURN - GAP / sp.pi) == 0
    assert sp.simplify(sp.diff(GAP, theta) - theta * sp.sin(theta)) == 0
    assert sp.simplify(sp.diff(sp.log(GAP), theta) * TURN + theta / sp.pi) == 0  # d log R / dt
    assert GAP.subs(theta, sp.pi / 2) == 1


def test_the_cubic_law_of_the_flow() -> None:
    inverse = sp.series(-TURN / theta**2, theta, 0, 4).removeO()  # d(1/theta)/dt
    assert sp.simplify(inverse - (sp.Rational(1, 3) + theta**2 / 45) / sp.pi) == 0
    assert sp.series(GAP, theta, 0, 5).removeO() == theta**3 / 3
    assert sp.simplify((3 * sp.pi / B) ** 3 / 3 - 9 * sp.pi**3 / B**3) == 0


def test_moments_of_the_length_for_two_units() -> None:
    """The recursion of A and F against the moments written out, unit by unit and coin by coin."""
    units = 2
    zs, gs = sp.symbols("z1:3"), sp.symbols("g1:3")
    moment = {0: 1, 2: 1, 4: 3}

    def mean(polynomial: sp.Expr, variance: sp.Expr) -> sp.Expr:
        terms = sp.Poly(sp.expand(polynomial), *gs).terms()
        odd = [any(power % 2 for power in powers) for powers, _ in terms]
        return sum(
            coefficient * sp.prod([moment[power] * variance ** sp.Rational(power, 2) for power in powers])
            for (powers, coefficient), vanishes in zip(terms, odd, strict=True)
            if not vanishes
        )

    new = [sp.sqrt(1 - w) * z + sp.sqrt(w) * g for z, g in zip(zs, gs, strict=True)]
    square, fourth = sum(z**2 for z in new) ** 2, sum(z**4 for z in new)
    coins = list(itertools.product((0, 1), repeat=units))
    gated = [sum(coin * z**2 for coin, z in zip(toss, zs, strict=True)) for toss in coins]
    squares = sum(mean(square, 2 * H / units) for H in gated) / len(coins)
    fourths = sum(mean(fourth, 2 * H / units) for H in gated) / len(coins)
    A, F = sum(z**2 for z in zs) ** 2, sum(z**4 for z in zs)
    predicted = A * (1 - w**2 + 4 * w * (1 - w) / units) + w**2 * (1 + sp.Rational(2, units)) * (A + F)
    assert sp.expand(squares - predicted) == 0
    predicted = (1 - w) ** 2 * F + 6 * w * (1 - w) / units * A + 3 * w**2 / units * (A + F)
    assert sp.expand(fourths - predicted) == 0


def test_thin_and_plain_layers_of_the_length() -> None:
    A, F = sp.symbols("A F", positive=True)
    layer = A * (1 - w**2 + 4 * w * (1 - w) / N) + w**2 * (1 + 2 / N) * (A + F)
    assert sp.expand(sp.series(layer, w, 0, 2).removeO() - A * (1 + 4 * w / N)) == 0
    assert sp.limit((1 + 4 * B / (N * L)) ** L, L, sp.oo) == sp.exp(4 * B / N)
    assert sp.simplify(layer.subs({w: 1, A: 1 + 2 / N, F: 3 / N}) - (1 + 2 / N) * (1 + 5 / N)) == 0
