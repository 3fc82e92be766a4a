"""What a diagnosis found, and the forms in which it can be read."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from html import escape
from importlib.metadata import PackageNotFoundError, metadata
from typing import TYPE_CHECKING, Any

from .._judging import Change, Finding
from .._measuring import Layer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..plots import Figure

ROWS = 16  # of a table, evenly along the network, and those of findings; ``to_dict`` has them all
CAPTION = "In brackets: what theory expects of a wide network."
WIDTHS = {"layer": 10, "operation": 9, "signal": 11, "R": 11, "R, near": 4}  # of columns, at the least
HEADS = ("layer", "operation", "signal", "told apart", "dead", "relative gradient", "R", "R, near")


@dataclass(frozen=True)
class Diagnosis:
    """What :func:`shattered_lite.diagnose` found.

    Attributes
    ----------
    network : str
        Name of its class.
    inputs : int
        How many inputs were looked at.
    layers : tuple of Layer
        In the order in which they are called, the inputs first.
    findings : tuple of Finding
        What is wrong, the most fundamental first; empty if nothing is.
    notes : tuple of str
        What else a reader should know, such as layers that start at zero.
    loss, guessing : float
        Loss at the targets, and that of the best constant answer; nan without targets.

    Examples
    --------
    >>> found = sl.diagnose(nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2)), torch.randn(16, 8))
    >>> found.cause, [change.code for change in found.findings[0].changes]
    ('linear', ['x = F.relu(layer(x))'])
    """

    network: str
    inputs: int
    layers: tuple[Layer, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    loss: float = math.nan
    guessing: float = math.nan

    @property
    def cause(self) -> str:
        """The first finding's, or "healthy"."""
        return self.findings[0].cause if self.findings else "healthy"

    @property
    def verdict(self) -> str:
        """One sentence."""
        if not self.findings:
            return f"{self.network} is healthy: no fault found at these inputs."
        first = self.findings[0]
        return f"{self.network}: {first.cause}, at {first.layer}. {first.sentence}"

    def to_dict(self) -> dict[str, Any]:
        """Everything, as numbers, strings, lists and dictionaries; None for what could not be measured."""
        found = {"cause": self.cause, "verdict": self.verdict, **asdict(self)}
        return {name: _plain(value) for name, value in found.items()}

    def to_json(self) -> str:
        """Everything, as strict JSON."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def figure(self) -> Figure:
        """Signals, gradients and their correlation against the layers, and what the theory expects."""
        from .. import plots

        curves = {
            "size of the signal": [(each.signal, each.expected_signal) for each in self.layers],
            "relative gradient": [(each.scale, each.expected_scale) for each in self.layers],
            "correlation $R$ of gradients": [(each.correlation, each.expected_correlation) for each in self.layers],
        }
        return plots.beside_theory(curves, xlabel="operation, from the inputs on")

    @property
    def alternative_text(self) -> str:
        """What the figure shows, for those who don't see it."""
        first, last = self.layers[0], self.layers[-1]
        return (
            f"Three curves over {len(self.layers)} operations of {self.network}. The signal's size goes from "
            f"{first.signal:.2g} to {last.signal:.2g}. The relative gradient is {first.scale:.2g} at the inputs and "
            f"{last.scale:.2g} at the end. The correlation of gradients at the inputs is {first.correlation:.2f}. "
            f"{self.verdict}"
        )

    def __rich__(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(caption=self._caption, box=None, padding=(0, 1, 0, 0), pad_edge=False)
        for head in HEADS:
            table.add_column(head, overflow="fold", min_width=WIDTHS.get(head, len(head.split()[-1])))
        for row in self._rows():
            table.add_row(*map(Text, row))
        changes = [f"{place}. {each.sentence}\n       {each.code}" for place, each in enumerate(self._changes, 1)]
        return Group(Text(self.verdict, style="bold"), table, *(Text(line) for line in [*changes, *self._further()]))

    def __repr__(self) -> str:
        return f"<Diagnosis of {self.verdict}>"

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(width=100, color_system=None)
        with console.capture() as capture:
            console.print(self)
        return capture.get()

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in HEADS)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self._rows())
        changes = "".join(f"<li>{escape(each.sentence)}<br><code>{escape(each.code)}</code>" for each in self._changes)
        lines = "".join(f"<li>{escape(line)}" for line in self._further())
        table = f"<table><caption>{self._caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return (
            f"<p><strong>{escape(self.verdict)}</strong></p><div style='overflow-x: auto'>{table}</div>"
            + f"<ol>{changes}</ol>" * bool(changes)
            + f"<ul>{lines}</ul>" * bool(lines)
        )

    @property
    def _caption(self) -> str:
        return f"{CAPTION} {len(self._rows())} of {len(self.layers)} operations."

    def _rows(self) -> list[tuple[str, ...]]:
        last = len(self.layers) - 1
        named = {each.layer for each in self.findings}
        places = {round(step * last / (ROWS - 1)) for step in range(ROWS)}
        places |= {place for place, layer in enumerate(self.layers) if layer.name in named}
        return [
            (
                layer.name or self.network,
                layer.operation,
                _number(layer.signal, layer.expected_signal),
                _number(layer.spread),
                "" if math.isnan(layer.dead) else f"{layer.dead:.0%}",
                _number(layer.scale, layer.expected_scale),
                _number(layer.correlation, layer.expected_correlation, ".2f"),
                _number(layer.nearby, form=".2f"),
            )
            for layer in (self.layers[place] for place in sorted(places))
        ]

    @property
    def _changes(self) -> tuple[Change, ...]:
        """What to change, in order."""
        return self.findings[0].changes if self.findings else ()

    def _further(self) -> list[str]:
        """What else was found; and where to read on."""
        lines = [f"Also {each.cause}, at {each.layer}. {each.sentence}" for each in self.findings[1:]]
        lines += [f"Why: {page_of(first.chapter)}" for first in self.findings[:1]]
        if not math.isnan(self.loss):
            much = " Standardise targets that are numbers, or start the last layer smaller."
            worse = self.loss > 10 * self.guessing
            lines.append(f"Loss {self.loss:.2g}; of the best constant answer {self.guessing:.2g}.{much * worse}")
        return [*lines, *self.notes]


def page_of(chapter: str) -> str:
    """Where the book explains it."""
    try:
        found = metadata("shattered-lite").get_all("Project-URL") or []
    except PackageNotFoundError:  # a source tree on the path, which nobody has installed
        found = []
    home = next((each.split(", ")[1] for each in found if each.startswith("Homepage")), "")
    return f"{home}/{chapter}.html"


def compare(before: Diagnosis, after: Diagnosis) -> str:
    """Two diagnoses side by side, of one network before a change and after it.

    Parameters
    ----------
    before, after : Diagnosis
        Of networks that may differ in their layers.

    Returns
    -------
    str
        Both verdicts, and five measures of either network.

    Examples
    --------
    >>> x, layers = torch.randn(16, 8), [nn.Linear(8, 8), nn.Linear(8, 2)]
    >>> before = sl.diagnose(nn.Sequential(*layers), x)
    >>> after = sl.diagnose(nn.Sequential(layers[0], nn.ReLU(), layers[1]), x)
    >>> [line.split(".")[0] for line in sl.diagnosis.compare(before, after).splitlines()[:2]]
    ['before  Sequential: linear, at 1', 'after   Sequential is healthy: no fault found at these inputs']
    """
    lines = [f"before  {before.verdict}", f"after   {after.verdict}"]
    for what, name, place in (
        ("size of the signal at the end", "signal", -1),
        ("share of it that tells inputs apart", "spread", -1),
        ("relative gradient at the inputs", "scale", 0),
        ("R at the inputs", "correlation", 0),
        ("R of neighbours on a line", "nearby", 0),
    ):
        one, two = (_number(getattr(each.layers[place], name)) for each in (before, after))
        lines.append(f"{what}: {one} -> {two}")
    return "\n".join(lines)


def _number(value: float, expected: float = math.nan, form: str = ".2g") -> str:
    def shown(number: float) -> str:
        return "-" if math.isnan(number) else f"{round(number, 2) + 0.0 if form == '.2f' else number:{form}}"

    return shown(value) if math.isnan(expected) else f"{shown(value)} ({shown(expected)})"


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
