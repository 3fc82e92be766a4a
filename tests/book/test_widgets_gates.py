"""The dial of gates: its values are those of a network of torch, and the sum over its open paths is the slope."""

import pytest
import torch
from browsing import opened
from dial_modules import computed

INPUTS = torch.linspace(-2, 2, 23, dtype=torch.float64)
CALL = """(() => {
    const all = dial.paths(network);
    return inputs.map((x) => {
        const { value, gates } = dial.pass(network, x);
        const through = all.filter((path) => dial.open(path, gates));
        const slope = through.reduce((sum, { weight }) => sum + weight, 0);
        return [value, slope, through.length, ...gates.flat().map(Number)];
    });
})()"""


def weights(layers, units, seed):
    generator = torch.Generator().manual_seed(seed)
    first, biases, last = torch.randn(3, units, generator=generator, dtype=torch.float64)
    between = torch.randn(layers - 1, units, units, generator=generator, dtype=torch.float64)
    return {"first": first, "biases": biases, "between": between, "last": last}


def passed(x, first, biases, between, last):
    """The value, and what decides the gates."""
    layers = [first * x + biases]
    for matrix in between:
        layers.append(layers[-1].relu() @ matrix)
    return layers[-1].relu() @ last, torch.stack(layers)


@pytest.mark.parametrize(("layers", "units"), [(1, 3), (3, 4), (4, 3)])
def test_sum_over_open_paths_is_the_slope_by_autograd(blank, layers, units):
    network = weights(layers, units, seed=layers)
    given = {name: weight.tolist() for name, weight in network.items()}
    found = torch.tensor(computed(blank, "gates", CALL, network=given, inputs=INPUTS.tolist()), dtype=torch.float64)
    open_somewhere = False
    for x, (value, slope, through, *gates) in zip(INPUTS.requires_grad_(), found, strict=True):
        expected, decides = passed(x, **network)
        [gradient] = torch.autograd.grad(expected, x)
        torch.testing.assert_close(torch.stack([value, slope]), torch.stack([expected, gradient]).detach())
        assert torch.equal(torch.stack(gates).bool().view(layers, units), decides > 0)
        assert through == (decides > 0).sum(1).prod()
        open_somewhere |= bool(gradient)
    assert open_somewhere


def test_weights_have_the_variances_of_the_book(blank):
    """1 in the first layer, 2/N later: sums of squares over a wide network, whose relative deviation is sqrt(2/n)."""
    drawn = computed(blank, "gates", "dial.drawn(1, 3, 200)")
    for name, variance in (("first", 1), ("biases", 1), ("between", 2 / 200), ("last", 2 / 200)):
        squares = torch.tensor(drawn[name], dtype=torch.float64).square() / variance
        assert abs(squares.mean() - 1) < 4 * (2 / squares.numel()) ** 0.5, name


def test_dial_answers_to_keys(browser, site):
    with opened(browser, f"{site}/theorem-1.html") as (page, problems):
        dial = page.locator(".widget-gates")
        dial.scroll_into_view_if_needed()
        dial.locator("[data-ready]").wait_for()
        dial.locator("input[type=range]").focus()
        said = set()
        for key in ("Home", "End"):
            page.keyboard.press(key)
            said.add(dial.locator(".widget-says").inner_text())
        assert {words[: words.index(":")] for words in said} == {"Open gates at x = −2.00", "Open gates at x = 2.00"}
        picture = dial.locator(".widget-drawing").inner_html()
        dial.get_by_role("button", name="new weights").press("Enter")
        assert dial.locator(".widget-drawing").inner_html() != picture
        dial.get_by_text("The open paths in numbers").click()
        rows = dial.locator("tbody tr").all_inner_texts()
        numbers = [float(row.split("\t")[1].replace("−", "-")) for row in rows]
        assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=0.0005 * len(rows))
        assert problems == []
