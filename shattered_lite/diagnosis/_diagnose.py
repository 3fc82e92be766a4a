"""Run somebody's network a few times, and read what passes through it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from tqdm import tqdm

from .. import _measuring as measuring
from .._arguments import drawn_by, whole
from .._judging import Evidence, findings_of, zero_at_start
from .._measuring import MATRICES, Inputs, Signal
from .._modules import NO_SLOPE, BatchStatistics, Output, check_inputs, check_network, undisturbed, unwrapped
from ._diagnosis import Diagnosis

STALE = 10.0  # times the variance of these inputs, or a tenth: averages that batch norm will use in eval()
FAR = 10.0  # times the size of standardised inputs


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
    the right cause of 110 of 150 sick networks, and raised an alarm at 4 of 166 networks as people build them, and at
    12 of 150 that were sick and had been cured. (It refused some of all kinds, and called some of the sick ones
    healthy: the chapter has the table.)

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
    measuring.check_targets(targets)
    notes = _notes(module, count, device)
    averages = _averaging(module)
    learning = {name: each for name, each in module.named_parameters() if each.requires_grad}
    with undisturbed(module, device), tqdm(total=4, desc="diagnosis", leave=False, disable=None) as bar:
        statistics = measuring.statistics_of(module, inputs)
        notes += _stale(averages, statistics)
        bar.update()
        ran = measuring.forward(module, inputs, statistics, output, directions)
        gradients_of = partial(measuring.gradients_of, module, inputs, statistics, output)
        if ran.cut and (callable(output) or _all_heard(gradients_of(list(learning.values())))):
            raise ValueError(NO_SLOPE)  # it was not the network; or what lies before the cut has nothing to learn
        measuring.refuse_dependence(ran)
        measuring.refuse_company(module, inputs, statistics, output)
        bar.update()
        at_end = ran.signals[ran.place]
        aim = measuring.compare(ran.outputs.detach(), at_end.operation, targets)
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
        silent = measuring.out_of_reach(learning, gradients_of)
    layers = measuring.layers_of(ran.signals, line, ran.place, ran.rows)
    zero = zero_at_start(signals)
    if zero:
        notes.append(f"Zero at the start, by design: {', '.join(zero[:3])}{' and others' if len(zero) > 3 else ''}.")
    seen = [layers[each.sources[0]] for each in ran.signals if each.kind in MATRICES and each.heard]
    features = next((layer for layer in reversed(seen) if layer.scale > 0), None) if keep is None else layers[ran.place]
    shown = tuple(layer for layer, signal in zip(layers, ran.signals, strict=True) if signal.shown)
    names = frozenset(name for name, _ in module.named_modules())
    evidence = Evidence(
        shown, signals, features, at_end, torch.finfo(outputs.dtype).eps, names,
        learning=len(learning), frozen=not learning and any(True for _ in module.parameters()),
        unlisted=ran.unlisted + measuring.plain_weights(module), cut=ran.cut,
        silent=silent, unused=_unused(module, silent, learning.keys() - silent.keys()), aim=aim,
    )  # fmt: skip
    notes += _of_ends(evidence)
    found = tuple(findings_of(evidence))
    return Diagnosis(type(module).__name__, count, shown, found, tuple(notes), aim.loss, aim.guessing)


def _notes(module: nn.Module, count: int, device: torch.device) -> list[str]:
    """What a reader should know before anything is measured."""
    parameters = dict(module.named_parameters())
    wrong = [name for name, each in parameters.items() if not each.isfinite().all()]
    frozen = [name for name, each in parameters.items() if not each.requires_grad]
    said = {
        f"Not finite: {', '.join(wrong[:3])}. Go back to an earlier checkpoint.": bool(wrong),
        f"Frozen: {len(frozen)} of {len(parameters)} parameters.": bool(frozen),
        "One input: nothing can be compared with another.": count == 1,
        "Autocast is on around this call; all was measured without it.": torch.is_autocast_enabled(device.type),
    }
    return [note for note, so in said.items() if so]


def _all_heard(gradients: Sequence[Tensor | None]) -> bool:
    return all(each is not None and bool(each.any()) for each in gradients)


def _unused(module: nn.Module, silent: Mapping[str, str], heard: Iterable[str]) -> frozenset[str]:
    """Parameters without a gradient that have one at the same place of another module of the same list."""
    lists = [name for name, each in module.named_modules() if isinstance(each, nn.ModuleList | nn.ModuleDict)]

    def place(name: str) -> tuple[str, str]:
        within = max((each for each in lists if name.startswith(f"{each}.")), key=len, default="")
        return within, name[len(within) + 1 :].partition(".")[2] if within else name

    learning = {place(name) for name in heard}
    return frozenset(name for name, why in silent.items() if why != "constant" and place(name) in learning)


def _of_ends(evidence: Evidence) -> list[str]:
    """Inputs far from standard, or that leave weights unused."""
    size, unused = evidence.given.signal, evidence.unused
    said = {
        f"Not used at these inputs: {len(unused)} parameters, {min(unused, default='')} among them.": bool(unused),
        f"The inputs have a size of {size:.2g}: standardise them.": evidence.entered is not None and size > FAR,
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


def _averaging(module: nn.Module) -> dict[str, _BatchNorm]:
    """The batch norms in evaluation, which are measured here with the statistics of the inputs."""
    norms = {name: each for name, each in module.named_modules() if isinstance(each, _BatchNorm)}
    return {name: each for name, each in norms.items() if each.running_var is not None and not each.training}


def _stale(averages: Mapping[str, _BatchNorm], statistics: Sequence[BatchStatistics]) -> list[str]:
    """Where the averages that a batch norm would use are far from the statistics of these inputs."""
    found = []
    for name, norm in averages.items():
        assert norm.running_mean is not None
        assert norm.running_var is not None
        for each in statistics:
            if each.owner is not None and (each.owner is norm.weight or each.owner is norm.running_mean):
                around = each.variance + (each.mean - norm.running_mean).square()
                if not 1 / STALE < (around / (norm.running_var + norm.eps)).mean() < STALE:
                    found.append(name)
    return [f"In eval() averages are used that are far from these inputs': {', '.join(found[:3])}."] if found else []
