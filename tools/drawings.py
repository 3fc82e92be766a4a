"""The book's drawings: for each chapter one, the mechanism of its idea in few strokes, without data.

``python -m tools.drawings`` writes ``book/_static/drawings``: for each page an SVG, and a PNG of it for its notebook,
since Colab shows no SVG that a notebook holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise, product

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from shattered_lite.plots import NETWORKS
from tools.site import ROOT
from tools.strokes import (
    BATCH_NORM,
    FAINT,
    GREY,
    HIGHWAY,
    INK,
    LINEAR,
    PLAIN,
    RESIDUAL,
    SMALL,
    Point,
    arc,
    arrow,
    between,
    box,
    disc,
    dots,
    drawn,
    graph,
    line,
    png,
    polar,
    relu,
    sector,
    svg,
    word,
)

FOLDER = ROOT / "book" / "_static" / "drawings"


def who_is_active(paper: Axes) -> None:
    """Units are directions; those whose gates are open at both inputs lie in a wedge of pi minus theta."""
    y, radius = 142, 68
    for x, theta, words in ((105, 45, "alike: 6 of 16 units"), (300, 90, "unlike: 4 of 16 units")):
        for name, side in (("i", 90 + theta / 2), ("j", 90 - theta / 2)):
            sector(paper, x, y, radius, (side - 90, side + 90), GREY, opacity=0.18)
            arrow(paper, (x, y), polar(x, y, radius + 16, side), width=1.8)
            word(paper, *polar(x, y, radius + 26, side), f"${name}$")
        wedge = theta / 2, 180 - theta / 2
        sector(paper, x, y, radius, wedge, PLAIN, opacity=0.3)
        arc(paper, x, y, radius + 10, wedge, PLAIN)
        for unit in np.arange(11.25, 360, 22.5):
            dots(paper, *polar(x, y, radius, unit), PLAIN if wedge[0] < unit < wedge[1] else "white")
        arrow(paper, (x, y), polar(x, y, radius - 4, 33.75), GREY)
        word(paper, *polar(x, y, radius + 22, 33.75), "$w$", GREY)
        arc(paper, x, y, 20, (90 - theta / 2, 90 + theta / 2))
        word(paper, x, y + 30, r"$\theta$")
        word(paper, x, y + radius + 22, r"$\pi - \theta$", PLAIN)
        word(paper, x, y + 49, "both", PLAIN)
        word(paper, x - 41, y, "only $i$", size=SMALL)
        word(paper, x + 41, y, "only $j$", size=SMALL)
        word(paper, x, y - 38, "neither", size=SMALL)
        word(paper, x, 46, words)
    word(paper, 200, 16, r"gate open at both: $(\pi - \theta)\,/\,2\pi$ of all units", PLAIN)


def theorem_1(paper: Axes) -> None:
    """Each layer of gates halves the paths that are open at the other input as well."""
    columns = (36, 128, 208, 288, 370)
    layers: list[dict[float, str]] = [
        {158: "ij"},
        {206: "j", 174: "ij", 142: "", 110: "i"},
        {206: "i", 174: "", 142: "ij", 110: "j"},
        {206: "", 174: "ij", 142: "j", 110: "i"},
        {158: "ij"},
    ]
    network(paper, dict(zip(columns, layers, strict=True)))
    for x, name in ((columns[0], "neuron"), (columns[4], "output")):
        disc(paper, x, 158, 6, INK)
        word(paper, x, 178, name)
    for x, at in ((96, "i"), (228, "j")):
        gate(paper, x, 236, at)
        word(paper, x + 18, 236, f"open at ${at}$", side="left")
    for y, colour, name, counts in (
        (74, PLAIN, "paths open at $i$", ("2", "4", "8", "of 64")),
        (48, PLAIN, "open at both", ("1", "1", "1", "of 64")),
        (18, INK, "share", ("1/2", "1/4", "1/8", "$= 2^{-3}$")),
    ):
        word(paper, 106, y, name, colour, SMALL, side="right")
        for x, count in zip(columns[1:], counts, strict=True):
            word(paper, x, y, count, colour)


def network(paper: Axes, layers: dict[float, dict[float, str]]) -> None:
    """All weights between a layer and the next, and the units but for both ends; for each, where its gate is open."""
    for (x0, before), (x1, after) in pairwise(layers.items()):
        for (y0, first), (y1, second) in product(before.items(), after.items()):
            edge(paper, (x0, x1), (y0, y1), set(first) & set(second))
    for x, units in list(layers.items())[1:-1]:
        for y, open_at in units.items():
            gate(paper, x, y, open_at)


def edge(paper: Axes, x: Point, y: Point, open_at: set[str]) -> None:
    """A weight between two units: faint, in colour where both are open at input i, bold where at j as well."""
    line(paper, x, y, FAINT, 0.7, order=1)
    if "i" in open_at:
        line(paper, x, y, PLAIN, 5 if "j" in open_at else 1.4)


def gate(paper: Axes, x: float, y: float, open_at: str) -> None:
    """A unit: its left half is filled if its gate is open at input i, its right half if it is open at j."""
    disc(paper, x, y, 10)
    for name, half, colour in (("i", (90, 270), PLAIN), ("j", (270, 90), GREY)):
        if name in open_at:
            sector(paper, x, y, 9.4, half, colour, order=5)


def theorem_2(paper: Axes) -> None:
    """At each block a coin sends the path past the gates or through them, and each gate halves."""
    stream, detour, end = 118, 160, 372
    line(paper, [28, end], [stream, stream], GREY)
    taken_x, taken_y = [28], [stream]
    for x, side in ((88, "skip"), (162, "gate"), (236, "gate"), (310, "skip")):
        around = [x - 25, x - 25, x + 25, x + 25], [stream, detour, detour, stream]
        line(paper, *around, GREY)
        if side == "gate":
            taken_x, taken_y = taken_x + around[0], taken_y + around[1]
        relu(paper, x, detour)
        for radius in (22, 19):
            disc(paper, x, 220, radius)
        line(paper, [x, x], [173, 197], GREY, style=":")
        word(paper, x, 220, side, RESIDUAL if side == "gate" else INK, SMALL)
        word(paper, x, 93, r"$\times$ 1/2" if side == "gate" else r"$\times$ 1")
    line(paper, [*taken_x, end], [*taken_y, stream], RESIDUAL, 5)
    disc(paper, 28, stream, 6, INK)
    disc(paper, end, stream, 6, INK)
    word(paper, 200, 57, "this path: $K = 2$ gates, correlation $2^{-2}$", RESIDUAL)
    word(paper, 200, 22, r"over all tosses: $R = E\,[2^{-K}] = (3/4)^4$")


def what_shattering_costs(paper: Axes) -> None:
    """A step on one example, and how far it moves others that are less and less similar to it."""
    for left, name, colour, moved in (
        (30, "shallow", LINEAR, (1, 0.72, 0.55, 0.43, 0.36)),
        (222, "plain and deep", PLAIN, (1, 0.05, 0, 0, 0)),
    ):
        low, apart, high = 78, 34, 152
        line(paper, [left - 14, left + 4 * apart + 14], [low, low], FAINT, 0.8, order=1)
        for place, share in enumerate(moved):
            x = left + apart * place
            if share:
                arrow(paper, (x, low), (x, low + high * share), colour, width=2.6)
            disc(paper, x, low, 6)
        word(paper, left, low - 20, "a step", size=SMALL)
        word(paper, left + 2.7 * apart, low - 20, "less and less alike", GREY, SMALL)
        word(paper, left + 2 * apart, 26, name, colour)


def looks_linear(paper: Axes) -> None:
    """The gate takes a number apart, the mirror puts it together."""
    middle = 140
    word(paper, 16, middle, "$z$")
    word(paper, 90, 238, "gate", GREY, SMALL)
    word(paper, 152, 238, "mirror", GREY, SMALL)
    for y, inside, outside, colour, side, sign in (
        (196, r"$\rho(z)$", r"$\times\;O$", LINEAR, 1, 1),
        (84, r"$\rho(-z)$", r"$\times\;{-}O$", INK, -1, -1),
    ):
        arrow(paper, (28, middle + 6 * sign), (54, y))
        graph(paper, 90, y, colour, [(-side, 0), (0, 0), (side, 1)])
        word(paper, 90, y - 38, inside, colour)
        arrow(paper, (124, y), (180, y))
        word(paper, 152, y + 14, outside)
        graph(paper, 214, y, colour, [(-side, 0), (0, 0), (side, sign)])
        arrow(paper, (246, y), (277, middle + 13 * sign))
        graph(paper, 350, middle, colour, [(0, 0), (side, sign)])
    disc(paper, 284, middle, 11)
    word(paper, 284, middle, "$+$")
    arrow(paper, (296, middle), (316, middle))
    word(paper, 350, middle - 40, "$O z$: a line")
    word(paper, 200, 18, "a plain rectifier has the upper row only: half is lost", GREY, SMALL)


def walk(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of random steps, brown noise: tied to zero at both ends, its largest excursion 1."""
    path = np.cumsum(steps - steps.mean())
    scaled: NDArray[np.float64] = path / np.abs(path).max()
    return scaled


def gradients_as_noise(paper: Axes) -> None:
    """Brown noise keeps what it was and adds a little; white noise forgets."""
    x = np.linspace(20, 380, 241)
    brown, white = np.random.default_rng(2017).standard_normal((2, x.size))
    for y, name, curve in ((172, "brown noise", 44 * walk(brown)), (54, "white noise", 14 * white)):
        line(paper, [20, 380], [y, y], FAINT, 0.8, order=1)
        line(paper, x, y + curve, NETWORKS[name].colour, 1.4)
        word(paper, 20, y + 58, name, side="left")


def theorem_3(paper: Axes) -> None:
    """Blocks that add the same to a stream that grows: each has a smaller share of it."""
    low, strand, end = 58, 26, 384
    between(paper, [16, end], low, low + strand, GREY, 0.5)
    for block in range(1, 5):
        x, y = 10 + 74 * block, low + strand * block
        between(paper, [x, end], y, y + strand, BATCH_NORM, 0.75 if block % 2 else 0.45)
        relu(paper, x, y + strand / 2)
        word(paper, x, y + strand + 12, f"1/{block + 1}")
    word(paper, 200, 26, "equal blocks, a wider stream: smaller shares")


def highway(paper: Axes) -> None:
    """Two lanes, one past the gates and one through them; their widths add up to that of the road."""
    x = np.linspace(12, 388, 95)
    apart = 0.5 * (np.tanh((x - 85) / 18) - np.tanh((x - 315) / 18))
    low, split, high = 104, 122, 194
    between(paper, x, split + 16 * apart, high + 16 * apart, GREY, 0.35)
    between(paper, x, low - 26 * apart, split - 26 * apart, HIGHWAY, 0.75)
    relu(paper, 200, (low + split) / 2 - 26)
    word(paper, 200, (split + high) / 2 + 16, r"$\gamma_1^2$: past the gates")
    word(paper, 200, low - 50, r"$\gamma_2^2$: through the gates", HIGHWAY)
    word(paper, 200, 22, r"$\gamma_1^2 + \gamma_2^2 = 1$")


def one_curve(paper: Axes) -> None:
    """A curve of similarities, with a ruler against it at two different inputs and at identical ones."""
    left, low, wide, high = 56, 62, 250, 170
    line(paper, [left, left, left + wide + 14], [low + high + 14, low, low], INK, 1)

    def at(rho: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return left + wide * rho, low + high * (0.07 + 0.21 * rho + 0.24 * rho**2 + 0.34 * rho**6)

    line(paper, *at(np.linspace(0, 1, 80)), PLAIN, 2.4)
    for rho, reach, colour in ((0.4, 0.26, RESIDUAL), (1.0, 0.14, BATCH_NORM)):
        x, y = at(np.array([rho - 1e-4, rho, rho + 1e-4]))
        slope = (y[2] - y[0]) / (x[2] - x[0])
        ends = np.array([-reach, reach if rho < 1 else 0.03]) * wide
        line(paper, x[1] + ends, y[1] + slope * ends, colour, 2)
        line(paper, [x[1], x[1]], [low, y[1]], FAINT, 0.8, order=1)
        disc(paper, float(x[1]), float(y[1]), 4)
    word(paper, left + 0.4 * wide, low - 14, "two inputs", size=SMALL)
    word(paper, left + wide, low - 14, "the same", size=SMALL)
    word(paper, left + 0.3 * wide, low + 0.4 * high, "slope $C(i, j)$", RESIDUAL)
    word(paper, left + wide + 48, low + 0.62 * high, "slope $C(i)$", BATCH_NORM)
    word(paper, left + wide / 2, 20, "similarity of the inputs", GREY, SMALL)
    word(paper, left + 8, low + high + 8, "similarity of the outputs", GREY, SMALL, side="left")


def any_activation(paper: Axes) -> None:
    """Degrees one, two and three: whether the slopes at two inputs agree, and how much each degree counts."""
    z = np.linspace(-1.0, 1.0, 45)
    unit, y = 44, 148
    degrees = (
        ("line", "0", z, ((-0.55, 1), (0.55, 1)), LINEAR),
        ("parabola", "2", 2 * z**2 - 0.9, ((-0.55, -2.2), (0.55, 2.2)), PLAIN),
        ("cubic", "3", 4 * z**3 - 3 * z, ((-0.05, -2.97), (0.8, 4.68)), RESIDUAL),
    )
    for place, (name, counts, value, inputs, colour) in enumerate(degrees):
        x = 70 + 130 * place
        graph(paper, x, y, colour, zip(z, value, strict=True), unit)
        for at, slope in inputs:
            left, height = x + unit * at, y + 0.85 * unit * float(np.interp(at, z, value))
            across = 24 / float(np.hypot(1, 0.85 * slope))
            up = 0.85 * slope * across
            line(paper, [left - across, left + across], [height - up, height + up], width=2, order=4)
            dots(paper, left, height)
        word(paper, x, 228, name, colour)
        word(paper, x, 76, "slopes agree" if counts == "0" else "they do not", size=SMALL)
        word(paper, x, 48, f"counts {counts}", colour)
    word(paper, 200, 16, "the index of a mixture: the mean count", GREY, SMALL)


def real_images(paper: Axes) -> None:
    """Cosines between the gradients of examples in order of their class: in blocks, or nowhere."""
    side, examples = 168, 12
    for left, name, blocks in ((24, "shallow", 3), (216, "plain and deep", examples)):
        low, size = 50, side / blocks
        between(paper, [left, left + side], low, low + side, GREY, 0.12)
        for block in range(blocks):
            x, top = left + size * block, low + side - size * block
            between(paper, [x, x + size], top - size, top, PLAIN, 0.8)
        for digit in range(3):
            word(paper, left - 11, low + side * (5 - 2 * digit) / 6, str(digit), size=SMALL)
            word(paper, left + side * (2 * digit + 1) / 6, low + side + 12, str(digit), size=SMALL)
        word(paper, left + side / 2, 26, name)


def price_is_time(paper: Axes) -> None:
    """A gate along a row of images: before training it switches between neighbours, afterwards between classes."""
    left, apart = 40, 32
    images = [float(left + apart * place) for place in range(11)]
    for low, name, colour, switches in (
        (154, "at the start", PLAIN, (0, 1, 3, 4, 5, 7, 8, 10)),
        (44, "after training", LINEAR, (3, 7)),
    ):
        ends = [images[0] - apart / 2, *(images[switch] - apart / 2 for switch in switches if switch)]
        ends.append(images[-1] + apart / 2)
        x = np.repeat(ends, 2)[1:-1]
        first_is_open = 0 in switches
        y = np.repeat([low + 40 * (first_is_open == (piece % 2 == 0)) for piece in range(len(ends) - 1)], 2)
        between(paper, x, np.full_like(x, low), y, colour, 0.25)
        line(paper, x, y, colour, 2.2)
        word(paper, left - 14, low + 58, f"gate {name}", colour, side="left")
        for place, at in enumerate(images):
            disc(paper, at, low - 14, 6, "white" if place < 3 or place >= 7 else INK)
    word(paper, 200, 10, "a row of images; neighbours are alike", GREY, SMALL)


def very_deep(paper: Axes) -> None:
    """Three stacks of many layers: one after another, with skips, mirrored."""
    for x, name, colour in ((75, "plain", PLAIN), (200, "residual", RESIDUAL), (325, "looks linear", LINEAR)):
        for layer in range(20):
            y = 54 + 9.6 * layer
            halves = ((-36, -3, LINEAR), (3, 36, INK)) if name == "looks linear" else ((-36, 36, colour),)
            for left, right, half in halves:
                line(paper, [x + left, x + right], [y, y], half, 4.5)
            if name == "residual" and layer < 19:
                arc(paper, x + 40, y + 4.8, 4.8, (-90, 90), colour)
        word(paper, x, 26, name, colour)


def after_the_paper(paper: Axes) -> None:
    """A curve of similarity: its height at zero, its tangent there, what is missing to one, the slope at its end."""
    left, low, across, up = 74, 48, 236, 176
    met, straight = 0.22, 0.36
    c = np.linspace(0, 1, 60)

    def at(x: NDArray[np.float64] | float, y: NDArray[np.float64] | float) -> tuple[list[float], list[float]]:
        return (left + across * np.atleast_1d(x)).tolist(), (low + up * np.atleast_1d(y)).tolist()

    line(paper, [left, left + across], [low, low], FAINT, 0.8)
    line(paper, [left, left], [low, low + up], FAINT, 0.8)
    line(paper, [left + across] * 2, [low, low + up], FAINT, 0.8)
    line(paper, *at(c, met + straight * c + (1 - met - straight) * c**3), LINEAR, 2.8)
    line(paper, *at(np.array([0, 1]), met + straight * np.array([0, 1])), GREY, 1.4, ":")
    end = straight + 3 * (1 - met - straight)
    line(paper, *at(np.array([0.86, 1.0]), np.array([1 - 0.14 * end, 1])), PLAIN, 2.4)
    for x, bottom, top, colour in (
        (left - 10, 0, met, INK),
        (left + across + 10, met, met + straight, RESIDUAL),
        (left + across + 10, met + straight, 1, LINEAR),
    ):
        line(paper, [x, x], [low + up * bottom + 2, low + up * top - 2], colour, 3)
    word(paper, left - 18, low + up * met / 2, "met", size=SMALL, side="right")
    word(paper, left + across + 18, low + up * (met + straight / 2), "linear", RESIDUAL, SMALL, side="left")
    word(paper, left + across + 18, low + up * (1 + met + straight) / 2, "bent", LINEAR, SMALL, side="left")
    word(paper, left + across - 36, low + up - 4, "gradients: slope", PLAIN, SMALL, side="right")
    word(paper, left, low - 14, "0", size=SMALL)
    word(paper, left + across, low - 14, "1", size=SMALL)
    word(paper, left + across / 2, 14, "similarity of the inputs", GREY, SMALL)


def folds_and_borders(paper: Axes) -> None:
    """A fold makes four channels of one; a kernel on a corner sees four pixels."""
    colours = PLAIN, RESIDUAL, LINEAR, BATCH_NORM

    def pixel(x: float, y: float, side: float, colour: str) -> None:
        between(paper, [x, x + side], [y, y], [y + side, y + side], colour, 0.35)
        line(paper, [x, x + side, x + side, x, x], [y, y, y + side, y + side, y], INK, 0.8)

    for row, column in product(range(4), repeat=2):
        pixel(8 + 26 * column, 96 + 26 * row, 26, colours[2 * (row % 2) + column % 2])
    arrow(paper, (117, 148), (135, 148))
    for channel, colour in enumerate(colours):
        for row, column in product(range(2), repeat=2):
            x, y = 142 + 48 * (channel % 2), 103 + 48 * (channel // 2)
            pixel(x + 21 * column, y + 21 * row, 21, colour)
    word(paper, 120, 66, "a fold: four channels of one", size=SMALL)
    left, low, side = 272, 96, 28
    for row, column in product(range(3), repeat=2):
        pixel(left + side * (column + 1), low + side * row, side, PLAIN if row and column < 2 else "white")
    for row, column in ((3, 0), (3, 1), (3, 2), (2, 0), (1, 0)):
        word(paper, left + side * (column + 0.5), low + side * (row + 0.5), "0", GREY)
    right, bottom, top = left + 3 * side, low + side, low + 4 * side
    line(paper, [left, right, right, left, left], [bottom, bottom, top, top, bottom], RESIDUAL, 2.6)
    word(paper, 328, 66, "a corner: five zeros", size=SMALL)


def many_paths(paper: Axes) -> None:
    """Three blocks, and the eight ways through them, in four rows by the number of branches."""
    for block in range(3):
        left = 72 + 90 * block
        line(paper, [left, left + 76], [206, 206], RESIDUAL, 2)
        arc(paper, left + 38, 206, 30, (0, 180), PLAIN)
    for block in range(4):
        disc(paper, 67 + 90 * block, 206, 4, INK)
    word(paper, 370, 206, "skip", RESIDUAL, SMALL)
    word(paper, 370, 232, "branch", PLAIN, SMALL)
    rows: dict[int, list[tuple[int, ...]]] = {}
    for way in product((0, 1), repeat=3):
        rows.setdefault(sum(way), []).append(way)
    for length, ways in rows.items():
        y = 154 - 38 * length
        word(paper, 30, y, str(length), size=SMALL)
        for place, way in enumerate(ways):
            left = 60 + 110 * place
            for block, taken in enumerate(way):
                x = left + 28 * block
                if taken:
                    arc(paper, x + 13, y, 12, (0, 180), PLAIN)
                else:
                    line(paper, [x, x + 26], [y, y], RESIDUAL, 2)
    word(paper, 200, 10, "sorted by the branches they cross", GREY, SMALL)


def gradients_explode(paper: Axes) -> None:
    """Two inputs and a small change of each, through three layers of three kinds."""
    rows = (
        (210, PLAIN, (22, 16, 12, 9.5), (8, 8, 8, 8), ("calm,", "but inputs meet")),
        (132, NETWORKS["plain, batch norm"].colour, (22, 22, 22, 22), (8, 12, 17, 23), ("apart,", "but it explodes")),
        (46, RESIDUAL, (22, 22, 22, 22), (8, 9, 10, 11.5), ("with skips:", "both slowly")),
    )
    for y, colour, distances, radii, words in rows:
        for place, (distance, radius) in enumerate(zip(distances, radii, strict=True)):
            x = 34 + 72 * place
            for side in (-1, 1):
                sector(paper, x, y + side * distance, radius, (0, 360), colour, opacity=0.35)
            dots(paper, [x, x], [y - distance, y + distance], INK)
            if place:
                arrow(paper, (x - 48, y), (x - 26, y), GREY)
        for row, text in enumerate(words):
            word(paper, 338, y + 9 - 18 * row, text, colour, SMALL)


def diagnose(paper: Axes) -> None:
    """One residual block as a graph: signals forwards, gradients at two inputs back."""
    y = 140
    for x, width, text in ((116, 62, "weights"), (204, 48, "gate")):
        box(paper, x, y, width, 34)
        word(paper, x, y, text, size=SMALL)
    disc(paper, 282, y, 14)
    word(paper, 282, y, "+")
    for start, end in ((24, 83), (149, 178), (230, 266), (298, 350)):
        arrow(paper, (start, y), (end, y), INK)
    line(paper, [64, 64, 282, 282], [y, 204, 204, y + 15], RESIDUAL, 2)
    word(paper, 173, 220, "skip", RESIDUAL, SMALL)
    word(paper, 34, y + 16, "signal", INK, SMALL)
    for start, end in ((350, 298), (266, 230), (178, 149), (83, 24)):
        arrow(paper, (start, 88), (end, 88), BATCH_NORM)
    word(paper, 334, 70, "gradient", BATCH_NORM, SMALL)
    word(paper, 282, 52, "to both", GREY, SMALL)
    word(paper, 204, 34, "open at both inputs?", GREY, SMALL)
    line(paper, [204, 204], [46, 82], FAINT)
    word(paper, 116, 70, "times a size", GREY, SMALL)
    line(paper, [282, 282], [64, 82], FAINT)


def scalar_networks(paper: Axes) -> None:
    """A rounding error grows by the same factor in each layer as the distance of two neighbours."""
    layers = np.arange(10)
    x, apart = 40 + 36 * layers, 4 * 1.44**layers
    for side in (1, -1):
        line(paper, x, 138 + side * apart / 2, BATCH_NORM, 2)
        dots(paper, x, 138 + side * apart / 2)
    word(paper, 24, 172, "a rounding error", size=SMALL, side="left")
    word(paper, 200, 34, "each layer multiplies the distance", GREY, SMALL)
    arrow(paper, (120, 16), (280, 16), GREY)


def finite_width(paper: Axes) -> None:
    """In a layer of infinite width the angle stays right; in a finite one it moves by chance, and the next inherit."""
    for y, angles, words, colour in (
        (160, (90, 90, 90), "infinitely wide", GREY),
        (44, (90, 74, 66), "finite: by chance nearer", PLAIN),
    ):
        word(paper, 200, y + 74, words, colour)
        for x, angle in zip((70, 200, 330), angles, strict=True):
            sector(paper, x, y, 40, (90 - angle / 2, 90 + angle / 2), colour, opacity=0.25)
            for side in (90 - angle / 2, 90 + angle / 2):
                arrow(paper, (x, y), polar(x, y, 54, side), width=1.8)
            word(paper, x, y - 18, rf"$\times\,{1 - angle / 180:.2f}$", colour)
        for x in (135, 265):
            arrow(paper, (x - 14, y + 22), (x + 14, y + 22), GREY)


def fluctuations(paper: Axes) -> None:
    """Each layer multiplies by one half or three halves: of eight products the mean is 1, and most lie below."""
    columns = (34, 112, 190, 268)
    heights: dict[int, tuple[float, ...]] = {0: (126.0,)}
    for layer in (1, 2, 3):
        heights[layer] = tuple(y + up * 104 / 2**layer for y in heights[layer - 1] for up in (1, -1))
        for place, y in enumerate(heights[layer]):
            start = heights[layer - 1][place // 2]
            line(paper, [columns[layer - 1], columns[layer]], [start, y], GREY, 1.2)
    for place, y in enumerate(heights[3]):
        threes = 3 - f"{place:03b}".count("1")
        between(paper, [274, 274 + 29 * 3**threes / 8], [y - 7] * 2, [y + 7] * 2, PLAIN, 0.55)
    for layer in range(3):
        dots(paper, [columns[layer]] * 2**layer, heights[layer])
    line(paper, [303, 303], [16, 236], INK, 1, "--")
    word(paper, 303, 244, "mean: 1", size=SMALL)
    word(paper, 68, 172, r"$\times\,\frac{3}{2}$")
    word(paper, 68, 80, r"$\times\,\frac{1}{2}$")
    word(paper, 136, 14, "a factor for each layer", GREY, SMALL)


def inputs_that_meet(paper: Axes) -> None:
    """Two inputs turn towards each other; a skip turns them half as fast, and half of the angle costs."""
    for y, share, words, colour in ((158, 1.0, "plain", PLAIN), (36, 0.5, "with a skip", RESIDUAL)):
        word(paper, 44, y + 28, words, colour, SMALL)
        theta = np.pi / 2
        for x in (122, 200, 278, 356):
            degrees = math.degrees(theta)
            right, left = 90 - degrees / 2, 90 + degrees / 2
            sector(paper, x, y, 38, (right, right + share * degrees), colour, opacity=0.35)
            for side in (right, left):
                arrow(paper, (x, y), polar(x, y, 50, side), width=1.8)
            word(paper, x, y - 17, f"${degrees:.0f}°$", size=SMALL)
            turn = share * (math.sin(theta) - theta * math.cos(theta)) / math.pi
            theta = math.acos(math.cos(theta) + turn)
    word(paper, 242, 238, "shaded: what the layer costs", GREY, SMALL)


def turning_the_mirror(paper: Axes) -> None:
    """The halves of a mirror as directions: opposite, turned a little, turned by a right angle."""
    for x, degrees in ((75, 0), (200, 45), (325, 90)):
        arrow(paper, (x, 134), polar(x, 134, 62, 90), LINEAR, width=2.6)
        arrow(paper, (x, 134), polar(x, 134, 62, 270 + degrees), INK, width=2.6)
        word(paper, x + 14, 186, "$O$", LINEAR)
        if degrees:
            arc(paper, x, 134, 34, (270, 270 + degrees), GREY)
            line(paper, [x, x], [134, 76], GREY, 0.8)
        word(paper, x, 40, rf"$\psi = {degrees}°$")
    word(paper, 57, 84, "$-O$", INK)
    word(paper, 200, 14, "a gate chooses between the two", GREY, SMALL)


def few_to_many(paper: Axes) -> None:
    """A small pile of photographs and a large one, and five rungs between them."""

    def pile(left: float, low: float, count: int, colour: str) -> None:
        for sheet in range(count):
            x, y = left + 3 * sheet, low + 5 * sheet
            between(paper, [x, x + 48], [y, y], [y + 48, y + 48], "white")
            line(paper, [x, x + 48, x + 48, x, x], [y, y, y + 48, y + 48, y], colour, 1.2)

    pile(20, 66, 2, PLAIN)
    pile(288, 66, 14, LINEAR)
    for place, change in enumerate(("steps", "images", "channels", "squares", "batch")):
        y = 66 + 34 * place
        line(paper, [128, 242], [y, y], INK, 2.2)
        word(paper, 185, y + 12, change, size=SMALL)
    for x in (128, 242):
        line(paper, [x, x], [54, 222], INK, 2.2)
    word(paper, 52, 36, "a thousand", PLAIN)
    word(paper, 330, 36, "fifty thousand", LINEAR)


def moving_statistics(paper: Axes) -> None:
    """How far a unit moves at five inputs, before batch norm and after: what is common is taken away."""
    y, apart, moved = 92, 22, np.array([62, 30, 50, 20, 38])

    def arrows(left: float, lengths: NDArray[np.float64], colour: str) -> None:
        line(paper, [left - 12, left + 4 * apart + 12], [y, y], GREY, 1)
        for place, length in enumerate(lengths):
            arrow(paper, (left + apart * place, y), (left + apart * place, y + length), colour, width=2)

    arrows(36, moved, INK)
    box(paper, 200, y, 92, 34)
    word(paper, 200, y, "batch norm", size=SMALL)
    arrow(paper, (138, y), (153, y), INK)
    arrow(paper, (246, y), (261, y), INK)
    arrows(276, moved - moved.mean(), BATCH_NORM)
    line(paper, [80, 80, 320, 320], [172, 200, 200, 172], RESIDUAL, 2)
    arrow(paper, (320, 184), (320, 166), RESIDUAL, width=2)
    word(paper, 200, 216, "skip: as they came", RESIDUAL, SMALL)
    word(paper, 80, 40, "how far five", size=SMALL)
    word(paper, 80, 22, "inputs move", size=SMALL)
    word(paper, 320, 40, "only differences", BATCH_NORM, SMALL)


def what_moves_the_index(paper: Axes) -> None:
    """The normalised values of a unit are the shadows of one point on a sphere, on as many directions as inputs."""
    y, radius = 140, 66
    for x, directions, words, cosine in (
        (105, (90, 210, 330), "3 inputs", r"cosine $-\frac{1}{2}$"),
        (300, (90, 0), "very many", "cosine near 0"),
    ):
        arc(paper, x, y, radius, (0, 360), GREY)
        point = polar(x, y, radius, 52)
        for name, degrees in zip("ijm", directions, strict=False):
            arrow(paper, (x, y), polar(x, y, radius + 16, degrees), width=1.8)
            word(paper, *polar(x, y, radius + 26, degrees), f"${name}$")
            shadow = polar(x, y, radius * np.cos(np.deg2rad(52 - degrees)), degrees)
            line(paper, [point[0], shadow[0]], [point[1], shadow[1]], PLAIN, style=":")
            line(paper, [x, shadow[0]], [y, shadow[1]], PLAIN, 4)
            dots(paper, *shadow, PLAIN)
        dots(paper, *point, INK)
        word(paper, x, 46, words)
        word(paper, x, 24, cosine, GREY, SMALL)


def rank_and_lengths(paper: Axes) -> None:
    """Three gradients at right angles, three that agree, and three of which one is much longer than the others."""
    upright = (90, 210, 330)
    for x, sides, lengths, words in (
        (72, upright, (68, 68, 68), ("at right angles", "rank 3")),
        (200, (78, 90, 102), (112, 112, 112), ("they agree", "rank near 1")),
        (328, upright, (112, 24, 24), ("one is loud", "rank near 1")),
    ):
        low = 120 if sides == upright else 96
        for side, length in zip(sides, lengths, strict=True):
            arrow(paper, (x, low), polar(x, low, length, side), PLAIN, width=2.6)
        disc(paper, x, low, 4, INK)
        for row, text in enumerate(words):
            word(paper, x, 44 - 22 * row, text, PLAIN if row else INK)


DRAWINGS: dict[str, Callable[[Axes], None]] = {
    "gradients-as-noise": gradients_as_noise,
    "who-is-active": who_is_active,
    "theorem-1": theorem_1,
    "theorem-2": theorem_2,
    "theorem-3": theorem_3,
    "highway": highway,
    "many-paths": many_paths,
    "one-curve": one_curve,
    "any-activation": any_activation,
    "real-images": real_images,
    "what-shattering-costs": what_shattering_costs,
    "looks-linear": looks_linear,
    "price-is-time": price_is_time,
    "very-deep": very_deep,
    "gradients-explode": gradients_explode,
    "after-the-paper": after_the_paper,
    "diagnose": diagnose,
    "scalar-networks": scalar_networks,
    "finite-width": finite_width,
    "fluctuations": fluctuations,
    "inputs-that-meet": inputs_that_meet,
    "moving-statistics": moving_statistics,
    "what-moves-the-index": what_moves_the_index,
    "rank-and-lengths": rank_and_lengths,
    "folds-and-borders": folds_and_borders,
    "turning-the-mirror": turning_the_mirror,
    "few-to-many": few_to_many,
}


def main() -> None:
    """Write all drawings."""
    FOLDER.mkdir(exist_ok=True)
    for page, draw in DRAWINGS.items():
        figure = drawn(draw)
        (FOLDER / f"{page}.svg").write_text(svg(figure))
        (FOLDER / f"{page}.png").write_bytes(png(figure))


if __name__ == "__main__":
    main()
