"""The one place that knows whether a notebook runs inside the book's build or anywhere else."""

from __future__ import annotations


def glue(name: str, value: object) -> None:
    """Hand a value of this run to the book's text; without the book's tools, print it.

    Parameters
    ----------
    name : str
        What the text calls it.
    value : object
        A number or a string; a NumPy or torch scalar counts as a number.

    Examples
    --------
    >>> sl.glue("correlation", 0.25)
    correlation = 0.25
    """
    value = value.item() if hasattr(value, "item") else value  # the text's formats know Python's numbers alone
    try:
        from myst_nb import glue as paste
    except ImportError:
        print(f"{name} = {value}")
    else:
        paste(name, value, display=False)
