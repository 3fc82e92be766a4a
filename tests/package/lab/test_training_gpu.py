"""Training on a GPU: compiled, recorded as a graph, and yet the same run. Skipped where there is no GPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from shattered_lite.lab import grids
from shattered_lite.lab.training import Record, _steps, build, load, train
from shattered_lite.lab.training._loop import Training

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="There is no GPU on this machine.")
SMALL = {"depth": 9, "width": 8, "convolutional": True, "learning_rate": 1e-3, "batch_size": 200, "epochs": 1}


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("kind", grids.NETWORKS)
def test_the_recorded_step_is_the_plain_step(kind: str, optimizer: str) -> None:
    """In float64, so that only another computation can differ; the last batch is smaller and not replayed."""
    run = grids.NETWORKS[kind].run(**SMALL, optimizer=optimizer)
    losses, weights = [], []
    for recorded in (False, True):
        generator = torch.Generator().manual_seed(0)
        data = load(run, generator=generator)
        network = build(run, data, generator).double().cuda()
        updates = _steps.make_optimizer(run, network, torch.device("cuda"))
        forward = _steps.compile_blocks(network) if recorded else network
        step = _steps.plain_step(forward, updates, run.precision)
        step = _steps.graphed_step(step, network, updates) if recorded else step
        batches = zip(
            data.train_inputs.double().cuda().split(run.batch_size),
            data.train_labels.cuda().split(run.batch_size),
            strict=True,
        )
        losses.append([step(*batch)[0].item() for batch in batches])
        weights.append(torch.cat([parameter.detach().flatten() for parameter in network.parameters()]))
    assert len(losses[0]) == 8
    assert losses[1] == pytest.approx(losses[0], rel=1e-8)
    torch.testing.assert_close(weights[1], weights[0], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_it_learns_there_as_here(precision: str) -> None:
    run = grids.NETWORKS["looks linear"].run(**SMALL | {"epochs": 3}, precision=precision, minibatches=1)
    here, there = train(run), train(run, device="cuda")
    tolerance = 0.02 if precision == "bfloat16" else 1e-3
    assert there.losses == pytest.approx(here.losses, rel=tolerance)
    assert there.losses[-1] < here.losses[0]
    assert there.start.correlation == pytest.approx(here.start.correlation, rel=1e-3)
    assert there.peak_memory > 0
    assert "NVIDIA" in there.machine["device"]


def test_deterministic_runs_are_equal() -> None:
    run = grids.NETWORKS["plain, batch norm"].run(**SMALL | {"epochs": 2}, precision="bfloat16")

    def outcome() -> tuple:
        record = train(run, device="cuda", deterministic=True)
        return record.losses, record.accuracies

    assert outcome() == outcome()


def test_an_interrupted_run_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To rounding, since the graph is recorded anew."""
    run = replace(grids.NETWORKS["residual, beta 0.1"].run(**SMALL), epochs=2, decay=True)
    whole, advance = train(run, device="cuda"), Training.advance

    def stops(self: Training, step: int) -> None:
        if step == 10:
            raise KeyboardInterrupt
        advance(self, step)

    def part() -> Record:
        return train(run, device="cuda", checkpoint=tmp_path / "state.pt", checkpoint_seconds=0)

    monkeypatch.setattr(Training, "advance", stops)
    with pytest.raises(KeyboardInterrupt):
        part()
    monkeypatch.setattr(Training, "advance", advance)
    assert part().losses == pytest.approx(whole.losses, rel=1e-3)
