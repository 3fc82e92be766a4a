"""The book's figures in one style. Functions draw what they are given and compute nothing but intervals.

A network has one label, colour, marker and line in every chapter, those of ``NETWORKS``. Its colour stands out from
white and from dark pages, and no two are alike to readers who lack one kind of cone; marker and line say the same
again, for print. Series that are not networks, such as widths or activations, take ``PALETTE`` and ``MARKERS``: the
same colours and markers, so that they can be told apart as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure as Figure
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Look:
    """How figures show a network.

    Attributes
    ----------
    label : str
        Its name in legends.
    colour, marker, line : str
        In matplotlib's words; colours are hexadecimal.

    Examples
    --------
    >>> sl.plots.NETWORKS["residual"].style(label="three seeds")
    {'color': '#d27800', 'marker': 's', 'linestyle': '--', 'label': 'three seeds'}
    """

    label: str
    colour: str
    marker: str
    line: str

    def style(self, **changes: Any) -> dict[str, Any]:
        """Keywords for ``plot`` and ``errorbar``.

        Parameters
        ----------
        **changes
            Keywords of matplotlib, in place of those of this look or beside them.

        Returns
        -------
        dict
            ``color``, ``marker``, ``linestyle`` and ``label``, with the changes.
        """
        look = {"color": self.colour, "marker": self.marker, "linestyle": self.line, "label": self.label}
        return look | changes


NETWORKS = {
    "plain": Look("plain", "#0f69c3", "o", "-"),
    "residual": Look("residual", "#d27800", "s", "--"),
    "looks linear": Look("looks linear", "#00a07d", "^", "-"),
    "residual, batch norm": Look(r"residual, batch norm, $\beta = 1$", "#d7002d", "D", "-."),
    "highway": Look("highway", "#8232ff", "v", ":"),
    "crelu": Look("concatenated", "#dc5af0", "P", "--"),
    "residual, beta 0.1": Look(r"residual, batch norm, $\beta = 0.1$", "#a5505a", ">", "-."),
    "linear": Look("linear", "#5a6987", "*", "--"),
    "plain, batch norm": Look("plain, batch norm", "#906cb4", "<", ":"),
    "looks linear, equal cost": Look("looks linear, equal cost", "#69965a", "X", ":"),
    "residual, layer norm": Look("residual, layer norm", "#6450dc", "h", "--"),
    "brown noise": Look("brown noise", "#7d6930", "d", "-"),
    "white noise": Look("white noise", "#9191b4", "p", "--"),
}
PALETTE = tuple(look.colour for look in NETWORKS.values())
MARKERS = tuple(look.marker for look in NETWORKS.values())

__all__ = [
    "MARKERS",
    "NETWORKS",
    "PALETTE",
    "Look",
    "activation_rasters",
    "against_depth",
    "beside_theory",
    "use_style",
]


def use_style() -> None:
    """Set matplotlib's defaults to the book's style: white card, thin axes, sharp on any screen.

    Examples
    --------
    >>> sl.plots.use_style()
    """
    sns.set_theme(context="notebook", style="ticks", palette=PALETTE)
    plt.rcParams.update(
        {
            "figure.figsize": (8, 3.6),
            "figure.dpi": 144,
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "figure.constrained_layout.w_pad": 0.1,  # inches; a label must not touch the next panel
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "legend.frameon": False,
            "image.cmap": "viridis",
        }
    )


def activation_rasters(
    active: Mapping[tuple[str, str], ArrayLike], runs: Mapping[tuple[str, str], ArrayLike]
) -> Figure:
    """A raster of bits for each row and column, above histograms of unit averages and of run lengths.

    Parameters
    ----------
    active : mapping of (row, column) to array_like of bool, shape (inputs, width)
        Which units are on, black; a complete grid of panels.
    runs : mapping of (row, column) to array_like of int, shape (runs,)
        Lengths of the runs of equal bits, in inputs.

    Returns
    -------
    Figure
        Rasters above histograms.

    Examples
    --------
    >>> active = sl.sample_activations("plain", depth=5, width=8, inputs=torch.linspace(-2, 2, 64), networks=1)[0]
    >>> runs = sl.structure.contiguity(active)
    >>> figure = sl.plots.activation_rasters({("plain", "layer 5"): active}, {("plain", "layer 5"): runs})
    >>> len(figure.axes)
    3
    """
    rows, columns = (list(dict.fromkeys(key[axis] for key in active)) for axis in (0, 1))
    figure = plt.figure(figsize=(2.9 * len(columns), 3.1 * len(rows)))
    for (row, column), panel in zip(
        active, figure.subfigures(len(rows), len(columns), squeeze=False).flat, strict=True
    ):
        axes = panel.subplot_mosaic([["raster", "raster"], ["units", "runs"]], height_ratios=[3, 2])
        bits = np.asarray(active[row, column]).T
        units, inputs = bits.shape
        axes["raster"].imshow(bits, cmap="binary", aspect="auto", interpolation="none", vmin=0, vmax=1)
        axes["raster"].set(title=f"{column}, {row}", xticks=[], yticks=[], xlabel="input", ylabel="unit")
        share = np.full(units, 1 / units)
        axes["units"].hist(bits.mean(1), bins=np.linspace(0, 1, 11), color=PALETTE[0], weights=share)
        axes["units"].set(xlabel="share on", ylabel="units", xlim=(0, 1), ylim=(0, 1))
        lengths = np.asarray(runs[row, column])
        share = np.full(len(lengths), 1 / len(lengths))
        axes["runs"].hist(lengths, bins=np.linspace(0, inputs, 11), color=PALETTE[2], hatch="//", weights=share)
        axes["runs"].set(xlabel="run length", ylabel="runs", xlim=(0, inputs), ylim=(0, 1))
        for name in ("raster", "units", "runs"):
            axes[name].tick_params(labelsize="x-small")
    return figure


def against_depth(curves: Mapping[str, Mapping[int, tuple[float, float, float]]], ylabel: str) -> Figure:
    """A line a network against depth, with intervals.

    Parameters
    ----------
    curves : mapping of network to mapping of depth to (value, low, high)
        Low and high ends of the interval; nan draws none. Names of ``NETWORKS`` look as they do there,
        others as one of those that are not drawn.
    ylabel : str
        What is drawn.

    Returns
    -------
    Figure
        Depth on a logarithmic axis; networks a little apart, so that intervals do not hide each other.

    Examples
    --------
    >>> figure = sl.plots.against_depth({"plain": {6: (0.9, 0.8, 1.0), 50: (0.3, 0.2, 0.4)}}, ylabel="accuracy")
    >>> figure.savefig("accuracy.png")
    """
    figure, axes = plt.subplots(figsize=(8, 4))
    spare = cycle(sorted(NETWORKS, key=lambda name: name in curves))  # looks of those that are not drawn come first
    for place, (name, values) in enumerate(curves.items()):
        depths = sorted(values)
        middle, low, high = np.array([values[depth] for depth in depths]).T
        look = NETWORKS[name] if name in NETWORKS else replace(NETWORKS[next(spare)], label=name)
        axes.errorbar(
            np.array(depths) * 1.02 ** (place - (len(curves) - 1) / 2),
            middle,
            [middle - low, high - middle],
            capsize=3,
            **look.style(),
        )
    ticks = sorted({depth for values in curves.values() for depth in values})
    axes.set(xscale="log", xticks=ticks, xticklabels=ticks, xlabel="depth", ylabel=ylabel)
    axes.minorticks_off()
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize="small")
    return figure


def beside_theory(curves: Mapping[str, Sequence[tuple[float, float]]], xlabel: str) -> Figure:
    """Panels of what was measured, as points, and of what theory expects, as circles.

    Parameters
    ----------
    curves : mapping of name to sequence of (measured, expected)
        Along the x axis; nan where there is none. A curve over more than a factor of 100 gets a logarithmic axis.
    xlabel : str
        What is counted along it.

    Returns
    -------
    Figure
        A panel for each curve, beside each other.

    Examples
    --------
    >>> figure = sl.plots.beside_theory({"size": [(1.0, 1.1), (2.0, float("nan"))]}, xlabel="layer")
    >>> len(figure.axes)
    1
    """
    figure, panels = plt.subplots(1, len(curves), figsize=(3.4 * len(curves), 3.4), squeeze=False, layout="constrained")
    for axes, (name, pairs) in zip(panels[0], curves.items(), strict=True):
        measured, expected = np.array(pairs, dtype=float).T
        axes.plot(expected, "o", color=PALETTE[1], markersize=6, markerfacecolor="none", label="expected")
        axes.plot(measured, ".", color=PALETTE[0], markersize=4, label="measured")
        positive = measured[measured > 0]
        if len(positive) and positive.max() > 100 * positive.min() and not (measured < 0).any():
            axes.set_yscale("log")
        axes.set(xlabel=xlabel, title=name)
    panels[0][0].legend(fontsize="small")
    return figure


def __dir__() -> list[str]:
    return sorted(__all__)
