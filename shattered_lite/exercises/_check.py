"""Every exercise of the book by its name, and what a reader's answer gets to hear."""

from __future__ import annotations

from numpy.typing import ArrayLike

from . import (
    _after_the_paper,
    _any_activation,
    _assigned_experiment,
    _assigned_theory,
    _diagnose,
    _few_to_many,
    _finite_width,
    _fluctuations,
    _folds_and_borders,
    _gradients_as_noise,
    _gradients_explode,
    _highway,
    _inputs_that_meet,
    _looks_linear,
    _many_paths,
    _moving_statistics,
    _one_curve,
    _price_is_time,
    _rank_and_lengths,
    _real_images,
    _scalar_networks,
    _theorem_1,
    _theorem_2,
    _theorem_3,
    _turning_the_mirror,
    _very_deep,
    _what_moves_the_index,
    _what_shattering_costs,
    _who_is_active,
)
from ._exercise import Answer, Exercise
from ._verdict import values, verdict

EXERCISES: dict[str, Exercise] = {
    **_gradients_as_noise.EXERCISES,
    **_who_is_active.EXERCISES,
    **_theorem_1.EXERCISES,
    **_theorem_2.EXERCISES,
    **_theorem_3.EXERCISES,
    **_highway.EXERCISES,
    **_many_paths.EXERCISES,
    **_one_curve.EXERCISES,
    **_any_activation.EXERCISES,
    **_real_images.EXERCISES,
    **_what_shattering_costs.EXERCISES,
    **_looks_linear.EXERCISES,
    **_price_is_time.EXERCISES,
    **_very_deep.EXERCISES,
    **_gradients_explode.EXERCISES,
    **_after_the_paper.EXERCISES,
    **_diagnose.EXERCISES,
    **_scalar_networks.EXERCISES,
    **_finite_width.EXERCISES,
    **_fluctuations.EXERCISES,
    **_inputs_that_meet.EXERCISES,
    **_moving_statistics.EXERCISES,
    **_what_moves_the_index.EXERCISES,
    **_rank_and_lengths.EXERCISES,
    **_folds_and_borders.EXERCISES,
    **_turning_the_mirror.EXERCISES,
    **_few_to_many.EXERCISES,
    **_assigned_theory.EXERCISES,
    **_assigned_experiment.EXERCISES,
}


def check(name: str, answer: Answer | ArrayLike | None) -> None:
    """Say whether an answer is right and, if it is a usual wrong one, what to think about.

    Parameters
    ----------
    name : str
        The exercise, as its cell writes it.
    answer : float, callable, array_like or None
        The reader's answer; estimates where the exercise is to measure; None while there is none yet.

    Raises
    ------
    ValueError
        If there is no such exercise, a number is given where a function is asked for (or the reverse), or estimates are
        none that ``checks.agrees`` takes.

    Examples
    --------
    >>> sl.exercises.check("noise-kinks", 200)
    Not yet. All of them? A kink is at -b/v, and v is often small.
    >>> sl.exercises.check("noise-kinks", 141)
    Right.
    """
    if name not in EXERCISES:
        raise ValueError(f"name={name!r}: choose one of {', '.join(map(repr, sorted(EXERCISES)))}")
    exercise = EXERCISES[name]
    if answer is None:
        print("No answer yet: put yours in place of None and run the cell again.")
        return
    print(verdict(exercise, values(exercise, answer)))
