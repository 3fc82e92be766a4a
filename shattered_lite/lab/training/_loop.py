"""A run under way, step by step."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..data import Split
from . import _machine, _steps, _tests
from ._configuration import Record, Run, Start
from ._setup import build, load
from ._start import measure

SHIFT = 4  # pixels


@dataclass(kw_only=True)
class Progress:
    """What a run has done so far."""

    sums: Tensor  # loss and right answers of the images since the last test
    images: int = 0  # since the last test
    done: int = 0  # steps
    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    train_accuracies: list[float] = field(default_factory=list)
    batch_accuracies: list[float] = field(default_factory=list)
    probes: list[float] = field(default_factory=list)
    seconds: float = 0.0


class Training:
    """A run under way: all that a checkpoint must hold, and nothing that it need not."""

    def __init__(
        self,
        run: Run,
        data: Split | None = None,
        *,
        device: torch.device,
        network: nn.Sequential | None = None,
        probe: Callable[[nn.Sequential], float] | None = None,
    ) -> None:
        self.run, self.device, self.probe = run, device, probe
        self.given = {  # beside the configuration
            "network": str(network is not None),
            "data": "" if data is None else _digest(data),
        }
        self.generator = torch.Generator().manual_seed(run.seed)
        self.data = load(run, generator=self.generator) if data is None else data
        network = build(run, self.data, self.generator) if network is None else network
        self.network = network.to(device)
        if run.convolutional:
            nn.utils.convert_conv2d_weight_memory_format(self.network, torch.channels_last)
        self.data = Split(*(tensor.to(device) for tensor in self.data))
        on_gpu = device.type == "cuda"
        self.optimizer = _steps.make_optimizer(run, self.network, device)
        forward = _steps.compile_blocks(self.network) if on_gpu else self.network
        self.step = _steps.plain_step(forward, self.optimizer, run.precision)
        if on_gpu:
            self.step = _steps.graphed_step(self.step, self.network, self.optimizer)
        if run.batch_norm and len(self.data.train_inputs) % run.batch_size == 1:
            raise ValueError(
                f"batch_size={run.batch_size}: of {len(self.data.train_inputs)} training images the last batch has 1, "
                "which has no statistics for batch norm; choose another size"
            )
        if run.batch_norm and len(self.data.test_inputs) == 1:
            raise ValueError("data: 1 test image, which has no statistics for batch norm; 2 or more are needed")
        self.per_epoch = -(-len(self.data.train_inputs) // run.batch_size)
        self.total = run.epochs * self.per_epoch
        self.progress = Progress(sums=torch.zeros(2, dtype=torch.float64, device=device))
        self.order = torch.arange(len(self.data.train_inputs))
        self.start = Start()
        self.memory = _machine.restart_peak_memory(device)

    def begin(self) -> None:
        """Measure the network before its first step."""
        if self.run.minibatches:
            inputs, labels = self.data.train_inputs, self.data.train_labels
            self.start = measure(self.network, inputs, labels, self.run, self.generator)
        if self.probe:
            self.progress.probes.append(self.probe(self.network))

    @property
    def reached(self) -> bool:
        """Whether there is a target, and the last test met it."""
        return self.run.target is not None and self.progress.accuracies[-1:] >= [self.run.target]

    def advance(self, step: int) -> None:
        """Take one step, and test the network where it is time."""
        began = time.perf_counter()
        place = step % self.per_epoch
        if place == 0 or not self.network.training:
            self.network.train()
        if place == 0:
            self.order = torch.randperm(len(self.data.train_inputs), generator=self.generator)
        batch = self.order[place * self.run.batch_size :][: self.run.batch_size].to(self.device)
        inputs, labels = self.data.train_inputs[batch], self.data.train_labels[batch]
        if self.run.augment:
            inputs = shift_and_mirror(inputs, self.generator)
        if self.run.decay:
            self._set_rate(self.run.learning_rate * (1 - step / self.total))
        self.progress.sums = self.progress.sums + self.step(inputs, labels)
        self.progress.images += len(batch)
        self.progress.done = step + 1
        if self._is_tested(step + 1):
            self._test()
        self.progress.seconds += time.perf_counter() - began

    def _is_tested(self, steps: int) -> bool:
        return steps % self.per_epoch == 0 if self.run.target is None else _tests.is_tested(steps)

    def _test(self) -> None:
        progress, tested = self.progress, (self.network, self.data, self.run.precision)
        loss, right = (progress.sums / progress.images).tolist()
        progress.sums, progress.images = torch.zeros_like(progress.sums), 0
        progress.losses.append(loss)
        progress.train_accuracies.append(right)
        progress.accuracies.append(_tests.accuracy(*tested))
        if self.run.batch_norm:
            progress.batch_accuracies.append(_tests.accuracy(*tested, batch_statistics=True))
        if self.probe:
            progress.probes.append(self.probe(self.network))

    def _set_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    def state(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on; what the configuration decides is not repeated."""
        return {
            "given": self.given,
            "network": self.network.state_dict(),
            "moments": self.optimizer.state_dict()["state"],
            "generator": self.generator.get_state(),
            "order": self.order,
            "start": vars(self.start),
            "progress": vars(self.progress),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where that state was saved; ``ValueError``, with nothing changed, where it does not fit this run."""
        expected = self.state() | {"moments": self._moments_like(state)}
        if _layout(state) != _layout(expected) or not self._is_consistent(Progress(**state["progress"])):
            raise ValueError("does not fit this run")
        if state["given"] != self.given:
            raise ValueError("belongs to a run on other data, or of a network that was not given")
        try:
            self.generator.set_state(state["generator"])
        except RuntimeError as error:  # of the numbers themselves: nothing else can still be refused
            raise ValueError("does not fit this run") from error
        self.network.load_state_dict(state["network"])
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state["moments"], "param_groups": groups})
        self.order, self.start = state["order"], Start(**state["start"])
        self.progress = Progress(**state["progress"] | {"sums": state["progress"]["sums"].to(self.device)})
        self.network.train()

    def _moments_like(self, state: Any) -> dict[int, dict[str, Tensor]]:
        """What the optimizer keeps of the parameters that it keeps something of in that state."""
        moments = state.get("moments") if isinstance(state, dict) else None
        known = moments if isinstance(moments, dict) else {}
        adam = {"step": torch.tensor(0.0)}
        return {
            index: {"momentum_buffer": weights}
            if self.run.optimizer == "sgd"
            else adam | {"exp_avg": weights, "exp_avg_sq": weights}
            for index, weights in enumerate(self.network.parameters())
            if index in known
        }

    def _is_consistent(self, progress: Progress) -> bool:
        if not 0 < progress.done <= self.total:
            return False
        tests = sum(map(self._is_tested, range(1, progress.done + 1)))
        curves = (progress.losses, progress.accuracies, progress.train_accuracies)
        of_batches = tests if self.run.batch_norm else 0
        return all(len(curve) == tests for curve in curves) and len(progress.batch_accuracies) == of_batches

    def record(self) -> Record:
        """What the finished run leaves behind."""
        return Record(
            run=self.run,
            losses=_six_digits(self.progress.losses),
            accuracies=_six_digits(self.progress.accuracies),
            seconds=self.progress.seconds,
            train_accuracies=_six_digits(self.progress.train_accuracies),
            batch_accuracies=_six_digits(self.progress.batch_accuracies),
            probes=tuple(self.progress.probes),
            start=self.start,
            peak_memory=max(0, _machine.peak_memory(self.device) - self.memory),
            machine=_machine.describe(self.device),
        )


def _six_digits(curve: list[float]) -> tuple[float, ...]:
    """Figures show three; more would double the size of a table."""
    return tuple(float(f"{value:.6g}") for value in curve)


def _digest(data: Split) -> str:
    """SHA-256 of images and labels."""
    digest = hashlib.sha256()
    for tensor in data:
        digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()


def _layout(value: Any) -> Any:
    """What two states of one run have in common: keys and types, and the shapes and types of tensors.

    A mapping to words has none but its type: it says where something was measured, if it was.
    """
    if isinstance(value, Tensor):
        return value.dtype, value.shape
    if isinstance(value, dict) and not all(isinstance(each, str) for each in value.values()):
        return {key: _layout(each) for key, each in value.items()}
    return type(value)


def shift_and_mirror(inputs: Tensor, generator: torch.Generator) -> Tensor:
    """Each image shifted by up to ``SHIFT`` pixels, what lies beyond the border reflected, and mirrored or not."""
    count, _, height, width = inputs.shape
    down, right = torch.randint(2 * SHIFT + 1, (2, count, 1), generator=generator).to(inputs.device)
    mirrored = torch.randint(2, (count, 1), generator=generator).to(inputs.device)
    padded = nn.functional.pad(inputs, (SHIFT,) * 4, mode="reflect")
    rows = down + torch.arange(height, device=inputs.device)
    columns = torch.arange(width, device=inputs.device)
    columns = right + torch.where(mirrored == 1, width - 1 - columns, columns)
    every = torch.arange(count, device=inputs.device)[:, None, None]
    return padded.movedim(1, -1)[every, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)
