"""A run under way, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..data import Split
from . import machine, steps
from .configuration import Record, Run, Start
from .setup import build, load
from .start import measure

TEST_BATCH = 500


class Training:
    """A run under way: all that a checkpoint must hold, and nothing that it need not."""

    def __init__(
        self,
        run: Run,
        data: Split | None,
        network: nn.Sequential | None,
        device: torch.device,
        probe: Callable[[nn.Sequential], float] | None,
    ) -> None:
        self.run, self.device, self.probe = run, device, probe
        self.generator = torch.Generator().manual_seed(run.seed)
        self.data = load(run, generator=self.generator) if data is None else data
        network = build(run, self.data, self.generator) if network is None else network
        layout = torch.channels_last if run.convolutional else torch.contiguous_format
        self.network = network.to(device)
        self.network.to(memory_format=layout)  # type: ignore[call-overload]  # torch's signatures leave it out
        self.data = Split(*(tensor.to(device) for tensor in self.data))
        on_gpu = device.type == "cuda"
        rate = torch.tensor(run.learning_rate, device=device) if on_gpu else run.learning_rate
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=rate, fused=True, capturable=on_gpu)
        forward = steps.compile_blocks(self.network) if on_gpu else self.network
        self.step = steps.plain_step(forward, self.optimizer, run.precision)
        if on_gpu:
            self.step = steps.graphed_step(self.step, self.network, self.optimizer)
        self.per_epoch = -(-len(self.data.train_inputs) // run.batch_size)
        self.total = run.epochs * self.per_epoch
        self.kept: dict[str, Any] = {
            "done": 0,
            "loss": 0.0,
            "losses": [],
            "accuracies": [],
            "probes": [],
            "seconds": 0.0,
        }
        self.order = torch.empty(0, dtype=torch.int64)
        self.start = Start()
        self.memory = machine.restart_peak_memory(device)

    @property
    def done(self) -> int:
        return self.kept["done"]

    def begin(self) -> None:
        """Measure the network before its first step."""
        if self.run.minibatches:
            inputs, labels = self.data.train_inputs, self.data.train_labels
            self.start = measure(
                self.network, inputs, labels, self.run.minibatches, self.run.batch_size, self.generator
            )
        if self.probe:
            self.kept["probes"].append(self.probe(self.network))

    def advance(self, step: int) -> None:
        """Take one step, and look at the network where an epoch ends."""
        began = time.perf_counter()
        place = step % self.per_epoch
        if place == 0:
            self.network.train()
            self.order = torch.randperm(len(self.data.train_inputs), generator=self.generator)
        batch = self.order[place * self.run.batch_size :][: self.run.batch_size].to(self.device)
        inputs, labels = self.data.train_inputs[batch], self.data.train_labels[batch]
        if self.run.augment:
            inputs = shift_and_mirror(inputs, self.generator)
        if self.run.decay:
            self._set_rate(self.run.learning_rate * (1 - step / self.total))
        self.kept["loss"] = self.kept["loss"] + self.step(inputs, labels).double() * len(batch)
        self.kept["done"] = step + 1
        if place == self.per_epoch - 1:
            self.kept["losses"].append(float(self.kept["loss"]) / len(self.data.train_inputs))
            self.kept["loss"] = 0.0
            self.kept["accuracies"].append(_accuracy(self.network, self.data, self.run.precision))
            if self.probe:
                self.kept["probes"].append(self.probe(self.network))
        self.kept["seconds"] += time.perf_counter() - began

    def _set_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    def state(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "order": self.order,
            "start": vars(self.start),
            "kept": self.kept,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where that state was saved."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"].cpu())
        self.order, self.kept = state["order"].cpu(), state["kept"]
        self.start = Start(**state["start"])
        self.network.train()

    def record(self) -> Record:
        """What the finished run leaves behind."""
        return Record(
            self.run,
            tuple(self.kept["losses"]),
            tuple(self.kept["accuracies"]),
            self.kept["seconds"],
            tuple(self.kept["probes"]),
            self.start,
            max(0, machine.peak_memory(self.device) - self.memory),
            machine.describe(self.device),
        )


def shift_and_mirror(inputs: Tensor, generator: torch.Generator, most: int = 4) -> Tensor:
    """Each image shifted by up to ``most`` pixels, what lies beyond the border reflected, and mirrored or not."""
    count, _, height, width = inputs.shape
    down, right = torch.randint(2 * most + 1, (2, count, 1), generator=generator).to(inputs.device)
    mirrored = torch.randint(2, (count, 1), generator=generator).to(inputs.device)
    padded = nn.functional.pad(inputs, (most,) * 4, mode="reflect")
    rows = down + torch.arange(height, device=inputs.device)
    columns = torch.arange(width, device=inputs.device)
    columns = right + torch.where(mirrored == 1, width - 1 - columns, columns)
    every = torch.arange(count, device=inputs.device)[:, None, None]
    return padded.movedim(1, -1)[every, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


@torch.no_grad()
def _accuracy(network: nn.Module, data: Split, precision: str) -> float:
    network.eval()
    right = 0
    for inputs, labels in zip(data.test_inputs.split(TEST_BATCH), data.test_labels.split(TEST_BATCH), strict=True):
        with torch.autocast(inputs.device.type, torch.bfloat16, precision == "bfloat16"):
            right += (network(inputs).argmax(1) == labels).sum()
    return float(right) / len(data.test_labels)
