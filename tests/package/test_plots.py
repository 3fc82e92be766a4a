"""What the figures show is what they were given."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from shattered_lite import plots


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


def test_rasters_show_the_bits_under_their_titles() -> None:
    rng = np.random.default_rng(0)
    keys = [(row, column) for row in ("none", "batch") for column in ("2", "10")]
    active = {key: rng.random((6, 4)) < 0.5 for key in keys}
    runs = {key: rng.integers(1, 6, 20) for key in keys}
    figure = plots.activation_rasters(active, runs)
    shown = {axis.get_title(): np.asarray(axis.images[0].get_array()) for axis in figure.axes if axis.images}
    assert set(shown) == {f"{column}, {row}" for row, column in keys}
    for (row, column), bits in active.items():
        np.testing.assert_array_equal(shown[f"{column}, {row}"], bits.T)
    histograms = [axis for axis in figure.axes if axis.patches]
    assert len(histograms) == 2 * len(keys)
    for axis in histograms:
        assert sum(patch.get_height() for patch in axis.patches) == pytest.approx(1)


def test_figures_can_be_drawn() -> None:
    plots.use_style()
    bits = np.eye(4, dtype=bool)
    plots.activation_rasters({("none", "2"): bits}, {("none", "2"): np.array([1, 2])}).canvas.draw()
