"""The dial of coins: fair ones, whose mean is Theorem 2, with the standard error that anyone would compute."""

import numpy as np
import pytest
import torch
from browsing import opened
from dial_modules import computed

import shattered_lite as sl

TOSSES = """(() => {
    const routes = dial.routes(seed, depth);
    const tossed = Array.from({ length: 20000 }, () => routes.next().value);
    return tossed.map((route) => [dial.left(route), ...route.map(Number)]);
})()"""


def test_law_is_theorem_2(blank):
    depths = list(range(1, 9))
    found = computed(blank, "coins", "depths.map(dial.law)", depths=depths)
    np.testing.assert_allclose(found, sl.theory.residual(depths).correlation, rtol=1e-12)


@pytest.mark.parametrize("depth", [1, 4, 8])
def test_coins_are_fair_and_their_mean_is_theorem_2(blank, depth):
    left, *coins = torch.tensor(computed(blank, "coins", TOSSES, depth=depth, seed=3), dtype=torch.float64).T
    coins = torch.stack(coins)
    assert torch.equal(left, 0.5 ** coins.sum(0))
    sl.checks.agrees(left, sl.theory.residual(depth).correlation, f"mean of 2^-K, L = {depth}")
    sl.checks.agrees(left**2, (5 / 8) ** depth, f"mean of 4^-K, L = {depth}")  # (1 + 1/4)/2 a layer: independent coins
    for coin in coins:
        sl.checks.agrees(coin, 0.5, "a coin")


def test_mean_and_standard_error_are_those_of_numpy(blank):
    numbers = np.random.default_rng(1).exponential(size=100)
    call = "numbers.reduce((mean, x) => { mean.add(x); return mean; }, new dial.Mean())"
    call = f"(({{ tosses, value, error }}) => [tosses, value, error])({call})"
    found = computed(blank, "coins", call, numbers=numbers.tolist())
    np.testing.assert_allclose(found, [100, numbers.mean(), numbers.std(ddof=1) / 10], rtol=1e-12)


def test_dial_answers_to_keys(browser, site):
    with opened(browser, f"{site}/theorem-2.html") as (page, problems):
        dial = page.locator(".widget-coins")
        dial.scroll_into_view_if_needed()
        dial.get_by_text("Mean of 1 toss:").wait_for()
        dial.get_by_role("button", name="toss", exact=True).press("Enter")
        dial.get_by_text("Mean of 2 tosses:").wait_for()
        dial.get_by_role("button", name="toss 1000").press("Enter")
        dial.get_by_text("Mean of 1,002 tosses:").wait_for()
        dial.get_by_text("(3/4)⁴ = 0.3164.").wait_for()
        dial.locator("input[type=range]").focus()
        page.keyboard.press("End")
        dial.get_by_text("(3/4)⁸ = 0.1001.").wait_for()
        dial.get_by_text("Mean of 1 toss:").wait_for()
        dial.get_by_text("The same in numbers").click()
        assert dial.locator("tbody tr").count() == 2
        assert problems == []
