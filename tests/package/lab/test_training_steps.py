"""The step as a recorded graph: its book-keeping, on a stand-in for the graph, since no test machine has a GPU."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from shattered_lite.lab.training import _steps


class Recorder:
    """What a graph does, by computing again: it keeps the tensors of one step and refreshes the result in place."""

    def __init__(self, step: _steps.Step) -> None:
        self.step, self.tensors, self.replays, self.recording = step, [], 0, False

    def __call__(self, inputs: Tensor, labels: Tensor) -> Tensor:
        loss = self.step(inputs, labels)
        if self.recording:
            self.tensors = [inputs, labels, loss]
        return loss

    def replay(self) -> None:
        self.replays += 1
        inputs, labels, result = self.tensors
        result.copy_(self.step(inputs, labels))


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[_steps.Step], Recorder]:
    """Replace CUDA's streams and graphs; hand out the recorder that plays the graph."""

    def put(step: _steps.Step) -> Recorder:
        recorder = Recorder(step)
        stream = SimpleNamespace(wait_stream=lambda other: None)

        @contextlib.contextmanager
        def record(graph: Recorder) -> Iterator[None]:
            graph.recording = True
            yield
            graph.recording = False

        monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: recorder)
        monkeypatch.setattr(torch.cuda, "Stream", lambda: stream)
        monkeypatch.setattr(torch.cuda, "current_stream", lambda: stream)
        monkeypatch.setattr(torch.cuda, "stream", contextlib.nullcontext)
        monkeypatch.setattr(torch.cuda, "graph", record)
        return recorder

    return put


def start() -> tuple[nn.Sequential, torch.optim.Adam, list[tuple[Tensor, Tensor]]]:
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    for parameter in network.parameters():
        nn.init.normal_(parameter, generator=generator)
    batches = [
        (torch.randn(size, 5, generator=generator), torch.randint(3, (size,), generator=generator))
        for size in (16, 16, 16, 7, 16)
    ]
    return network, torch.optim.Adam(network.parameters(), lr=0.05), batches


@pytest.mark.parametrize("taken_before", [0, 2], ids=["from the start", "in the middle of a run"])
def test_recording_changes_nothing_that_is_trained(taken_before: int, stand_in: Callable) -> None:
    """Warming up moves weights, statistics and the optimiser's moments; all are put back before the first replay."""
    losses, weights = [], []
    for graphed in (False, True):
        network, optimizer, batches = start()
        step = _steps.plain_step(network, optimizer, "float32")
        for batch in batches[:taken_before]:
            step(*batch)
        if graphed:
            recorder = stand_in(step)
            step = _steps.graphed_step(recorder, network, optimizer)
        losses.append([step(*batch).tolist() for batch in batches])
        weights.append(torch.cat([tensor.detach().flatten().double() for tensor in network.state_dict().values()]))
    assert losses[0] == losses[1]
    assert torch.equal(weights[0][:-1], weights[1][:-1])
    assert recorder.replays == 4, "the batch of another size is not replayed"
