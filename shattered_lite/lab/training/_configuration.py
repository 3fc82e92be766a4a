"""What decides a run, and what a run leaves behind."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Literal

from ..._arguments import one_of, positive_scale, real, scale, truth, whole
from ...networks import ModuleKind

Initializer = Literal["he", "orthogonal", "looks_linear", "mirrored", "gaussian_mirrored"]
Optimizer = Literal["adam", "sgd"]
Source = Literal["digits", "mnist", "cifar10"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, kw_only=True)
class Run:
    r"""Configuration of one run: everything that decides its outcome.

    Attributes
    ----------
    kind, depth, width, batch_norm, beta
        As in :func:`shattered_lite.networks.fully_connected` or :func:`~shattered_lite.networks.convolutional`.
    initializer : {"he", "orthogonal", "looks_linear", "mirrored", "gaussian_mirrored"}
        Function of :mod:`shattered_lite.initializers`, without the underscore; the last is the Gaussian one of the
        fourth.
    turn : float
        As in :func:`~shattered_lite.initializers.mirrored_`, in degrees; for its two initializers only.
    backward : float
        Factor on the gradient in each gated layer (of a layer with a skip, in its branch), on its way back; the signal
        on its way forward does not feel it. Plain batch norm makes gradients grow, and the root of $1 - 1/\pi$ keeps
        their size.
    epochs : int
        Passes over the training images, at most; 0 measures the network at its start and trains nothing.
    batch_size : int
        Images a step, and a minibatch of gradients at the start.
    optimizer : {"adam", "sgd"}
        Adam, or gradient descent with momentum 0.9.
    learning_rate : float
        Its step size.
    seed : int
        Of the choice and order of the images, and of the weights.
    convolutional : bool
        Convolutional network on images, or fully connected one on rows of pixels.
    patch : int
        As in :func:`shattered_lite.networks.convolutional`.
    data : {"digits", "mnist", "cifar10"}
        Function of :mod:`shattered_lite.lab.data`.
    images : int or None
        Training images, drawn at random, and as many test images if there are; None takes all.
    held_out : bool
        Test on a fifth of the training images, held out: for choosing settings.
    augment : bool
        Shift and mirror training images at random.
    decay : bool
        Let the step size fall linearly, to 0 at the end.
    target : float or None
        Accuracy on test images that ends the run when it is reached. The network is then tested not after each epoch
        but after 1, 2, ..., 31, 32, 34, ..., 62, 64, 68, ... steps, numbers of five binary digits with zeros behind: up
        to 31 the time to the target is known exactly, later to a sixteenth.
    minibatches : int
        Minibatches at which gradients are measured at the start.
    cosines : bool
        Keep the cosines between the gradients at the first images of the first minibatch, for a map.
    precision : {"float32", "bfloat16"}
        Of activations and products; weights are float32 always.

    Examples
    --------
    >>> run = sl.lab.training.Run("plain", 6, width=32, batch_norm=True)
    >>> run.epochs, run.data
    (8, 'digits')
    """

    # What a word means on the command line stands beside it. (``_: KW_ONLY`` hides all types from Python 3.10.)
    kind: Annotated[ModuleKind, "what its layers compute"] = field(kw_only=False)
    depth: Annotated[int, "hidden layers"] = field(kw_only=False)
    width: Annotated[int, "units of a layer, or channels of a convolutional one"] = 64
    batch_norm: Annotated[bool, "normalise each layer over the batch"] = False
    beta: Annotated[float, "weight of the branch of a residual block"] = 1.0
    initializer: Annotated[Initializer, "how weights are drawn at the start"] = "he"
    turn: Annotated[float, "degrees by which the mirror of a mirrored start is turned"] = 0.0
    backward: Annotated[float, "factor on the gradient in each gated layer, on its way back"] = 1.0
    epochs: Annotated[int, "passes over the training images; 0 only measures the start"] = 8
    batch_size: Annotated[int, "images in a training step, and in a minibatch of gradients"] = 64
    optimizer: Annotated[Optimizer, "Adam, or gradient descent with momentum 0.9"] = "adam"
    learning_rate: Annotated[float, "step size"] = 1e-3
    seed: Annotated[int, "decides weights, and choice and order of the images"] = 0
    convolutional: Annotated[bool, "convolve images, in place of layers fully connected to their pixels"] = False
    patch: Annotated[int, "side of the squares of pixels that a convolutional network takes as channels"] = 1
    data: Annotated[Source, "scikit-learn's digits, MNIST (12 MB) or CIFAR-10 (170 MB), fetched if missing"] = "digits"
    images: Annotated[int | None, "training images, drawn at random, and as many for testing; None takes all"] = None
    held_out: Annotated[bool, "test on a fifth of the training images, to choose settings"] = False
    augment: Annotated[bool, "shift and mirror training images at random; convolutional only"] = False
    decay: Annotated[bool, "let the step size fall linearly to 0"] = False
    target: Annotated[float | None, "accuracy on test images that ends the run; None goes on to the end"] = None
    minibatches: Annotated[int, "minibatches at which gradients are measured before the first step"] = 0
    cosines: Annotated[bool, "keep cosines between gradients at the first images, for a map"] = False
    precision: Annotated[Precision, "of activations and products; weights are float32 always"] = "float32"

    def __post_init__(self) -> None:
        for name, choice in (
            ("kind", ModuleKind),
            ("initializer", Initializer),
            ("optimizer", Optimizer),
            ("data", Source),
            ("precision", Precision),
        ):
            one_of(name, getattr(self, name), choice)
        for name in ("depth", "width", "batch_size", "patch"):
            whole(name, getattr(self, name))
        for name in ("epochs", "minibatches"):
            whole(name, getattr(self, name), least=0)
        whole("seed", self.seed, least=0, most=2**63 - 1)  # what a generator takes
        for name in ("batch_norm", "convolutional", "held_out", "augment", "decay", "cosines"):
            truth(name, getattr(self, name))
        if self.images is not None:
            whole("images", self.images, allowed="a whole number, 1 or more, or None for all is needed")
        real("turn", self.turn, lambda degrees: 0 <= degrees <= 180, "an angle from 0 to 180 degrees is needed")
        if self.target is not None:
            real("target", self.target, lambda share: 0 < share <= 1, "a share above 0 and up to 1, or None, is needed")
        positive_scale("backward", self.backward)
        scale("beta", self.beta)
        real("learning_rate", self.learning_rate, lambda rate: 0 < rate < math.inf, "a positive step is needed")
        self._refuse_what_does_not_go_together()

    def _refuse_what_does_not_go_together(self) -> None:
        if self.augment and not self.convolutional:
            raise ValueError("augment=True: rows of pixels cannot be shifted; convolutional=True is needed")
        if self.turn and "mirrored" not in self.initializer:
            raise ValueError(f"turn={self.turn}: only a mirrored start is turned, not {self.initializer!r}")


@dataclass(frozen=True, kw_only=True)
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

    Examples
    --------
    >>> run = sl.lab.training.Run("crelu", 4, initializer="looks_linear", minibatches=2)
    >>> [round(rank, 4) for rank in sl.lab.training.measure_start(run).effective_rank]
    [1.0, 1.0]
    """

    correlation: tuple[float, ...] = ()
    effective_rank: tuple[float, ...] = ()
    effective_rank_of_directions: tuple[float, ...] = ()
    mean_gradient_norm: tuple[float, ...] = ()
    cosines: tuple[float, ...] = ()
    machine: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a run made.

    Of a run with a target, read *the steps since the last test* for *each epoch*. Curves have six significant digits.

    Attributes
    ----------
    run : Run
        Its configuration.
    losses : tuple of float
        Mean cross-entropy over the training images of each epoch, in nats.
    accuracies : tuple of float
        Share of test images classified correctly after each epoch.
    train_accuracies : tuple of float
        Share of training images classified correctly in each epoch, each image at its step, as it was shown there: the
        losses are of the same outputs. Empty if not measured.
    batch_accuracies : tuple of float
        As ``accuracies``, where batch norm normalises with *batch statistics*: weights and test images are the same,
        but each channel is given the mean and the variance that it has over the batch of up to 500 test images, and not
        those that were averaged along training, which lag behind the weights. An answer then depends on which images
        are tested together; no label is used. Empty if not measured, and without batch norm.
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

    Examples
    --------
    >>> record = sl.lab.training.train(sl.lab.training.Run("plain", 2, epochs=2, images=100))
    >>> len(record.losses), 0 <= record.accuracies[-1] <= 1
    (2, True)
    """

    run: Run
    losses: tuple[float, ...]
    accuracies: tuple[float, ...]
    seconds: float
    train_accuracies: tuple[float, ...] = ()
    batch_accuracies: tuple[float, ...] = ()
    probes: tuple[float, ...] = ()
    start: Start = Start()
    peak_memory: int = 0
    machine: dict[str, str] = field(default_factory=dict)
