"""What the figures show is what they were given."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from shattered_lite import plots
from shattered_lite.lab import grids


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
    assert plt.rcParams["figure.dpi"] == 144
    assert plt.rcParams["xtick.labelsize"] >= 11
    assert [to_hex(colour) for colour in plt.rcParams["axes.prop_cycle"].by_key()["color"]] == [*plots.PALETTE]


PAGES = {"white": "#ffffff", "dark": "#121212", "dark in the theme below": "#14181e"}  # as the themes' CSS has them
# Sight without one kind of cone, in linear RGB: Machado, Oliveira and Fernandes (2009), severity 1.
SIGHTS = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])  # of sRGB


def linear(colour: str) -> np.ndarray:
    """Red, green and blue as light: sRGB without its gamma."""
    coded = np.array(to_rgb(colour))
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    """WCAG's ratio of relative luminances."""
    dark, light = sorted(TO_XYZ[1] @ linear(colour) for colour in (first, second))
    return (light + 0.05) / (dark + 0.05)


def lab(colour: str, sight: str) -> np.ndarray:
    """CIE L*a*b* of a colour as it is seen, against the white of sRGB."""
    seen = np.clip(np.array(SIGHTS[sight]) @ linear(colour), 0, 1)
    x, y, z = (
        t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29 for t in TO_XYZ @ seen / TO_XYZ.sum(1)
    )
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_measures_of_colour_know_known_colours() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # WCAG's own example of what just fails
    assert lab("#ff0000", "all cones") == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    for sight in SIGHTS:  # grey is grey to everyone
        assert lab("#808080", sight) == pytest.approx([53.59, 0, 0], abs=0.05)
    red, green = (lab(colour, "deuteranopia") for colour in ("#bb4400", "#777700"))
    assert np.linalg.norm(red - green) < 10 < np.linalg.norm(lab("#bb4400", "all cones") - lab("#777700", "all cones"))


@pytest.mark.parametrize("name", plots.NETWORKS)
@pytest.mark.parametrize("page", PAGES)
def test_a_network_stands_out_from_the_page(name: str, page: str) -> None:
    """WCAG 2.1, criterion 1.4.11: at least 3 to 1 for what a reader must see to understand a graphic."""
    assert contrast(plots.NETWORKS[name].colour, PAGES[page]) >= 3


@pytest.mark.parametrize("sight", SIGHTS)
def test_no_two_networks_are_of_like_colour_to_any_sight(sight: str) -> None:
    """About 2.3 can just be told apart (Mahy et al. 1994), 10 is plain side by side; 13 is what this table attains."""
    seen = {name: lab(look.colour, sight) for name, look in plots.NETWORKS.items()}
    apart = {(a, b): np.linalg.norm(seen[a] - seen[b]) for a, b in combinations(seen, 2)}
    assert {pair: distance for pair, distance in apart.items() if distance < 13} == {}


def test_no_two_networks_share_label_or_marker() -> None:
    for field in ("label", "marker"):
        assert len({getattr(look, field) for look in plots.NETWORKS.values()}) == len(plots.NETWORKS)


def test_every_network_of_the_grids_has_a_look() -> None:
    assert grids.NETWORKS.keys() <= plots.NETWORKS.keys()


@pytest.mark.parametrize("look", plots.NETWORKS.values(), ids=plots.NETWORKS)
def test_a_look_is_drawn_as_the_table_says(look: plots.Look) -> None:
    (line,) = plt.plot([1, 2], **look.style())
    assert (line.get_label(), line.get_color(), line.get_marker(), line.get_linestyle()) == (
        look.label, look.colour, look.marker, look.line,
    )  # fmt: skip
    (bare,) = plt.plot([1, 2], **look.style(linestyle="", linewidth=7))
    assert (bare.get_color(), bare.get_marker(), bare.get_linestyle()) == (look.colour, look.marker, "None")
    assert bare.get_linewidth() == 7


def test_a_network_looks_against_depth_as_everywhere() -> None:
    names = [*reversed(grids.NETWORKS), "a network of one's own"]
    figure = plots.against_depth({name: {2: (0.5, 0.4, 0.6), 8: (0.3, 0.2, 0.4)} for name in names}, "accuracy")
    lines = [bars[0] for bars in figure.axes[0].containers]
    for name, line in zip(names[:-1], lines, strict=False):
        look = plots.NETWORKS[name]
        assert (line.get_color(), line.get_marker(), line.get_linestyle()) == (look.colour, look.marker, look.line)
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == [*(plots.NETWORKS[name].label for name in names[:-1]), names[-1]]
    others = {(line.get_color(), line.get_marker()) for line in lines[:-1]}
    assert (lines[-1].get_color(), lines[-1].get_marker()) not in others


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
    heights = [[patch.get_height() for patch in axis.patches] for axis in figure.axes if axis.patches]
    expected = [
        np.histogram(values, bins=np.linspace(0, most, 11))[0] / len(values)
        for key in keys
        for values, most in ((active[key].mean(0), 1), (runs[key], 6))
    ]
    np.testing.assert_allclose(heights, expected)


def test_figures_can_be_drawn() -> None:
    plots.use_style()
    bits = np.eye(4, dtype=bool)
    plots.activation_rasters({("none", "2"): bits}, {("none", "2"): np.array([1, 2])}).canvas.draw()


def test_theory_stands_beside_what_was_measured() -> None:
    nan = float("nan")
    figure = plots.beside_theory({"flat": [(1.0, 1.1), (2.0, nan)], "steep": [(1e-3, nan), (1.0, 2.0)]}, xlabel="layer")
    flat, steep = figure.axes
    expected, measured = (line.get_ydata() for line in flat.lines)
    np.testing.assert_array_equal(expected, [1.1, nan])
    np.testing.assert_array_equal(measured, [1.0, 2.0])
    assert (flat.get_yscale(), steep.get_yscale()) == ("linear", "log")
    assert (flat.get_title(), flat.get_xlabel()) == ("flat", "layer")
