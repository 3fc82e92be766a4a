"""Run somebody's network a few times, and read what passes through it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from .. import _measuring as measuring
from .._arguments import drawn_by, whole
from .._measuring import MATRICES, Inputs, Signal
from .._modules import Output, check_inputs, check_network, undisturbed, unwrapped
from ._diagnosis import Diagnosis
from ._findings import Evidence, findings_of, zero_at_start

IGNORED = -100  # a target that torch leaves out


def diagnose(
    network: nn.Module,
    inputs: Inputs,
    targets: Tensor | None = None,
    *,
    output: Output = None,
    directions: int = 4,
    generator: torch.Generator | None = None,
) -> Diagnosis:
    r"""What passes through a network, forwards and back; whether that lets it train, and if not, what to change.

    It goes forward and back a few times, and keeps statistics of every signal and its gradient: sizes, the
    correlation $R$ of gradients at two inputs, the gradient scale coefficient, how alike inputs have become, dead
    rectifiers; at the inputs, and along a line between two of them. Where the network is made of linear or
    convolutional layers, norms, averages, skips and the common activations, the value that theory expects of a wide
    network with weights of this size stands beside each (:func:`shattered_lite.theory.through`).

    Batch norm uses the statistics of these inputs and holds them constant; dropout is off. The network, its gradients,
    buffers, mode and hooks, the inputs and torch's random state are afterwards as before. Compiled parts run eagerly,
    and autocast around the call is off, which a note says. Integers are tokens: measured is the gradient by what the
    network looks up for them.

    How often it is right was counted on networks by people who did not know its code, when it first met them: it named
    the right cause of 44 of 58 sick networks, and raised an alarm at 1 of 66 networks as people build them, and at 8 of
    58 that were sick and had been cured. (It refused some of all kinds, and of the sick ones called some healthy: the
    chapter has the table.)

    Parameters
    ----------
    network : nn.Module
        Maps inputs, counted by their first axis, to outputs, each by itself but for batch norm. One that is compiled,
        or wrapped for several devices, is unwrapped.
    inputs : Tensor, sequence of Tensor or mapping of str to Tensor
        As the network takes them: one, several, or by name; 16 to 64 inputs are usual.
    targets : Tensor, optional
        Class numbers, or numbers of the shape of the outputs: then the loss is compared with that of guessing.
    output : int, str or callable, optional
        Which of several outputs, as for :func:`shattered_lite.input_gradients`.
    directions : int
        How many random combinations of the outputs to send back.
    generator : torch.Generator, optional
        Source of these; by default torch's own, whose state is afterwards as before.

    Returns
    -------
    Diagnosis
        Prints as a table, shows as one in a notebook; has a verdict, a figure, a dictionary and JSON.

    Raises
    ------
    ValueError
        If network, inputs, targets or outputs are not such, as for :func:`shattered_lite.input_gradients`; or if the
        output at one input depends on another input.

    References
    ----------
    Balduzzi et al. (2017), Definition 1; Philipp, Song and Carbonell (2018) for the scale coefficient. Used in the
    chapter *Diagnose your own network*.

    Examples
    --------
    >>> layers = [layer for _ in range(50) for layer in (nn.Linear(64, 64), nn.ReLU())]
    >>> found = sl.diagnose(nn.Sequential(*layers), torch.randn(32, 64), generator=generator)
    >>> found.cause, found.findings[0].changes[0].code
    ('vanishing', 'x = x + 0.1 * layer(F.relu(norm(x)))')
    """
    whole("directions", directions)
    generator = drawn_by(generator)
    check_network(network)
    module, tensors = unwrapped(network), measuring.tensors_of(inputs)
    for x in tensors:
        if x.dtype != torch.bool or len(tensors) == 1:  # a mask
            check_inputs(module, x, tokens=True)
    count, device = len(tensors[0]), tensors[0].device
    if any(len(x) != count for x in tensors):
        raise ValueError(f"inputs: {[len(x) for x in tensors]} of them, but all tensors need equally many")
    _check_targets(targets)
    notes = _notes(module, count, device)
    with undisturbed(module, device), tqdm(total=4, desc="diagnosis", leave=False, disable=None) as bar:
        statistics = measuring.statistics_of(module, inputs)
        bar.update()
        ran = measuring.forward(module, inputs, statistics, output, directions)
        loss, guessing = (math.nan, math.nan) if targets is None else _losses(ran.outputs.detach(), targets)
        measuring.refuse_dependence(ran)
        measuring.refuse_company(module, inputs, statistics, output)
        bar.update()
        weights = measuring.directions_of(ran, directions, generator)
        ran.back(weights)
        bar.update()
        signals, outputs, keep = ran.signals, ran.outputs.detach(), _silent(ran.signals)
        if keep is not None:
            notes.append(f"No gradient of the outputs comes back to {signals[keep].name}; measured is that of its own.")
            ran = measuring.forward(module, inputs, statistics, output, directions, keep)
            weights = measuring.directions_of(ran, directions, generator)
            ran.back(weights)
        ran.forget()
        line: Sequence[Signal] = ()
        if (points := measuring.line_between(inputs)) is not None:
            beside = measuring.forward(module, points, statistics, output, directions, keep, precise=True)
            beside.back(weights)
            line = beside.signals
        bar.update()
    layers = measuring.layers_of(ran.signals, line, ran.place, ran.rows)
    zero = zero_at_start(signals)
    if zero:
        notes.append(f"Zero at the start, by design: {', '.join(zero[:3])}{' and others' if len(zero) > 3 else ''}.")
    seen = [layers[each.sources[0]] for each in ran.signals if each.kind in MATRICES and each.heard]
    features = next((layer for layer in reversed(seen) if layer.scale > 0), None)
    shown = tuple(layer for layer, signal in zip(layers, ran.signals, strict=True) if signal.shown)
    evidence = Evidence(shown, signals, features, torch.finfo(outputs.dtype).eps)
    return Diagnosis(type(module).__name__, count, shown, tuple(findings_of(evidence)), tuple(notes), loss, guessing)


def _notes(module: nn.Module, count: int, device: torch.device) -> list[str]:
    """What a reader should know before anything is measured."""
    parameters = dict(module.named_parameters())
    wrong = [name for name, each in parameters.items() if not each.isfinite().all()]
    said = {
        f"Not finite: {', '.join(wrong[:3])}. Go back to an earlier checkpoint.": bool(wrong),
        "It has no parameter that learns.": not any(each.requires_grad for each in parameters.values()),
        "One input: nothing can be compared with another.": count == 1,
        "Autocast is on around this call; all was measured without it.": torch.is_autocast_enabled(device.type),
    }
    return [note for note, so in said.items() if so]


def _silent(signals: Sequence[Signal]) -> int | None:
    """The last signal that gets no gradient, though some weights behind it are zero: a gradient that is by design."""
    if any(each.heard for each in signals if not each.sources) or not zero_at_start(signals):
        return None
    silent = (
        place for place, each in enumerate(signals) if each.rms > 0 and each.shown and each.came and not each.heard
    )
    return max(silent, default=None)


def _check_targets(targets: object) -> None:
    if targets is None:
        return
    if not isinstance(targets, Tensor) or targets.is_complex() or not targets.numel():
        raise ValueError(f"targets={targets!r}: a tensor of class numbers, or of real numbers, is needed")
    if not targets.isfinite().all():
        raise ValueError("targets: every entry must be finite")


def _losses(outputs: Tensor, targets: Tensor) -> tuple[float, float]:
    """Cross-entropy of class numbers, or mean squared error; and that of the best answer that is always the same."""
    if targets.is_floating_point():
        if targets.shape != outputs.shape:
            raise ValueError(f"targets: shape {tuple(targets.shape)}, but the outputs have {tuple(outputs.shape)}")
        error = (outputs.double() - targets.double()).square().mean()
        return error.item(), (targets.double() - targets.double().mean(0)).square().mean().item()
    scores = outputs if targets.shape == outputs.shape[:-1] else outputs.movedim(1, -1) if outputs.ndim > 1 else outputs
    if outputs.ndim < 2 or targets.shape != scores.shape[:-1]:
        raise ValueError(
            f"targets: shape {tuple(targets.shape)}, but outputs of shape {tuple(outputs.shape)} need a class number "
            "for each row, or numbers of the same shape"
        )
    classes = targets.flatten().long()
    counted = classes != IGNORED
    classes, scores = classes[counted], scores.flatten(0, -2)[counted].double()
    if not len(classes) or int(classes.min()) < 0 or int(classes.max()) >= scores.shape[1]:
        least, most = (int(each(classes)) for each in (torch.min, torch.max)) if len(classes) else (IGNORED, IGNORED)
        raise ValueError(f"targets: from {least} to {most}, but the outputs score {scores.shape[1]} classes")
    shares = torch.bincount(classes, minlength=scores.shape[1]).double() / len(classes)
    return functional.cross_entropy(scores, classes).item(), torch.special.entr(shares).sum().item()
