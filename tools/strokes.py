"""The strokes of which the book's drawings are made, and the one sheet of paper that all are drawn on.

A point of the sheet is a unit of the SVG. On a phone of 390 pixels a drawing is 342 pixels wide, and the letters of
``SMALL`` points are ten pixels tall.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import matplotlib as mpl
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Arc, Circle, Patch, Rectangle, Wedge
from numpy.typing import ArrayLike

from shattered_lite.plots import NETWORKS

Point = tuple[float, float]
WIDTH, HEIGHT = 400, 250
SIZE, SMALL = 14.0, 12.0  # of letters
INK, GREY, FAINT = "#222222", "#767676", "#cccccc"
PLAIN, RESIDUAL, BATCH_NORM, HIGHWAY, LINEAR = (
    NETWORKS[name].colour for name in ("plain", "residual", "residual, batch norm", "highway", "looks linear")
)
ROUND: dict[str, Any] = {"solid_capstyle": "round", "solid_joinstyle": "round", "dash_capstyle": "round"}
STYLE: list[str | dict[str, Any]] = ["default", {"svg.hashsalt": "shattered gradients"}]  # whatever else is set


def drawn(draw: Callable[[Axes], None]) -> Figure:
    """A sheet of white paper with what ``draw`` puts on it. Its coordinates are points, from the bottom left."""
    with mpl.style.context(STYLE):
        figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72, facecolor="white")
        paper = figure.add_axes((0, 0, 1, 1))
        paper.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
        paper.axis("off")
        draw(paper)
    return figure


def word(
    paper: Axes, x: float, y: float, text: str, colour: str = INK, size: float = SIZE, side: str = "center"
) -> None:
    """Words centred on a point, or to one ``side`` of it."""
    paper.text(x, y, text, color=colour, fontsize=size, ha=side, va="center_baseline", zorder=5)


def add(paper: Axes, shape: Patch) -> None:
    """Put a shape on the paper, unclipped: nothing lies outside."""
    paper.add_patch(shape).set_clip_on(False)


def line(
    paper: Axes, x: ArrayLike, y: ArrayLike, colour: str = INK, width: float = 1.2, style: str = "-", order: float = 2
) -> None:
    """A line through points, with round ends."""
    paper.plot(x, y, color=colour, linewidth=width, linestyle=style, zorder=order, clip_on=False, **ROUND)


def arc(paper: Axes, x: float, y: float, radius: float, degrees: tuple[float, float], colour: str = INK) -> None:
    """A piece of a circle between two directions, from the first one to the left."""
    circle = Arc((x, y), 2 * radius, 2 * radius, theta1=degrees[0], theta2=degrees[1], color=colour)
    circle.set(linewidth=1.6, capstyle="round", zorder=3)
    add(paper, circle)


def arrow(paper: Axes, start: Point, end: Point, colour: str = INK, width: float = 1.2) -> None:
    """A line with a filled head at its end."""
    looks = {"arrowstyle": "-|>,head_width=0.25,head_length=0.5", "color": colour, "linewidth": width}
    paper.annotate("", end, start, arrowprops=looks | {"shrinkA": 0, "shrinkB": 0}, zorder=3)


def dots(paper: Axes, x: ArrayLike, y: ArrayLike, colour: str = "white") -> None:
    """Small discs with an outline."""
    paper.plot(x, y, "o", color=colour, markersize=8, markeredgecolor=INK, markeredgewidth=1.2, zorder=4, clip_on=False)


def disc(paper: Axes, x: float, y: float, radius: float, colour: str = "white") -> None:
    """A filled circle with an outline."""
    add(paper, Circle((x, y), radius, facecolor=colour, edgecolor=INK, linewidth=1.2, zorder=4))


def sector(
    paper: Axes,
    x: float,
    y: float,
    radius: float,
    degrees: tuple[float, float],
    colour: str,
    opacity: float = 1,
    order: float = 1,
) -> None:
    """A filled piece of a disc between two directions, from the first one to the left."""
    piece = Wedge((x, y), radius, *degrees, facecolor=colour, edgecolor="none", alpha=opacity, zorder=order)
    add(paper, piece)


def box(paper: Axes, x: float, y: float, width: float, height: float) -> None:
    """A white box with an outline, centred on a point."""
    corner = (x - width / 2, y - height / 2)
    add(paper, Rectangle(corner, width, height, facecolor="white", edgecolor=INK, linewidth=1.2, zorder=4))


def between(paper: Axes, x: ArrayLike, low: ArrayLike, high: ArrayLike, colour: str, opacity: float = 1) -> None:
    """The area between two curves."""
    paper.fill_between(x, low, high, color=colour, alpha=opacity, linewidth=0, zorder=1, clip_on=False)


def polar(x: float, y: float, radius: float, degrees: float) -> Point:
    """The point at a distance from another, in a direction counted from the right to the left."""
    angle = math.radians(degrees)
    return x + radius * math.cos(angle), y + radius * math.sin(angle)


def relu(paper: Axes, x: float, y: float) -> None:
    """A box with a rectifier."""
    box(paper, x, y, 28, 24)
    line(paper, [x - 9, x, x + 9], [y - 5, y - 5, y + 6], width=1.6, order=5)


def graph(paper: Axes, x: float, y: float, colour: str, points: Iterable[Point], unit: float = 26) -> None:
    """A curve through points, with two faint axes."""
    line(paper, [x - 1.2 * unit, x + 1.2 * unit], [y, y], FAINT, 0.8, order=1)
    line(paper, [x, x], [y - unit, y + unit], FAINT, 0.8, order=1)
    across, up = np.array(list(points)).T
    line(paper, x + unit * across, y + 0.85 * unit * up, colour, 2.8)


def svg(figure: Figure) -> str:
    """The drawing as text, the same for the same strokes.

    Places are rounded to a hundredth of a point: it makes the file small, and machines may differ beyond.
    """
    file = io.StringIO()
    with mpl.style.context(STYLE):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    shapes = re.split(r'(?<= d=")([^"]*)', file.getvalue())
    shapes[1::2] = [re.sub(r"-?\d+\.\d+", lambda n: f"{float(n[0]):.2f}", " ".join(d.split())) for d in shapes[1::2]]
    return "".join(shapes)


def png(figure: Figure) -> bytes:
    """The drawing as pixels, two for a point."""
    file = io.BytesIO()
    with mpl.style.context(STYLE):
        figure.savefig(file, format="png", dpi=144, metadata={"Software": None}, pil_kwargs={"optimize": True})
    return file.getvalue()
