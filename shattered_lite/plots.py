"""The book's figures in one style. Functions draw what they are given and compute nothing but intervals.

Colours are seaborn's colour-blind palette, one for each kind of network in every chapter; line style and marker say
the same again, for print and for readers who see no colour.
"""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

PALETTE = sns.color_palette("colorblind")
COLOURS = {
    "plain": PALETTE[0],
    "residual": PALETTE[1],
    "looks linear": PALETTE[2],
    "batch norm": PALETTE[3],
    "crelu": PALETTE[4],
    "brown noise": PALETTE[5],
    "white noise": PALETTE[7],
    "theory": "black",
}
MARKERS = "osD^vP*X"

__all__ = ["COLOURS", "MARKERS", "PALETTE", "activation_rasters", "against_depth", "use_style"]


def use_style() -> None:
    """Set matplotlib's defaults to the book's style: white card, thin axes, sharp on any screen.

    Examples
    --------
    >>> sl.plots.use_style()
    """
    sns.set_theme(context="notebook", style="ticks", palette="colorblind")
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
        Low and high ends of the interval; nan draws none.
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
    for place, (name, values) in enumerate(curves.items()):
        depths = sorted(values)
        middle, low, high = np.array([values[depth] for depth in depths]).T
        axes.errorbar(
            np.array(depths) * 1.02 ** (place - (len(curves) - 1) / 2),
            middle,
            [middle - low, high - middle],
            color=PALETTE[place % len(PALETTE)],
            marker=MARKERS[place % len(MARKERS)],
            capsize=3,
            label=name,
        )
    ticks = sorted({depth for values in curves.values() for depth in values})
    axes.set(xscale="log", xticks=ticks, xticklabels=ticks, xlabel="depth", ylabel=ylabel)
    axes.minorticks_off()
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize="small")
    return figure


def __dir__() -> list[str]:
    return sorted(__all__)
