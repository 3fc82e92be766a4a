"""What a kernel of the book keeps of a figure beside its pixels: lines for print, and the numbers in it.

``tools.execute`` lays this file, which imports nothing of the book, where a kernel finds it. There it adds to each
figure that a cell shows the forms of ``FORMS``. Pages do not see them; ``tools.figure_files`` hands them out.
"""

import csv
import io
from typing import Any

FORMS = {"image/svg+xml": "svg", "application/pdf": "pdf", "text/csv": "csv"}  # with the ending of a file that holds it
COLUMNS = ("panel", "title", "kind", "series", "label", "x axis", "y axis", "x", "y", "value")


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

    found: list[tuple[str, Any, Any]] = [stroke(line, axes) for line in axes.lines]
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


def stroke(line: Any, axes: Any) -> tuple[str, Any, Any]:
    """A line by its points; one that goes right across the panel by the one coordinate that it has."""
    nothing, points = float("nan"), line.get_xydata()
    if line.get_transform() == axes.get_yaxis_transform():
        return "level", line, [(nothing, points[0][1])]
    if line.get_transform() == axes.get_xaxis_transform() and len(set(points[:, 0])) == 1:
        return "upright", line, [(points[0][0], nothing)]
    return "line", line, points


def beside(axes: Any, span: str) -> list[Any]:
    """The panels of its column ("colspan") or row ("rowspan")."""
    grid_of = [(each, each.get_subplotspec()) for each in axes.figure.axes]
    own = axes.get_subplotspec()
    return [
        each
        for each, spec in grid_of
        if spec and own and spec.get_gridspec() is own.get_gridspec() and getattr(spec, span) == getattr(own, span)
    ]


def axis_name(axes: Any, which: str) -> str:
    """What stands at the axis "x" or "y"; where panels share it, or nothing else is said, one says it for all."""
    shared = getattr(axes, f"get_shared_{which}_axes")().get_siblings(axes)
    row = [] if axes.get_title() else beside(axes, "rowspan")  # a title may say what is drawn upwards
    others = beside(axes, "colspan") if which == "x" else row
    found = [getattr(each, f"get_{which}label")() for each in [axes, *shared, *others]]
    found.append(getattr(axes.figure, f"get_sup{which}label")())
    return ": ".join(filter(None, [next(filter(None, found), ""), tick_names(getattr(axes, f"{which}axis"))]))


def tick_names(axis: Any) -> str:
    """What stands at each place of an axis whose ticks have other names than their numbers; else nothing."""
    formatter = axis.get_major_formatter()
    if type(formatter).__name__ not in ("FixedFormatter", "FuncFormatter", "StrCategoryFormatter"):
        return ""
    places = [f"{place:g}" for place in axis.get_ticklocs()]
    texts = [str(text) for text in formatter.format_ticks(axis.get_ticklocs())]
    if all(text in (place, "") for place, text in zip(places, texts, strict=True)):
        return ""
    return ", ".join(f"{place} = {text}" for place, text in zip(places, texts, strict=True))


def colour(thing: Any) -> str:
    """As one sees it first."""
    from matplotlib import colors

    for part in ("color", "facecolor", "edgecolor"):
        found = colors.to_rgba_array(getattr(thing, f"get_{part}", lambda: [])())
        if len(found) and found[0, 3]:
            return colors.to_hex(found[0])
    return ""


def labels(axes: Any, things: list[Any]) -> dict[Any, str]:
    """Each thing's own label, or that of its bars or error bars; empty if it has none."""
    together = {part: each.get_label() for each in axes.containers for part in each.get_children()}
    own = {thing: str(together.get(thing, thing.get_label())) for thing in things}
    return {thing: "" if label.startswith("_") else label for thing, label in own.items()}


def looks(axes: Any, own: dict[Any, str]) -> dict[str, str]:
    """The label of each colour that stands for one alone, in the panel or else in the figure's legends."""
    legends = [legend for legend in (axes.get_legend(), *axes.figure.legends) if legend]
    keys = [
        (key, text.get_text()) for each in legends for key, text in zip(each.legend_handles, each.texts, strict=True)
    ]
    found: dict[str, str] = {}
    for pairs in (keys, own.items()):  # the panel's own come last, and hold
        here: dict[str, set[str]] = {}
        for thing, label in pairs:
            here.setdefault(colour(thing), set()).add(label)
        named = {look: said - {""} for look, said in here.items()}
        found |= {look: said.pop() for look, said in named.items() if len(said) == 1}
    return found


def names(axes: Any, drawn: list[tuple[str, Any, Any]]) -> list[str]:
    """What each thing in a panel is: its label, whose colour it has, its colour bar's label, what the panel shows."""
    own = labels(axes, [thing for _, thing, _ in drawn])
    by_colour = looks(axes, own)
    bars = [bar.get_ylabel() or bar.get_xlabel() for bar in axes.figure.axes if bar.get_label() == "<colorbar>"]
    titles = [each.get_title() for each in [axes, *beside(axes, "colspan")]]
    shown = axes.get_title() or axes.get_ylabel() or next(filter(None, titles), axis_name(axes, "y"))
    found = []
    for kind, thing, _ in drawn:
        if kind == "image":
            name = own[thing] or (bars[0] if len(bars) == 1 else "") or shown
        else:
            like = by_colour.get(colour(thing))
            name = own[thing] or (f"colour of {like}" if like else "" if kind in ("level", "upright") else shown)
        found.append(name or kind)
    return found


def number(value: Any) -> str:
    """Six digits that count; empty where there is none."""
    return "" if value != value else f"{float(value):.6g}"


def numbers(figure: Any) -> str:
    """A row for each point that is drawn: where, of what, what the axes are, and a value where a colour shows one."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)
    panels = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
    for panel, axes in enumerate(panels, start=1):
        drawn, across = contents(axes), (axis_name(axes, "x"), axis_name(axes, "y"))
        for series, (name, (kind, _, points)) in enumerate(zip(names(axes, drawn), drawn, strict=True), start=1):
            words = [" ".join(each.split()) for each in (axes.get_title(), name, *across)]
            start = (panel, words[0], kind, series, *words[1:])
            rows.writerows((*start, *map(number, point)) for point in points)
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
