"""What the figures show is what they were given."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from shattered_lite import checks, plots


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    with matplotlib.rc_context():
        yield
    plt.close("all")


def test_style_is_set_on_demand() -> None:
    plt.rcdefaults()
    plots.use_style()
    assert plt.rcParams["figure.facecolor"] == "white"
    assert plt.rcParams["figure.constrained_layout.use"]


def test_one_colour_for_each_kind() -> None:
    colours = [tuple(np.round(to_rgb(colour), 6)) for colour in plots.COLOURS.values()]
    assert len(set(colours)) == len(colours)
    assert len(set(plots.MARKERS)) == len(plots.MARKERS)


def test_curves_draw_one_panel_each() -> None:
    x, ys = np.linspace(0, 1, 5), {"first": np.arange(5.0), "second": np.ones(5)}
    figure = plots.curves(x, ys, ylabel="slope", xlabel="$x$")
    assert [axis.get_title() for axis in figure.axes] == list(ys)
    assert figure.axes[0].get_ylabel() == "slope"
    for axis, y in zip(figure.axes, ys.values(), strict=True):
        assert axis.get_xlabel() == "$x$"
        np.testing.assert_array_equal(axis.lines[0].get_xydata(), np.stack([x, y], 1))


@pytest.mark.parametrize("log", [True, False])
def test_against_depth_draws_means_intervals_and_theory(log: bool) -> None:
    depths = np.array([1, 2, 4])
    draws = np.random.default_rng(0).uniform(0.5, 1, (3, 30))
    estimates = {"plain": draws, "new": np.full((3, 2), 0.5) + np.array([0, 0.1])}
    axis = plots.against_depth(depths, estimates, ylabel="$R$", theory={"$2^{-L}$": 0.5**depths}, log=log)
    assert axis.get_yscale() == ("log" if log else "linear")
    assert axis.get_ylabel() == "$R$"
    assert "depth" in axis.get_xlabel()
    assert {text.get_text() for text in axis.get_legend().get_texts()} == {"plain", "new", "$2^{-L}$"}
    for container, values in zip(axis.containers, estimates.values(), strict=True):
        mean, low, high = checks.interval(values.T)
        np.testing.assert_allclose(container.lines[0].get_ydata(), mean)
        segments = np.array(container.lines[2][0].get_segments())
        np.testing.assert_allclose(segments[:, :, 1], np.stack([low, high], 1))
    assert to_rgb(axis.containers[0].lines[0].get_color()) == to_rgb(plots.COLOURS["plain"])
    drawn = next(line for line in axis.lines if line.get_label() == "$2^{-L}$")
    np.testing.assert_array_equal(drawn.get_ydata(), 0.5**depths)


def test_against_depth_draws_where_it_is_told() -> None:
    axis = plt.subplots()[1]
    assert plots.against_depth([1, 2], {"plain": np.array([[1.0, 2], [3, 4]])}, ylabel="y", axis=axis) is axis


def test_rasters_show_the_bits() -> None:
    rng = np.random.default_rng(0)
    keys = [(row, column) for row in ("none", "batch") for column in ("2", "10")]
    active = {key: rng.random((6, 4)) < 0.5 for key in keys}
    figure = plots.activation_rasters(active, {key: rng.integers(1, 6, 20) for key in keys})
    shown = [np.asarray(axis.images[0].get_array()) for axis in figure.axes if axis.images]
    assert len(shown) == len(keys)
    for bits in active.values():
        assert any(
            picture.shape == pattern.shape and np.array_equal(picture.astype(bool), pattern)
            for picture in shown
            for pattern in (bits, bits.T, ~bits, ~bits.T)
        )


def test_figures_can_be_drawn() -> None:
    plots.use_style()
    plots.curves([0, 1], {"a": [0, 1]}, ylabel="y").canvas.draw()
    plots.against_depth([1, 2], {"plain": np.array([[1.0, 2], [3, 4]])}, ylabel="y").figure.canvas.draw()
