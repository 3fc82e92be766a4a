"""Dials: what they compute is what the package computes, and they can be used by eye, ear, key and touch."""

import math

import pytest
import torch
from browsing import DESKTOP, PHONE, opened, served
from dial_modules import computed
from playwright.sync_api import Page

import shattered_lite as sl
from tools import widgets

WIDTH, DEPTH = 12, 6
X = torch.linspace(-2, 2, 10, dtype=torch.float64)
HIGHWAY = {"kind": "highway", "gamma1": math.sqrt(1 - 1 / 100), "normalisation": "centred"}
LAWS = {
    "plain": {"kind": "plain", "normalisation": "centred"},
    "plain, batch norm": {"kind": "plain", "normalisation": "batch_norm"},
    "residual": {"kind": "residual", "normalisation": "centred"},
    "residual, beta 0.1": {"kind": "residual", "normalisation": "batch_norm", "beta": 0.1},
    "highway": HIGHWAY,
}
SLOPES = """[...dial.states(kind, {
    inputs, width, depth: matrices.length, first, weights: (layer) => Float64Array.from(matrices[layer - 1])
})].slice(1).map(({ tangents }) => [...tangents])"""


def slopes_in_browser(page, kind, first, matrices):
    """At each depth, input and unit."""
    flat = [matrix.flatten().tolist() for matrix in matrices]
    given = {"kind": kind, "inputs": X.tolist(), "width": WIDTH, "first": first.flatten().tolist(), "matrices": flat}
    return torch.tensor(computed(page, "network", SLOPES, **given), dtype=torch.float64).view(
        len(matrices), len(X), WIDTH
    )


def weights_of_sampler(seed):
    """The numbers that ``sample_gradients`` draws for its one network."""
    chunk = torch.randint(2**63 - 1, (1,), generator=torch.Generator().manual_seed(seed)).item()
    generator = torch.Generator().manual_seed(chunk)
    first = torch.randn(2, WIDTH, generator=generator, dtype=torch.float64)
    drawn = torch.randn(DEPTH, WIDTH, WIDTH, generator=generator, dtype=torch.float64)
    return first, drawn * math.sqrt(2 / WIDTH)


@pytest.mark.parametrize("kind", LAWS)
def test_network_is_that_of_the_package(blank, kind):
    first, matrices = weights_of_sampler(seed=7)
    generator = torch.Generator().manual_seed(7)
    expected = sl.sample_gradients(
        **LAWS[kind],
        depth=range(1, DEPTH + 1),
        width=WIDTH,
        inputs=X,
        networks=1,
        method="weights",
        generator=generator,
    )[:, 0]
    torch.testing.assert_close(slopes_in_browser(blank, kind, first, matrices), expected, rtol=1e-9, atol=1e-9)
    other = next(name for name in LAWS if name != kind)
    assert not torch.allclose(slopes_in_browser(blank, other, first, matrices), expected, rtol=1e-2)


def test_looks_linear_network_is_that_of_the_package(blank):
    network = sl.networks.fully_connected("crelu", depth=DEPTH, width=WIDTH, in_features=1, out_features=WIDTH).double()
    sl.looks_linear_(network, generator=torch.Generator().manual_seed(3))
    stem, *layers = [module for module in network.modules() if isinstance(module, torch.nn.Linear)]
    first = torch.stack([stem.weight[:, 0], stem.bias]).detach()
    found = slopes_in_browser(blank, "looks linear", first, [layer.weight.detach().T for layer in layers])
    expected = torch.stack([torch.func.jacrev(network)(x[None])[0] for x in X[:, None]])[..., 0]
    torch.testing.assert_close(found[-1], expected.view_as(found[-1]), rtol=1e-9, atol=1e-9)


def test_numbers_drawn_are_normal(blank):
    """Moments of 40,000 draws, and of products of neighbours; twice the same for a seed, and not for another."""
    drawn = computed(blank, "network", "[1, 1, 2].map((seed) => [...dial.normals(seed)(40000)])")
    draws = torch.tensor(drawn, dtype=torch.float64)
    assert torch.equal(draws[0], draws[1])
    for draw in (draws[0], draws[2]):
        sl.checks.agrees(draw, 0, "mean")
        sl.checks.agrees(draw**2, 1, "variance")
        sl.checks.agrees(draw**4, 3, "fourth moment")
        sl.checks.agrees(draw[1::2] * draw[::2], 0, "neighbours")
    sl.checks.agrees(draws[0] * draws[2], 0, "two seeds")


def test_weights_drawn_keep_the_size_of_signals_or_are_a_rotation_and_its_mirror(blank):
    drawn = computed(
        blank,
        "network",
        "[['plain', 100], ['looks linear', width]].map(([kind, n]) => [...dial.drawn(kind, dial.normals(1), n)])",
        width=WIDTH,
    )
    sl.checks.agrees(torch.tensor(drawn[0], dtype=torch.float64) ** 2, 2 / 100, "variance of a plain layer")
    rotation, mirrored = torch.tensor(drawn[1], dtype=torch.float64).view(2, WIDTH, WIDTH)
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(WIDTH, dtype=torch.float64))
    assert torch.equal(mirrored, -rotation)


def test_map_and_its_mean_are_those_of_the_package(blank):
    gradients = torch.randn(9, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = computed(
        blank,
        "network",
        "((map) => [[...map], [...dial.autocorrelation(map)]])(dial.correlations(tangents, width))",
        tangents=gradients.flatten().tolist(),
        width=WIDTH,
    )
    covariance = gradients @ gradients.T
    size = covariance.diagonal().sqrt()
    expected = covariance / torch.outer(size, size)
    torch.testing.assert_close(torch.tensor(found[0], dtype=torch.float64).view(9, 9), expected)
    means = torch.stack([expected.diagonal(lag).mean() for lag in range(9)])
    torch.testing.assert_close(torch.tensor(found[1], dtype=torch.float64), means)


def ready(page: Page) -> str:
    page.locator(".widget-shatter [data-ready]").wait_for()
    return page.locator(".widget-says").inner_text()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_dial_of_the_start_page_is_in_view(browser, site, size):
    with opened(browser, f"{site}/index.html", size=size) as (page, problems):
        ready(page)
        box = page.locator(".widget-shatter .widget-plot").first.bounding_box()
        assert box["y"] + box["height"] < size["height"]
        assert page.locator(".widget-shatter input[type=range]").bounding_box()["y"] > 0
        assert problems == []


def test_dial_answers_to_keys(browser, site):
    with opened(browser, f"{site}/index.html") as (page, _):
        assert "plain, 10 layers" in ready(page)
        page.locator(".widget-shatter input[type=range]").focus()
        page.keyboard.press("End")
        page.get_by_text("plain, 100 layers").wait_for()
        page.locator(".widget-shatter input[value=plain]").focus()
        page.keyboard.press("ArrowRight")
        page.get_by_text("plain, batch norm, 100 layers").wait_for()
        picture = page.locator(".widget-shatter .widget-plot").first.inner_html()
        page.get_by_role("button", name="new weights").press("Enter")
        page.locator(".widget-shatter [data-ready]").wait_for(state="detached")
        ready(page)
        assert page.locator(".widget-shatter .widget-plot").first.inner_html() != picture
        page.get_by_text("The same in numbers").click()
        assert page.locator(".widget-table tbody tr").count() == 7


def test_looks_linear_is_a_flat_line_at_every_depth(browser, site):
    with opened(browser, f"{site}/index.html") as (page, _):
        ready(page)
        page.locator(".widget-shatter").get_by_text("looks linear", exact=True).click()
        page.get_by_text("looks linear, 10 layers. Correlation of the slopes at two inputs: 1.00 side").wait_for()
        page.locator(".widget-shatter input[type=range]").focus()
        page.keyboard.press("End")
        page.get_by_text("looks linear, 100 layers. Correlation of the slopes at two inputs: 1.00 side").wait_for()


@pytest.mark.parametrize("how", ["disk", "no script", "print"])
def test_dial_where_a_page_is_not_served(browser, html, how):
    context = browser.new_context(java_script_enabled=how != "no script")
    page = context.new_page()
    page.goto(f"file://{html}/index.html")
    still = page.locator(".widget-shatter .widget-still")
    if how == "disk":
        ready(page)
        assert not still.is_visible()
    else:
        if how == "print":
            ready(page)
        page.emulate_media(media="print" if how == "print" else "screen")
        assert still.is_visible()
        assert page.locator(".widget-live:visible").count() == 0
    context.close()


def test_broken_dial_leaves_its_still(browser, html, tmp_path):
    broken = (html / "index.html").read_text().replace("export function render", "export function renders")
    (tmp_path / "index.html").write_text(broken)
    (tmp_path / "_static").symlink_to(html / "_static")
    with served(tmp_path) as address, opened(browser, f"{address}/index.html") as (page, problems):
        page.locator(".widget-shatter .widget-still").wait_for(state="visible")
        assert any("render" in problem for problem in problems)


def test_script_in_a_state_cannot_end_its_element():
    assert "</" not in widgets.embedded({"words": "</script>"})
