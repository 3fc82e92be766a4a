"""What keeps parameters from learning whatever sizes are: one rule for each."""

from __future__ import annotations

from .._measuring import SMOOTH, WEIGHTS
from . import _changes as change
from ._changes import Change
from ._evidence import FACTOR, OFF, TRAINED, Evidence, Finding

LEFT = 0.25  # of the loss of the best constant answer: half of its errors; of outputs, stuck and half a range off
FEW = 10  # entries at one input, that dropout leaves


def frozen(evidence: Evidence) -> Finding | None:
    """The whole of it."""
    if not evidence.frozen:
        return None
    first = next((each for each in evidence.signals if each.kind in WEIGHTS), evidence.signals[0])
    sentence = "No parameter of the network asks for a gradient: no step changes it."
    return Finding("dead", first.name, sentence, (change.UNFREEZE,), "who-is-active")


def unlisted(evidence: Evidence) -> Finding | None:
    """Layers in a list, or in a closure."""
    if not evidence.unlisted > evidence.learning / 2:
        return None
    first = next((each for each in evidence.signals if each.kind in WEIGHTS), evidence.signals[0])
    sentence = f"It has {evidence.unlisted} tensors of weights not in network.parameters(): nothing moves them."
    return Finding("dead", first.name, sentence, (change.LIST,), "who-is-active")


def cut_off(evidence: Evidence) -> Finding | None:
    """By detach, a rounding, the place of a maximum, a way through numpy."""
    if not evidence.cut:
        return None
    *_, last = (each.name for each in evidence.signals if each is not evidence.outputs)
    sentence = "What is made of it depends on it by no step that can be differentiated: no gradient comes back."
    return Finding("dead", last, sentence, (change.CONNECT,), "who-is-active")


def stuck(evidence: Evidence) -> Finding | None:
    """Zeros that lock each other: neither ever gets a gradient."""
    for name, why in evidence.silent.items():
        if why == "locked":
            sentence = f"{name} is zero and gets no gradient, nor ever will: another zero locks it."
            cure = Change(change.ONE_ZERO.sentence, f"nn.init.kaiming_normal_(network.get_parameter({name!r}))")
            return Finding("zero by design", _owner(name), sentence, (cure,), "after-the-paper")
    return None


def out_of_reach(evidence: Evidence) -> Finding | None:
    """More than half of the parameters, of those that are to learn."""
    lost = [name for name in evidence.silent if name not in evidence.unused]
    if lost and len(lost) > evidence.learning / 2:
        name = lost[0]
        sentence = f"{len(lost)} of {evidence.learning} parameters never get a gradient, {name} among them."
        return Finding("dead", _owner(name), sentence, (change.CONNECT, change.AGAIN), "who-is-active")
    return None


def _owner(parameter: str) -> str:
    """The module that a parameter belongs to; one of the network itself speaks for itself."""
    return parameter.rpartition(".")[0] or parameter


def dropped(evidence: Evidence) -> Finding | None:
    """Nearly all of a signal, so that a handful of entries is left."""
    for signal in evidence.signals:
        if signal.dropped >= OFF and signal.size * (1 - signal.dropped) < FEW:
            sentence = f"Dropout leaves out {signal.dropped:.0%} of it in training."
            return Finding("dead", signal.name, sentence, (change.KEEP_MORE,), "who-is-active")
    return None


def saturated(evidence: Evidence) -> Finding | None:
    """Units, or the choices of a softmax, that lie where they are flat; or whatever else is, at most inputs."""
    if evidence.growth > FACTOR:
        return None  # between the flat pieces it is steep
    changes = (change.STANDARDISE, evidence.keep_size, change.NORM)
    for signal in evidence.signals:
        if signal.saturated > OFF and signal is not evidence.outputs:
            sentence = f"{signal.saturated:.0%} of what it makes lies where it is flat: almost no gradient passes."
            return Finding("dead", signal.name, sentence, changes, "who-is-active")
    given = [each for each in evidence.signals if not each.sources and each.heard]
    seen = [evidence.entering(each).typical for each in evidence.signals if each.kind in TRAINED and each.heard]
    if seen and given and all(each.typical < seen[-1] / FACTOR for each in given):
        where = next(each.name for each in reversed(evidence.signals) if each.typical < seen[-1] / FACTOR)
        sentence = "At more than half of the inputs almost no gradient comes back: there it is flat."
        return Finding("dead", where, sentence, changes, "who-is-active")
    return None


def ends_flat(evidence: Evidence) -> Finding | None:
    """The last activation is saturated, or will be on the way to targets that it cannot reach."""
    aim = evidence.aim
    if aim.least > LEFT * aim.guessing:
        sentence = f"Targets lie where its outputs never are: a loss of {aim.least:.2g} is left at best."
        return Finding("dead", evidence.outputs.name, sentence, (change.FREE_END,), "who-is-active")
    if aim.stuck > (LEFT if evidence.outputs.operation in SMOOTH else OFF):
        sentence = f"{aim.stuck:.0%} of its outputs are wrong, and saturated: its slope there is nearly 0."
        changes = (change.STANDARDISE, change.FREE_END, evidence.keep_size)
        return Finding("dead", evidence.outputs.name, sentence, changes, "who-is-active")
    return None
