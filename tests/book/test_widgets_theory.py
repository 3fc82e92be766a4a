"""Dials of closed forms: their numbers are those of ``theory``, and of the records."""

import re
from collections import defaultdict

import numpy as np
import pytest
import torch
from browsing import opened
from dial_modules import computed

import shattered_lite as sl
from tools import dials

NETWORKS = {
    "plain": {},
    "plain, batch norm": {"centred": True, "normalised": True},
    "residual, layer norm": {"kept": 1, "normalised": True},
    "residual, batch norm": {"kept": 1, "centred": True, "normalised": True},
    "residual, beta 0.1": {"kept": 1, "added": 0.01, "centred": True, "normalised": True},
    "highway": {"kept": 0.9, "added": 0.1},
}
ACTIVATIONS = {
    "rectifier": "relu",
    "leaky, 0.2": sl.theory.leaky_relu(0.2),
    "linear": sl.theory.leaky_relu(1.0),
    "tanh": "tanh",
    "GELU": "gelu",
    "SiLU": "silu",
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("network", NETWORKS)
def test_curve_is_that_of_theory(blank, network, activation):
    cosines, depth = [-0.9, -0.3, 0.0, 0.5, 0.95, 1.0], 12
    found = computed(
        blank,
        "curve",
        "cosines.map((c) => dial.similarities(network, dial.dual(activation, shares), c, depth)[depth])",
        network=network,
        activation=activation,
        shares=dials.curve()["shares"],
        cosines=cosines,
        depth=depth,
    )
    expected = sl.theory.similarity(depth, cosine=cosines, activation=ACTIVATIONS[activation], **NETWORKS[network])
    np.testing.assert_allclose([each["similarity"] for each in found], expected.cosine, atol=1e-5)
    covariance = expected.gradients.variance * expected.gradients.correlation
    np.testing.assert_allclose([each["gradients"] for each in found], covariance, rtol=1e-5, atol=1e-9)


def test_networks_of_the_curve_are_tested(blank):
    assert computed(blank, "curve", "Object.keys(dial.NETWORKS)") == list(NETWORKS)


@pytest.mark.parametrize("heights", [[0, 0, 0, 0, 1, 2, 3], [-1, -1, -1, 0, 1, 1, 1], [2.5, -1, 0.3, 0.3, -0.7, 3, 0]])
def test_index_of_an_own_activation_is_that_of_theory(blank, heights):
    knots = np.arange(-3.0, 4.0)
    slopes = np.diff(heights)

    def value(z):
        piece = np.clip(np.floor(z + 3).astype(int), 0, 5)
        return np.asarray(heights)[piece] + slopes[piece] * (z - knots[piece])

    own = sl.theory.Activation(value, lambda z: slopes[np.clip(np.floor(z + 3).astype(int), 0, 5)], tuple(knots[1:-1]))
    expected = sl.theory.averages(own)
    found = computed(blank, "own-index", "dial.averages(heights)", heights=heights)
    expected = {"decay": expected.decay, "growth": expected.growth, "index": expected.shattering_index}
    assert found.pop("exists")
    assert found == pytest.approx(expected, rel=1e-8)


def test_index_of_a_constant_does_not_exist(blank):
    assert computed(blank, "own-index", "dial.averages(heights).exists", heights=[1] * 7) is False


def test_correlation_of_a_turned_mirror(blank):
    """Product of one layer at two inputs, whose gates are coins, averaged over all of them; layers are independent."""
    found = computed(blank, "mirror", "[0, 40, 90, 180].map((turn) => dial.correlation(turn, 3))")
    coins = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 2)
    for turn, correlation in zip([0, 40, 90, 180], found, strict=True):
        cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        turned = np.array([[cosine, -sine], [sine, cosine]])
        layers = {gate: np.eye(2) if gate else turned for gate in (0.0, 1.0)}
        products = [np.trace(layers[here].T @ layers[there]) / 2 for here, there in coins.tolist()]
        assert correlation == pytest.approx(np.mean(products) ** 3, abs=1e-12)


def test_learning_curves_end_where_the_median_network_got_there():
    curves = dials.mirror()["curves"]
    assert curves.keys() == {"0", "45", "90"}
    times = defaultdict(list)
    for record in sl.lab.records.read(sl.lab.records.FOLDER / "time_to_learn.jsonl"):
        turn = dials.TURNS.get(sl.lab.grids.network_of(record.run, 64))
        if turn is not None and record.run.optimizer == "adam" and not record.run.held_out:
            times[str(turn), str(record.run.depth)].append(sl.lab.records.steps_to(record).reached)
    for turn, by_depth in curves.items():
        for depth, curve in by_depth.items():
            steps, accuracy = zip(*curve, strict=True)
            assert accuracy[-1] >= 0.9 > max(accuracy[:-1])
            assert list(steps) == sorted(set(steps))
            assert len(times[turn, depth]) == 5
            assert steps[-1] == np.median(times[turn, depth])
    assert curves["0"]["32"][-1][0] < curves["45"]["32"][-1][0] < curves["90"]["32"][-1][0]


@pytest.mark.parametrize(
    ("page_name", "name", "keys", "before", "after"),
    [
        ("one-curve", "curve", "End", "R = 9.8e−4", "Their ratio"),
        ("turning-the-mirror", "mirror", "Home", "turned by 45°", "turned by 0°"),
        ("any-activation", "own-index", "End", "κ = 0.733", "κ ="),
    ],
)
def test_dial_answers_to_keys(browser, site, page_name, name, keys, before, after):
    with opened(browser, f"{site}/{page_name}.html") as (page, problems):
        dial = page.locator(f".widget-{name}")
        dial.scroll_into_view_if_needed()
        dial.locator("[data-ready]").wait_for()
        said = dial.locator(".widget-says").inner_text()
        assert before in said
        dial.locator("input[type=range]").first.focus()
        page.keyboard.press(keys)
        assert dial.locator(".widget-says").inner_text() != said
        assert after in dial.locator(".widget-says").inner_text()
        dial.get_by_text("The same in numbers").click()
        assert dial.locator("tbody tr").count() > 2
        numbers = [cell.inner_text() for cell in dial.locator("tbody td:not(:first-child)").all()]
        said = dial.locator(".widget-says").inner_text()
        assert any(re.search(rf"(?<![\d.]){re.escape(number)}(?!\.?\d)", said) for number in numbers)
        assert problems == []
