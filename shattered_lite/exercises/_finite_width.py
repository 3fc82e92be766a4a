"""Answers of the page *Finite width: gates that remember*."""

from __future__ import annotations

from ._exercise import Exercise

EXERCISES = {
    "width-double": Exercise(
        answer=1.1,
        mistakes=(
            (1.05, "That is a correction of order 1/N²; the first one is of order 1/N."),
            (1.2, "That is width 100: the excess goes like 1/N."),
            (0.6, "The excess over 1 halves, not the whole ratio."),
            (1.4, "A wider network is nearer to the theorem."),
            (0.1, "That is the excess; the ratio is asked for."),
        ),
    ),
    "plain-memory-depth": Exercise(
        answer=14,
        mistakes=(
            (15, "The smallest depth: try one less."),
            (13, "The sum runs to L - 1, not to L."),
        ),
        tolerance=1e-9,
    ),
}
