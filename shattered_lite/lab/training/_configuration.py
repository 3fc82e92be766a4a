"""What decides a run, and what a run leaves behind."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Literal, get_args

from ...networks import Kind

Initializer = Literal["he", "orthogonal", "looks_linear"]
Source = Literal["digits", "cifar10"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Run:
    """Configuration of one run: everything that decides its outcome.

    Attributes
    ----------
    kind, depth, width, batch_norm, beta
        As in :func:`shattered_lite.networks.fully_connected` or :func:`~shattered_lite.networks.convolutional`.
    initializer : {"he", "orthogonal", "looks_linear"}
        Function of :mod:`shattered_lite.initializers`, without the underscore.
    epochs : int
        Passes over the training images; 0 measures the network at its start and trains nothing.
    batch_size : int
        Images a step, and a minibatch of gradients at the start.
    learning_rate : float
        Step size of Adam.
    seed : int
        Of the choice and order of the images, and of the weights.
    convolutional : bool
        Convolutional network on images, or fully connected one on rows of pixels.
    patch : int
        As in :func:`shattered_lite.networks.convolutional`.
    data : {"digits", "cifar10"}
        Function of :mod:`shattered_lite.data`.
    images : int or None
        Training images, drawn at random, and as many test images if there are; None takes all.
    held_out : bool
        Test on a fifth of the training images, held out: for choosing settings.
    augment : bool
        Shift and mirror training images at random.
    decay : bool
        Let the step size fall linearly, to 0 at the end.
    minibatches : int
        Minibatches at which gradients are measured at the start.
    cosines : bool
        Keep the cosines between the gradients at the first images of the first minibatch, for a map.
    precision : {"float32", "bfloat16"}
        Of activations and products; weights are float32 always.
    """

    kind: Kind
    depth: int
    width: int = 64
    batch_norm: bool = False
    beta: float = 1.0
    initializer: Initializer = "he"
    epochs: int = 8
    batch_size: int = 64
    learning_rate: float = 1e-3
    seed: int = 0
    convolutional: bool = False
    patch: int = 1
    data: Source = "digits"
    images: int | None = None
    held_out: bool = False
    augment: bool = False
    decay: bool = False
    minibatches: int = 0
    cosines: bool = False
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        choices = {"kind": Kind, "initializer": Initializer, "data": Source, "precision": Precision}
        for name, choice in choices.items():
            value, allowed = getattr(self, name), get_args(choice)
            if value not in allowed:
                raise ValueError(f"{name}={value!r}: choose one of {', '.join(map(repr, allowed))}")
        least = {"depth": 1, "width": 1, "epochs": 0, "batch_size": 1, "seed": 0, "patch": 1, "minibatches": 0}
        for name, lowest in least.items():
            value = getattr(self, name)
            if not isinstance(value, Integral) or isinstance(value, bool) or value < lowest:
                raise ValueError(f"{name}={value!r}: a whole number, {lowest} or more, is needed")
        if self.seed >= 2**63:
            raise ValueError(f"seed={self.seed}: a generator takes seeds below 2**63")
        for name in ("batch_norm", "convolutional", "held_out", "augment", "decay", "cosines"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name}={getattr(self, name)!r}: True or False is needed")
        whole = isinstance(self.images, Integral) and not isinstance(self.images, bool)
        if self.images is not None and (not whole or self.images < 1):
            raise ValueError(f"images={self.images!r}: a whole number, 1 or more, or None for all is needed")
        if not isinstance(self.beta, Real) or isinstance(self.beta, bool) or not 0 <= self.beta < math.inf:
            raise ValueError(f"beta={self.beta!r}: a finite number, 0 or more, is needed")
        if not isinstance(self.learning_rate, Real) or not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate={self.learning_rate!r}: a positive step is needed")


@dataclass(frozen=True)
class Start:
    """Gradients at initialisation, one number a minibatch; measures of :mod:`shattered_lite.structure`.

    Attributes
    ----------
    correlation : tuple of float
        Correlation of the gradients at two images, over pairs: :func:`~shattered_lite.structure.pair_moments`.
    effective_rank : tuple of float
        Of the gradients.
    effective_rank_of_directions : tuple of float
        Of the gradients, each scaled to length 1.
    mean_gradient_norm : tuple of float
        Norm of the mean gradient, relative.
    cosines : tuple of float
        Between the gradients at the first images of the first minibatch, sorted by class: rows of the triangle above
        the diagonal. Empty unless the run keeps them.
    machine : mapping of str to str
        Where, when and with what they were measured, which may be after the run: as in :class:`Record`, and their
        precision.
    """

    correlation: tuple[float, ...] = ()
    effective_rank: tuple[float, ...] = ()
    effective_rank_of_directions: tuple[float, ...] = ()
    mean_gradient_norm: tuple[float, ...] = ()
    cosines: tuple[float, ...] = ()
    machine: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """What a run made.

    Attributes
    ----------
    run : Run
        Its configuration.
    losses : tuple of float
        Mean cross-entropy over the training images of each epoch, in nats.
    accuracies : tuple of float
        Share of test images classified correctly after each epoch.
    seconds : float
        Wall time of training and testing, over all parts of an interrupted run.
    probes : tuple of float
        What the probe measured, at initialisation and after each epoch; empty without one.
    start : Start
        Gradients at initialisation.
    peak_memory : int
        Bytes by which the memory in use grew at most: of the device where it is a GPU, else of the process, where
        memory that was freed before and kept is not counted.
    machine : mapping of str to str
        Where and with what it ran: device, versions, commit, date.
    """

    run: Run
    losses: tuple[float, ...]
    accuracies: tuple[float, ...]
    seconds: float
    probes: tuple[float, ...] = ()
    start: Start = Start()
    peak_memory: int = 0
    machine: dict[str, str] = field(default_factory=dict)
