"""One run: decided by its configuration alone, able to learn, honest when it does not."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import nn

from shattered_lite.data import Split
from shattered_lite.training import Run, build, prepare_worker, train


@pytest.fixture(scope="module")
def blobs() -> Split:
    """Three clouds in the plane, far apart: anything that learns gets them right."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(240) % 3
    centres = torch.tensor([[3.0, 0.0], [-3.0, 3.0], [0.0, -3.0]])
    inputs = centres[labels] + 0.3 * torch.randn(240, 2, generator=generator)
    return Split(inputs[:180], labels[:180], inputs[180:], labels[180:])


SMALL = {"depth": 3, "width": 16, "epochs": 3, "batch_size": 20, "learning_rate": 1e-2}
KINDS = [
    Run("plain", **SMALL),
    Run("plain", batch_norm=True, **SMALL),
    Run("residual", beta=0.3, initializer="orthogonal", **SMALL),
    Run("crelu", initializer="looks_linear", **SMALL),
    Run("linear", initializer="orthogonal", **SMALL),
]


@pytest.mark.parametrize("run", KINDS, ids=lambda run: run.kind)
def test_it_learns_what_is_easy(run: Run, blobs: Split) -> None:
    record = train(run, blobs)
    assert len(record.losses) == len(record.accuracies) == run.epochs
    assert record.run is run
    assert record.seconds > 0
    assert record.losses[-1] < record.losses[0]
    assert record.accuracies[-1] == 1.0


def outcome(run: Run, data: Split) -> tuple:
    record = train(run, data)
    return record.losses, record.accuracies


def test_the_configuration_decides(blobs: Split) -> None:
    """Not the global generator, whatever its state; and another seed is another run."""
    state = torch.get_rng_state()
    torch.manual_seed(1)
    first = outcome(KINDS[0], blobs)
    torch.manual_seed(2)
    assert outcome(KINDS[0], blobs) == first
    assert outcome(dataclasses.replace(KINDS[0], seed=1), blobs) != first
    torch.set_rng_state(state)


def test_labels_without_meaning_are_not_learnt(blobs: Split) -> None:
    """Test labels shuffled: accuracy is binomial around one third, at one in 10,000."""
    order = torch.randperm(60, generator=torch.Generator().manual_seed(3))
    shuffled = blobs._replace(test_labels=blobs.test_labels[order])
    share = train(KINDS[0], shuffled).accuracies[-1]
    assert abs(share - 1 / 3) < 3.9 * math.sqrt(2 / 9 / 60)


def test_a_run_that_diverges_says_so(blobs: Split) -> None:
    poisoned = blobs._replace(train_inputs=blobs.train_inputs * math.inf)
    assert all(math.isnan(loss) for loss in train(KINDS[0], poisoned).losses)


def test_losses_are_means_over_images(blobs: Split) -> None:
    """With a vanishing step nothing changes: each epoch's loss is that of the network at its start."""
    run = dataclasses.replace(KINDS[0], learning_rate=1e-30, batch_size=50, epochs=2)
    network = build(run, blobs, torch.Generator().manual_seed(run.seed))
    expected = nn.functional.cross_entropy(network(blobs.train_inputs), blobs.train_labels).item()
    record = train(run, blobs)
    assert record.losses == pytest.approx((expected, expected), rel=1e-5)
    right = (network(blobs.test_inputs).argmax(1) == blobs.test_labels).float().mean().item()
    assert record.accuracies == pytest.approx((right, right))


def test_the_probe_sees_every_epoch(blobs: Split) -> None:
    record = train(KINDS[0], blobs, probe=lambda network: network[0].weight.detach().norm().item())
    assert len(record.probes) == KINDS[0].epochs + 1
    assert len(set(record.probes)) == len(record.probes)
    start = build(KINDS[0], blobs, torch.Generator().manual_seed(0))
    assert record.probes[0] == start[0].weight.detach().norm().item()
    assert train(KINDS[0], blobs).probes == ()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"initializer": "xavier"}, r"initializer='xavier': choose one of 'he', 'orthogonal', 'looks_linear'"),
        ({"epochs": 0}, r"epochs=0: .*1 or more"),
        ({"batch_size": -1}, r"batch_size=-1: .*1 or more"),
        ({"epochs": 1.5}, r"epochs=1\.5: .*1 or more"),
        ({"learning_rate": 0}, r"learning_rate=0: a positive step"),
        ({"learning_rate": math.nan}, r"learning_rate=nan: a positive step"),
    ],
)
def test_wrong_configurations_are_named(wrong: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Run("plain", **SMALL | wrong)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (Run("resnet", depth=2), "kind='resnet': choose one of"),
        (Run("plain", depth=0), "depth=0: a whole number"),
        (Run("plain", depth=2, initializer="looks_linear"), "module: no CReLU"),
        (Run("crelu", depth=2, batch_norm=True, initializer="looks_linear"), "BatchNorm1d, which is not linear"),
    ],
)
def test_what_networks_and_initializers_refuse_is_passed_on(run: Run, message: str, blobs: Split) -> None:
    with pytest.raises(ValueError, match=message):
        train(run, blobs)


def test_a_given_network_is_trained_in_place_and_probed(blobs: Split) -> None:
    run = Run(kind="plain", depth=1, width=8, epochs=2, learning_rate=0.05)
    network = build(run, blobs, torch.Generator().manual_seed(5))
    before = network[0].weight.detach().clone()
    record = train(run, blobs, network=network, probe=lambda net: net[0].weight.abs().sum().item())
    assert record.probes[0] == pytest.approx(before.abs().sum().item())
    assert record.probes[-1] == network[0].weight.abs().sum().item() != record.probes[0]
    assert len(record.probes) == 1 + run.epochs


def test_a_worker_uses_one_thread_and_no_denormal_numbers() -> None:
    threads, smallest = torch.get_num_threads(), torch.tensor([1e-40])
    try:
        assert (smallest * 0.5).item() > 0
        prepare_worker()
        assert torch.get_num_threads() == 1
        assert (smallest * 0.5).item() == 0
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)
