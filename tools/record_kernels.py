"""Kernel regression at more widths and on MNIST, too long for a page: ``python -m tools.record_kernels``.

With the code of *What shattering costs* itself, whose cells for this have the tag ``kernel-regression``. Writes a row
for each image set, split, width (infinite too) and depth into ``shattered_lite/lab/records/kernel_regression.csv``.
MNIST is found, or fetched, as ``sl.lab.data.mnist`` does.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import jupytext
import numpy as np
import torch

import shattered_lite as sl
from shattered_lite._files import write_atomically
from shattered_lite.lab.training._machine import describe
from tools.site import ROOT

CHAPTER = "what-shattering-costs"
TAGS = {"setup", "kernel-regression"}
WIDTHS = (50, 100, 200, 400, 800, 1600)
DEPTHS = (4, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 24)
SPLITS = range(10)
COLUMNS = ("data", "split", "width", "depth", "accuracy", "condition", "apart")
TABLE = sl.lab.records.FOLDER / "kernel_regression.csv"


def chapter() -> dict[str, Any]:
    """What the chapter's cells define."""
    namespace: dict[str, Any] = {}
    for cell in jupytext.read(ROOT / "book" / f"{CHAPTER}.md").cells:
        if cell.cell_type == "code" and TAGS & set(cell.metadata.get("tags", [])):
            exec(compile(cell.source, f"{CHAPTER}.md", "exec"), namespace)
    return namespace


def rows(
    data: str, splits: Iterable[int], widths: Iterable[int] = WIDTHS, depths: Iterable[int] = DEPTHS
) -> Iterator[tuple[str | float, ...]]:
    """One after another. What is drawn for a split depends on its number, and on the widths and depths asked for."""
    book = chapter()
    load = book["digits"] if data == "digits" else lambda: mnist(book["generator"])
    for split in splits:
        book["generator"].manual_seed(split)
        images, y, y_test = book["balanced"](load=load)
        cosine = book["similarities"](images)
        for width in (np.inf, *widths):
            for depth in depths:
                if width == np.inf:
                    kernel = sl.theory.tangent_kernel(depth, cosine=cosine, **book["batch_norm"]).relative
                else:
                    kernel = book["one_network"](images, len(y), depth, width)
                yield (
                    data,
                    split,
                    width,
                    depth,
                    *book["results"](kernel, y, y_test),
                    book["told_apart"](kernel, y, y_test),
                )


def mnist(generator: torch.Generator) -> sl.lab.data.Split:
    """Two thousand images of MNIST for training and as many for testing, drawn at random, as vectors."""
    data = sl.lab.data.mnist()
    train, test = (torch.randperm(len(labels), generator=generator)[:2_000] for labels in (data[1], data[3]))
    return sl.lab.data.Split(data[0][train].flatten(1), data[1][train], data[2][test].flatten(1), data[3][test])


def main() -> None:
    """Write the table."""
    text = io.StringIO()
    made = ", ".join(f"{key} {value}" for key, value in describe(torch.device("cpu")).items())
    text.write(f"# {made}\n")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for data in ("digits", "mnist"):
        for row in rows(data, SPLITS):
            table.writerow(f"{value:.6g}" if isinstance(value, float) else value for value in row)
    write_atomically(TABLE, text.getvalue().encode())


if __name__ == "__main__":
    main()
