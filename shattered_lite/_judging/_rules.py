"""What is wrong with a network, if anything: each rule names one cause, where it begins, and what to change."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from .._measuring import SMOOTH, Signal
from . import _changes as change
from ._changes import Change
from ._evidence import FACTOR, OFF, TRAINED, Evidence, Finding
from ._reach import LEFT, cut_off, dropped, ends_flat, frozen, out_of_reach, saturated, stuck, unlisted

ALIKE = 1e-3  # share of the power that tells inputs apart: gradient descent takes 1,000 times longer to learn from it
ALIKE_INPUTS = 1e-2  # which are easy to standardise
APART = 0.5  # correlation of gradients at neighbouring points of the line: below it more is lost than kept
FAR = 100.0  # times the loss of guessing: learning takes 3 to 30 times as long, in five kinds of networks
PARTS = ("getitem", "select", "unbind", "split", "chunk", "part")  # operations that hand on a step of a sequence
EXACT = 1e-6  # curvature is a root of a difference: half of the digits of float64


def findings_of(evidence: Evidence) -> list[Finding]:
    """Every rule that applies, the most fundamental cause first."""
    found = [each for rule in RULES if (each := rule(evidence)) is not None]
    return [replace(each, changes=evidence.fitting(each)) for each in found]


def zero_at_start(signals: Sequence[Signal]) -> list[str]:
    """Layers that make nothing of something since their weights are zero: somebody set them so."""
    return [each.name for each in signals if each.step.zero and any(signals[source].rms > 0 for source in each.sources)]


def _overflow(evidence: Evidence) -> Finding | None:
    changes = (change.STANDARDISE, evidence.keep_size, change.NORM, change.RANGE)
    for signal in evidence.signals:
        if not signal.finite:
            return Finding("exploding", signal.name, "The signal is no longer finite.", changes, "any-activation")
    for signal in reversed(evidence.signals):
        if signal.overflows:
            return Finding("exploding", signal.name, "Its gradient is no longer finite.", changes, "any-activation")
    return None


def _cancelled(evidence: Evidence) -> Finding | None:
    """Such as the mean of what a norm has centred."""
    for signal in evidence.signals:
        seen = evidence.entering(signal)
        left = evidence.rounding * evidence.entering(seen).rms
        if signal.kind in TRAINED and (seen.kind == "mean" or seen.operation == "sub") and 0 < seen.rms < left:
            sentence = "All that it adds up cancels: what is left is rounding."
            return Finding("collapsed", seen.name, sentence, (change.UNCENTRED,), "one-curve")
    return None


def _faint_signal(evidence: Evidence) -> Finding | None:
    for signal in evidence.signals:
        seen = evidence.entering(signal)
        if signal.kind in TRAINED and 0 < seen.rms < 1 / FACTOR:
            changes: tuple[Change, ...] = (evidence.keep_size, change.NORM, change.SKIP)
            faint = next((each for each in evidence.signals if each.kind == "norm" and each.rms < 1 / FACTOR), None)
            if seen.kind == "inputs":
                changes = (change.STANDARDISE,)
            elif faint is not None:
                gain = f"nn.init.ones_(network.get_submodule({faint.name!r}).weight)"
                changes = (Change("Start the gain of each norm at 1.", gain),)
            sentence = f"The signal that its weights see is no larger than {seen.rms:.1g}."
            return Finding("vanishing", signal.name, sentence, changes, "any-activation")
    if 0 < evidence.outputs.rms < 1 / FACTOR**2:
        sentence = f"The outputs are no larger than {evidence.outputs.rms:.1g}."
        return Finding("vanishing", evidence.outputs.name, sentence, (change.LOGARITHMS, change.NORM), "any-activation")
    return None


def _dead(evidence: Evidence) -> Finding | None:
    for layer in evidence.layers:
        if layer.dead > OFF:
            sentence = f"{layer.dead:.0%} of its units are off at every input."
            off = next(each for each in evidence.signals if (each.name, each.dead) == (layer.name, layer.dead))
            changes = (evidence.at(change.AGAIN, off), change.STANDARDISE)
            return Finding("dead", layer.name, sentence, changes, "who-is-active")
    return None


def _nothing(evidence: Evidence) -> Finding | None:
    """Signals or slopes that are exactly zero, though nobody set weights to zero, so that something never learns."""
    if evidence.inputs.gradient != 0 or zero_at_start(evidence.signals) or (evidence.learning and not evidence.silent):
        return None
    for signal in evidence.signals:
        if signal.rms == 0 and signal.operation == "unknown":
            sentence = "None of its units is on at any input."
            return Finding("dead", signal.name, sentence, (change.STANDARDISE, change.NORM), "who-is-active")
        if signal.rms == 0:
            sentence = "It makes the same of every input: nothing."
            return Finding("collapsed", signal.name, sentence, (change.STANDARDISE, change.NORM), "one-curve")
    where = evidence.deepest(lambda layer: layer.gradient == 0)
    heard = [layer.gradient for layer in evidence.layers if layer.gradient > 0]
    if heard and min(heard) < max(heard) / FACTOR:
        sentence = "On its way back the gradient shrinks until, here, it is less than the least number there is."
        return Finding("vanishing", where, sentence, (change.SKIP, change.NORM, evidence.keep_size), "any-activation")
    sentence = "Not the least gradient comes back through it."
    changes: tuple[Change, ...] = (change.AGAIN, change.STANDARDISE)
    last = max(place for place, each in enumerate(evidence.signals) if not each.heard)
    if all(each.kind == "other" for each in evidence.signals if last in each.sources):  # such as rounding
        changes = (change.CONNECT, *changes)
    return Finding("dead", where, sentence, changes, "who-is-active")


def _normed_away(evidence: Evidence) -> Finding | None:
    """A norm over a single number, or over what is all one number."""
    for signal in evidence.signals:
        seen = evidence.entering(signal)
        if signal.kind == "norm" and signal.rms == 0 and seen.rms > 1 / FACTOR and not signal.step.zero:
            sentence = "It makes nothing of something: a number less its own mean is zero."
            return Finding("collapsed", signal.name, sentence, (change.UNCENTRED,), "one-curve")
    return None


def _identical(evidence: Evidence) -> Finding | None:
    """Units with the same weights get the same gradient."""
    for signal in evidence.signals:
        if signal.identical and not signal.step.zero:
            sentence = "All its units make the same, and get the same gradient: they stay one unit."
            return Finding("collapsed", signal.name, sentence, (evidence.keep_size,), "one-curve")
    return None


def _linear(evidence: Evidence) -> Finding | None:
    off = zero_at_start(evidence.signals) and any(layer.curvature > ALIKE for layer in evidence.layers)
    if off or any(each.operation == "softmax" and evidence.entering(each).rms == 0 for each in evidence.signals):
        return None  # it is linear at the start, but will not be: what bends is switched off
    on_the_way = [layer for layer in evidence.layers if layer.gradient > 0 and not math.isnan(layer.curvature)]
    straight = max(
        EXACT, min(FACTOR * evidence.rounding, max(ALIKE, 8 * evidence.rounding))
    )  # half precision is coarse
    if evidence.depth > 1 and on_the_way and all(layer.curvature < straight for layer in on_the_way):
        sentence = "Along a line between two inputs every signal is a straight line: all layers together are one."
        return Finding("linear", on_the_way[-1].name, sentence, (change.ACTIVATE,), "looks-linear")
    return None


def _loud_signal(evidence: Evidence) -> Finding | None:
    for signal in evidence.signals:
        seen = signal if signal.kind == "recurrent" else evidence.entering(signal)
        if (signal.kind in TRAINED or signal.operation in SMOOTH) and seen.rms > FACTOR:
            changes: tuple[Change, ...] = (evidence.keep_size, change.NORM)
            chapter = "any-activation"
            if seen.kind == "inputs":
                changes = (change.STANDARDISE,)
            elif signal.kind == "recurrent":
                changes = (change.BOUND, change.ORTHOGONAL)
            elif any(each.kind == "sum" for each in evidence.signals):
                changes, chapter = (change.SCALE, change.NORM), "theorem-2"
            sentence = f"The signal that it sees has grown to {seen.rms:.1g}."
            return Finding("exploding", signal.name, sentence, changes, chapter)
    return None


def _faint_end(evidence: Evidence) -> Finding | None:
    """What comes behind the last weights is saturated, though not right; or it normalises a single number."""
    if 0 < evidence.ending < 1 / FACTOR and not evidence.aim.loss < LEFT * evidence.aim.guessing:
        sentence = f"As what the last weights see changes by its size, outputs move by {evidence.ending:.1g} of theirs."
        return Finding("dead", evidence.outputs.name, sentence, (change.FREE_END, change.NORM), "who-is-active")
    return None


def _faint_gradient(evidence: Evidence) -> Finding | None:
    if 0 < evidence.growth < 1 / FACTOR:
        changes = (
            (change.TANH, change.SKIP, change.NORM)
            if evidence.sigmoid
            else (change.SKIP, change.NORM, evidence.keep_size)
        )
        where = evidence.deepest(lambda layer: layer.scale < evidence.features_scale / FACTOR)
        sentence = (
            f"Relative to the signal, the gradient at the inputs is {evidence.growth:.1g} of that at the last weights."
        )
        return Finding("vanishing", where, sentence, changes, "any-activation")
    return None


def _alike_inputs(evidence: Evidence) -> Finding | None:
    """Unless a norm comes first, as the first weights see them."""
    first = evidence.entered
    if first is not None and evidence.given.spread < ALIKE_INPUTS:
        sentence = f"Of the power of the inputs, {evidence.given.spread:.1g} tells them apart: they are nearly equal."
        return Finding("collapsed", first.name, sentence, (change.STANDARDISE, change.NORM, change.SKIP), "one-curve")
    return None


def _collapsed(evidence: Evidence) -> Finding | None:
    """Inputs; or the tokens, nodes, pixels of one, if each has an output. Unless zeros make it so, which open."""
    if evidence.features is None:
        return None
    last = next((each for each in reversed(evidence.signals) if each.kind in TRAINED and each.heard), evidence.outputs)
    places = math.nan if math.isnan(evidence.outputs.varied) else evidence.entering(last).varied
    for left, name, what in ((evidence.features.spread, "spread", "inputs"), (places, "varied", "its positions")):
        first = next((each for each in evidence.signals if getattr(each, name) < ALIKE), evidence.outputs)
        if left < ALIKE and not first.step.zero:
            sentence = f"Of the power of what the last weights see, {max(left, 0):.1g} tells {what} apart."
            changes = (change.SKIP, change.NORM, change.STANDARDISE)
            return Finding("collapsed", first.name, sentence, changes, "one-curve")
    return None


def _steep(evidence: Evidence) -> Finding | None:
    """Shattering, and explosion relative to the signals, are one number apart; before the last weights, or behind."""
    behind = evidence.ending > FACTOR
    if not (behind or evidence.growth > FACTOR):
        return None
    where = evidence.deepest(lambda layer: layer.scale > evidence.features_scale * (1 if behind else FACTOR))
    if (near := evidence.inputs.nearby) < APART:
        sentence = f"Gradients are large, and those at neighbouring points have a correlation of {near:.2f}."
        return Finding("shattered", where, sentence, (change.SKIP, change.LINEAR_START), "theorem-3")
    of, at = ("what the last weights see", "outputs") if behind else ("the inputs", "the last weights")
    grown = evidence.ending if behind else evidence.growth
    sentence = f"Relative to the signal, the gradient at {of} is {grown:.1g} times that at {at}."
    return Finding("exploding", where, sentence, (change.SKIP, change.NORM), "gradients-explode")


def _far_off(evidence: Evidence) -> Finding | None:
    """A loss so large that the first steps, many times as many as usual, do nothing but make it smaller."""
    aim = evidence.aim
    errors = math.sqrt(aim.loss) if aim.numbers else 0.0
    if not (0 < FAR * aim.guessing < aim.loss or errors > FACTOR):
        return None
    head = next((each for each in reversed(evidence.signals) if each.kind in TRAINED), evidence.signals[-1])
    sentence = f"The loss is {aim.loss:.1g}, that of the best constant answer {aim.guessing:.1g}."
    targets = (change.STANDARDISE_TARGETS,) if aim.numbers else ()
    changes = (change.STANDARDISE, *targets, evidence.at(change.ZERO_HEAD, head))
    return Finding("exploding", head.name, sentence, changes, "any-activation")


def _over_time(evidence: Evidence) -> Finding | None:
    """A step of a sequence is not learnt from if its gradient is less than rounding in the sum over all steps."""
    for signal, squares in _sequences(evidence.signals):
        if not squares.max() > 0:
            continue
        read = squares[: int(squares.nonzero().max()) + 1]  # nothing comes back to steps behind the last one read
        first, last = (read[[0, -1]] / read.max()).sqrt().tolist()
        orthogonal = evidence.at(change.ORTHOGONAL.to(signal.operation), signal)
        given = signal.kind in ("inputs", "embedding")
        if last < evidence.rounding and not given:
            bounded = signal.kind == "recurrent" and "relu" not in signal.operation
            changes = (orthogonal,) if bounded else (change.BOUND, orthogonal)
            sentence = f"The last step's gradient is {last:.1g} of the first one's: on its way back it grows."
            return Finding("exploding", signal.name, sentence, changes, "any-activation")
        if first < evidence.rounding:
            gated = signal.operation in ("lstm", "gru", "lstm_cell", "gru_cell")
            remember = evidence.at(change.REMEMBER.to(signal.operation), signal)
            changes = (remember, orthogonal) if gated else (orthogonal,)
            changes = (change.TANH, *changes) if evidence.sigmoid and signal.kind != "recurrent" else changes
            changes = (change.DECAY,) if given else changes
            sentence = f"The first step's gradient is {first:.1g} of the last one's: what comes early is forgotten."
            return Finding("vanishing", signal.name, sentence, changes, "any-activation")
    return None


def _sequences(signals: Sequence[Signal]) -> Iterator[tuple[Signal, Tensor]]:
    """Squared gradients at each step: into a recurrent layer, of weights that a loop calls, of what is given."""
    for signal in signals:
        squares = signals[signal.sources[0]].over_time if signal.sources else None
        if signal.kind == "recurrent" and squares is not None:
            yield signal, squares
    steps = sum(each.operation in PARTS for each in signals)
    for weights in dict.fromkeys(each.weights for each in signals if each.weights is not None):
        calls = [each for each in signals if each.weights == weights]
        if 1 < len(calls) <= 2 * steps:  # or it goes on and on about the same
            came_back = [0.0 if each.gradient is None else each.gradient.trace().item() for each in calls]
            yield calls[0], torch.tensor(came_back, dtype=torch.float64)
    yield from ((each, each.along) for each in signals if each.along is not None)


RULES: tuple[Callable[[Evidence], Finding | None], ...] = (
    frozen, unlisted, _overflow, cut_off, stuck, _alike_inputs, _cancelled, _faint_signal, _loud_signal, _normed_away,
    _dead, dropped, _nothing, _identical, _linear, saturated, _faint_gradient, _collapsed, _faint_end, _steep,
    ends_flat, _far_off, _over_time, out_of_reach,
)  # fmt: skip
