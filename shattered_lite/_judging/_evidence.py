"""All that is known of a network when it is judged, and what may be said of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from .._measuring import ACTIVATIONS, MATRICES, WEIGHTS, Compared, Layer, Signal
from . import _changes as change
from ._changes import Change

TRAINED = (*MATRICES, "recurrent")  # kinds whose weights learn from what they see
SHALLOW = 20  # layers of weights, up to which weights of the right size suffice
FACTOR = 1e3  # by which sizes may change: beyond it no one step size fits all layers
OFF = 0.9  # share of a layer's units that are never on, or left out
STANDARD = 3.0  # times the size that standardised inputs have


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    cause : str
        "vanishing", "exploding", "dead", "collapsed", "shattered", "linear" or "zero by design".
    layer : str
        Where it begins.
    sentence : str
        What was measured.
    changes : tuple of Change
        What to do, the first thing first.
    chapter : str
        Page of the book that explains it.

    Examples
    --------
    >>> [found] = sl.diagnose(nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2)), torch.randn(16, 8)).findings
    >>> found.cause, found.chapter
    ('linear', 'looks-linear')
    """

    cause: str
    layer: str
    sentence: str
    changes: tuple[Change, ...]
    chapter: str


@dataclass(frozen=True)
class Evidence:
    """All that a rule may look at."""

    layers: Sequence[Layer]  # of the outputs; or of the features, if no gradient of the outputs comes back
    signals: Sequence[Signal]  # of the outputs
    features: Layer | None  # what the last weights see
    outputs: Signal
    rounding: float  # relative, of the numbers that the network computes with
    modules: frozenset[str]  # their names
    learning: int  # how many parameters ask for a gradient
    frozen: bool  # whether there are parameters, and none of them does
    unlisted: int  # how many tensors of weights it has that are not among these
    cut: bool  # whether the outputs no longer depend on the inputs by steps that can be differentiated
    silent: Mapping[str, str]  # those that can never get one, by name; and why: "locked" by each other, "constant", ""
    unused: frozenset[str]  # such of these as have siblings that learn: experts, or heads, that no input chose
    aim: Compared  # the outputs with the targets

    @property
    def inputs(self) -> Layer:
        """The first signal."""
        return self.layers[0]

    @property
    def features_scale(self) -> float:
        """The relative gradient at what the last weights see."""
        return math.nan if self.features is None else self.features.scale

    @property
    def growth(self) -> float:
        """Of the relative gradient, from there back to the inputs."""
        return self.inputs.scale / self.features_scale

    @property
    def ending(self) -> float:
        """By what share of their differences outputs move, if what the last weights see changes by its own size."""
        if not any(each.heard for each in self.signals if not each.sources):
            return math.nan  # of the outputs nothing was measured but themselves
        return self.features_scale / math.sqrt(max(self.outputs.spread, self.rounding))

    @property
    def rectified(self) -> bool:
        """Whether there are rectifiers, or no activations at all."""
        activations = [each for each in self.signals if each.kind == "activation"]
        return not activations or any(not math.isnan(each.dead) for each in activations)

    @property
    def keep_size(self) -> Change:
        """Weights for the activations that there are."""
        if not self.rectified:
            return change.XAVIER
        weighted = {each.operation for each in self.signals if each.kind in WEIGHTS}
        return change.HE if weighted <= {"linear", "conv2d"} else change.HE_EACH  # which he_ would refuse

    @property
    def small(self) -> bool:
        """Whether layers of weights keep less than half of the power that they should."""
        gains = [each.step.gain for each in self.signals if each.kind in MATRICES and not math.isnan(each.step.gain)]
        return bool(gains) and median(gains) < (1 if self.rectified else 0.5)

    @property
    def standardised(self) -> bool:
        """Whether the inputs are, nearly."""
        return 1 / STANDARD < self.given.signal < STANDARD and self.given.spread > 1 / STANDARD

    @property
    def given(self) -> Layer:
        """Of several inputs the one that the first weights see, if these see any as it is."""
        name = self.inputs.name if self.entered is None else self.entering(self.entered).name
        return next((each for each in self.layers if (each.name, each.operation) == (name, "inputs")), self.inputs)

    @property
    def entered(self) -> Signal | None:
        """What the first weights make, if these see the inputs as they are."""
        first = next((each for each in self.signals if each.kind in TRAINED), None)
        return first if first is not None and self.entering(first).kind == "inputs" else None

    def often(self, kind: str) -> bool:
        """Whether an operation stands at each few layers of weights."""
        count = Counter(each.kind for each in self.signals)
        return count[kind] > 0 and 4 * count[kind] >= sum(count[each] for each in TRAINED)

    def fitting(self, found: Finding) -> tuple[Change, ...]:
        """Without what is there already; weights first, where these are too small and no depth asks for more."""
        there = {
            change.NORM: self.often("norm"),
            change.SKIP: self.often("sum"),
            change.STANDARDISE: self.standardised and found.cause != "dead",
        }
        left = [each for each in found.changes if not there.get(each)] or list(found.changes)
        shallow = sum(each.kind in TRAINED for each in self.signals) <= SHALLOW
        weights = found.cause != "shattered" and change.SKIP in found.changes and left[0] != change.STANDARDISE
        if weights and shallow and self.small and not self.often("norm"):
            left = [self.keep_size, *(each for each in left if each != self.keep_size)]
        images = sum(each.kind == "convolution" for each in self.signals)
        of_images = 2 * images > sum(each.kind in TRAINED for each in self.signals)
        return tuple(change.NORM_IMAGES if each == change.NORM and of_images else each for each in left)

    def at(self, each: Change, signal: Signal) -> Change:
        """Said of the layer of weights that a signal comes from, by its name."""
        while signal.kind not in TRAINED and signal.sources:
            signal = self.entering(signal)
        name = signal.name.split(" (call")[0]
        return each.of(name) if name in self.modules else each

    @property
    def sigmoid(self) -> bool:
        """Whether there is one among the activations."""
        return any(each.step.activation is ACTIVATIONS["sigmoid"] for each in self.signals)

    @property
    def depth(self) -> int:
        """How many layers of weights stand one behind the other."""
        behind: list[int] = []
        for each in self.signals:
            before = max((behind[source] for source in each.sources), default=0)
            behind.append(before + (each.kind in TRAINED and each.heard))
        return max(behind)

    def entering(self, signal: Signal) -> Signal:
        """What a signal is made of."""
        return self.signals[signal.sources[0]] if signal.sources else signal

    def deepest(self, so: Callable[[Layer], bool]) -> str:
        """Name of the layer nearest to the outputs of which something holds."""
        return next((each for each in reversed(self.layers) if so(each)), self.inputs).name
