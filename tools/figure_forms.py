"""What a kernel of the book keeps of a figure beside its pixels: lines for print, and the numbers in it.

``tools.execute`` lays this file, which imports nothing of the book, where a kernel finds it. There it adds to each
figure that a cell shows the forms of ``FORMS``. Pages do not see them; ``tools.figure_files`` hands them out.
"""

import csv
import io
from typing import Any

FORMS = {"image/svg+xml": "svg", "application/pdf": "pdf", "text/csv": "csv"}  # with the ending of a file that holds it
COLUMNS = ("panel", "title", "kind", "series", "label", "x", "y", "value")


def grid(values: Any, left: float, right: float, bottom: float, top: float) -> list[tuple[float, float, float]]:
    """The middle of each pixel, and its value."""
    rows, columns = values.shape[:2]
    across, up = (right - left) / columns, (top - bottom) / rows
    return [
        (left + (j + 0.5) * across, bottom + (i + 0.5) * up, values[i, j]) for i in range(rows) for j in range(columns)
    ]


def contents(axes: Any) -> list[tuple[str, Any, Any]]:
    """Everything drawn in a panel: its kind, the thing, and its points (or points with values)."""
    from matplotlib import collections

    found: list[tuple[str, Any, Any]] = [("line", line, line.get_xydata()) for line in axes.lines]
    for thing in axes.collections:
        if isinstance(thing, collections.LineCollection):
            found += [("segments", thing, segment) for segment in thing.get_segments()]
        elif isinstance(thing, collections.PathCollection):
            found.append(("points", thing, thing.get_offsets()))
        else:
            found += [("area", thing, path.vertices) for path in thing.get_paths()]
    for image in axes.images:
        left, right, bottom, top = image.get_extent()
        low, high = (top, bottom) if image.origin == "upper" else (bottom, top)
        values = image.get_array()
        if values.ndim == 2:  # not a photograph
            found.append(("image", image, grid(values, left, right, low, high)))
    return found + [("outline", patch, corners(patch, axes)) for patch in axes.patches]


def corners(patch: Any, axes: Any) -> Any:
    """Of a bar or another shape, where the data are."""
    return (patch.get_transform() - axes.transData).transform(patch.get_path().vertices)


def numbers(figure: Any) -> str:
    """A row for each point that is drawn: panel, title, kind, series, label, x, y, and a value where one is shown."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)
    for panel, axes in enumerate(figure.axes, start=1):
        together = {part: each.get_label() for each in axes.containers for part in each.get_children()}  # bars, errors
        for series, (kind, thing, points) in enumerate(contents(axes), start=1):
            label = str(together.get(thing, thing.get_label()))
            start = (panel, axes.get_title(), kind, series, "" if label.startswith("_") else label)
            rows.writerows((*start, *(f"{float(each):.6g}" for each in point)) for point in points)
    return file.getvalue()


def forms(figure: Any) -> dict[str, Any]:
    """The figure in each form, by its type; the same figure gives the same bytes."""
    import matplotlib as mpl
    from IPython.core import pylabtools

    print_figure: Any = pylabtools.print_figure

    with mpl.rc_context({"svg.hashsalt": "shattered gradients"}):
        svg = print_figure(figure, "svg", metadata={"Date": None, "Creator": None})
        pdf = print_figure(figure, "pdf", base64=True, metadata={"CreationDate": None})
    return {"image/svg+xml": svg, "application/pdf": pdf, "text/csv": numbers(figure)}


def load_ipython_extension(shell: Any) -> None:
    """Let IPython call this module: a figure that a cell shows has these forms beside its pixels."""
    shell.display_formatter.mimebundle_formatter.for_type_by_name(
        "matplotlib.figure", "Figure", lambda figure, **_: forms(figure)
    )
