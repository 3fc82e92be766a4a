"""The two assignments: what is checked, what is marked by hand, and how many points each is worth."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """A task whose answer is checked.

    Attributes
    ----------
    answer : str
        The name that the answer has in the notebook.
    exercise : str
        The exercise, as ``check`` knows it.
    points : int
        For the right answer; there are none for another.

    Examples
    --------
    >>> sl.exercises.ASSIGNMENTS["theory"].tasks[0]
    Task(answer='weight_variance', exercise='gates-variance', points=2)
    """

    answer: str
    exercise: str
    points: int


@dataclass(frozen=True)
class ByHand:
    """A task that a person marks.

    Attributes
    ----------
    name : str
        Its column in the table.
    points : int
        At most.
    rubric : str
        What they are given for.

    Examples
    --------
    >>> [(part.name, part.points) for part in sl.exercises.ASSIGNMENTS["experiment"].by_hand]
    [('figure', 5), ('conclusion', 4)]
    """

    name: str
    points: int
    rubric: str


@dataclass(frozen=True)
class Assignment:
    """An assignment, as a rubric has it.

    Attributes
    ----------
    tasks : tuple of Task
        Those that are checked.
    by_hand : tuple of ByHand
        Those that are not.

    Examples
    --------
    >>> theory = sl.exercises.ASSIGNMENTS["theory"]
    >>> sum(task.points for task in (*theory.tasks, *theory.by_hand))
    20
    """

    tasks: tuple[Task, ...]
    by_hand: tuple[ByHand, ...]


ASSIGNMENTS: dict[str, Assignment] = {
    "theory": Assignment(
        tasks=(
            Task("weight_variance", "gates-variance", 2),
            Task("plain", "gates-plain", 2),
            Task("residual", "gates-residual", 2),
            Task("alternate", "gates-alternate", 2),
            Task("beta", "gates-beta", 3),
        ),
        by_hand=(
            ByHand(
                "proof",
                6,
                "1 for the sum over paths with its gates, 2 for why different paths do not count (one of them has a "
                "weight that the other lacks), 1 for the probability to be open at one input, 1 for that at both, 1 "
                "for naming the assumption of each step: weights independent and of mean zero, gates that know nothing "
                "of them, gates independent over units and over inputs.",
            ),
            ByHand(
                "assumption",
                3,
                "1 for the assumption that real gates break (they are made of the weights), 1 for a measurement that "
                "would show it, 1 for what it would have to be compared with.",
            ),
        ),
    ),
    "experiment": Assignment(
        tasks=(
            Task("correlation", "measure-correlation", 3),
            Task("networks", "measure-networks", 2),
            Task("plain_estimates", "measure-plain", 3),
            Task("residual_estimates", "measure-residual", 3),
        ),
        by_hand=(
            ByHand(
                "figure",
                5,
                "1 for axes with names and a scale that shows a power, 1 for error bars over networks, 1 for the law "
                "drawn beside the points, 1 for the number of networks and the width stated, 1 for a caption that says "
                "what one sees.",
            ),
            ByHand(
                "conclusion",
                4,
                "1 for naming the largest depth at which the law was tested, 1 for whether it was refused and with "
                "which error, 1 for one thing the experiment cannot say, 1 for the next experiment.",
            ),
        ),
    ),
}
