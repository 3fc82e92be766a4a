"""One run: decided by its configuration alone, able to learn, honest when it does not."""

from __future__ import annotations

import copy
import dataclasses
import math
import multiprocessing
import random
import resource
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from shattered_lite import structure, theory
from shattered_lite.lab import grids
from shattered_lite.lab.data import Split
from shattered_lite.lab.training import (
    Record,
    Run,
    Start,
    _checkpoint,
    _steps,
    _tests,
    build,
    load,
    prepare_worker,
    steps_tested,
    train,
)  # fmt: skip
from shattered_lite.lab.training._loop import Training, shift_and_mirror
from shattered_lite.sampling import input_gradients


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


def test_train_accuracies_are_of_the_same_outputs(blobs: Split) -> None:
    """With a vanishing step the share is that of the network at its start, also where batches are unequal."""
    run = dataclasses.replace(KINDS[0], learning_rate=1e-30, batch_size=50, epochs=2)
    network = build(run, blobs, torch.Generator().manual_seed(run.seed))
    right = (network(blobs.train_inputs).argmax(1) == blobs.train_labels).double().mean().item()
    assert 0 < right < 1
    assert train(run, blobs).train_accuracies == pytest.approx((right, right), rel=1e-12)
    assert train(KINDS[0], blobs).train_accuracies[-1] == 1


def normalised_by_hand(network: nn.Sequential, inputs: Tensor) -> Tensor:
    """Batch norm as its definition has it, with the mean and the biased variance of these inputs."""
    z = inputs
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            z = (z - z.mean(0)) / (z.var(0, correction=0) + module.eps).sqrt() * module.weight + module.bias
        elif isinstance(module, nn.Linear | nn.ReLU):
            z = module(z)
    return z


def test_batch_accuracies_use_the_statistics_of_the_test_images(blobs: Split) -> None:
    """Far from those that are averaged along training, so that the two accuracies differ."""
    moved = blobs._replace(test_inputs=3 * blobs.test_inputs + 10)
    seen = []
    record = train(KINDS[1], moved, probe=lambda network: seen.append(copy.deepcopy(network)) or 0.0)
    for network, share in zip(seen[1:], record.batch_accuracies, strict=True):
        outputs = normalised_by_hand(network, moved.test_inputs)
        assert share == pytest.approx((outputs.argmax(1) == moved.test_labels).double().mean().item(), rel=1e-6)
    assert record.batch_accuracies[-1] == 1
    assert record.accuracies[-1] < 0.9
    assert train(KINDS[0], blobs).batch_accuracies == ()


def test_a_test_with_batch_statistics_changes_nothing_and_has_no_batch_of_one(blobs: Split) -> None:
    many = blobs._replace(
        test_inputs=blobs.test_inputs.repeat(9, 1)[:501], test_labels=blobs.test_labels.repeat(9)[:501]
    )
    network = build(KINDS[1], many, torch.Generator().manual_seed(0))
    before, sizes = copy.deepcopy(network.state_dict()), []
    network[1][0].register_forward_hook(lambda module, inputs, output: sizes.append(len(output)))
    share = _tests.accuracy(network, many, "float32", batch_statistics=True)
    assert 0 < share < 1
    assert sizes == [251, 250]
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm1d)]
    assert all(norm.track_running_stats and not norm.training for norm in norms)
    with pytest.raises(ValueError, match="data: 1 test image, which has no statistics for batch norm"):
        train(KINDS[1], blobs._replace(test_inputs=blobs.test_inputs[:1], test_labels=blobs.test_labels[:1]))


def hardly_possible(data: Split) -> Split:
    """One test label wrong: no network that learns gets them all."""
    labels = data.test_labels.clone()
    labels[0] = (labels[0] + 1) % 3
    return data._replace(test_labels=labels)


def test_on_the_way_to_a_target_tests_are_denser_and_of_the_same_run(blobs: Split) -> None:
    """At the ends of epochs, of 9 steps here, both find the same; what is measured between averages to the same."""
    data, run = hardly_possible(blobs), dataclasses.replace(KINDS[1], epochs=6)
    whole, timed = train(run, data), train(dataclasses.replace(run, target=1.0), data)
    steps = [*range(1, 32), *range(32, 55, 2)]
    assert steps_tested(len(timed.accuracies)) == steps
    for epoch in (1, 2, 3, 4, 6):
        place = steps.index(9 * epoch)
        assert timed.accuracies[place] == whole.accuracies[epoch - 1]
        assert timed.batch_accuracies[place] == whole.batch_accuracies[epoch - 1]
    for of_timed, of_whole in ((timed.losses, whole.losses), (timed.train_accuracies, whole.train_accuracies)):
        assert sum(of_timed[:9]) / 9 == pytest.approx(of_whole[0], rel=1e-6)
        assert sum(2 * value for value in of_timed[-9:]) / 18 == pytest.approx(sum(of_whole[4:]) / 2, rel=1e-6)


def test_a_run_ends_at_its_target(blobs: Split) -> None:
    record = train(dataclasses.replace(KINDS[1], epochs=50, learning_rate=1e-3, target=1.0), blobs)
    *before, last = record.accuracies
    assert last == 1 > max(before)
    assert 1 < len(record.accuracies) < 50
    assert len(record.losses) == len(record.train_accuracies) == len(record.batch_accuracies) == len(record.accuracies)


def test_tested_steps_have_five_binary_digits() -> None:
    found = steps_tested(200)
    assert found == [steps for steps in range(1, found[-1] + 1) if len(f"{steps:b}".rstrip("0")) <= 5]
    assert max((b - a) / a for a, b in pairwise(found) if a >= 31) <= 1 / 16
    assert steps_tested(0) == []


def test_gradient_descent_has_momentum(blobs: Split) -> None:
    """Three steps by hand."""
    run = dataclasses.replace(KINDS[0], optimizer="sgd", epochs=3, batch_size=180, learning_rate=0.05)
    network = build(run, blobs, torch.Generator().manual_seed(run.seed)).double()
    velocities = [torch.zeros_like(weights) for weights in network.parameters()]
    losses = []
    for _ in range(3):
        loss = nn.functional.cross_entropy(network(blobs.train_inputs.double()), blobs.train_labels)
        losses.append(loss.item())
        gradients = torch.autograd.grad(loss, [*network.parameters()])
        with torch.no_grad():
            for weights, velocity, gradient in zip(network.parameters(), velocities, gradients, strict=True):
                velocity.mul_(0.9).add_(gradient)
                weights.sub_(0.05 * velocity)
    assert train(run, blobs).losses == pytest.approx(losses, rel=1e-5)


@pytest.mark.parametrize("convolutional", [False, True])
@pytest.mark.parametrize("kind", ["plain", "crelu", "linear"])
def test_a_gradient_is_scaled_on_its_way_back_and_the_signal_is_not(kind: str, convolutional: bool) -> None:
    run = Run(kind, 5, width=8, backward=0.5, convolutional=convolutional, images=20)
    found = []
    for each in (dataclasses.replace(run, backward=1.0), run):
        generator = torch.Generator().manual_seed(0)
        data = load(each, generator=generator)
        network = build(each, data, generator)
        inputs = data.train_inputs.clone().requires_grad_()
        outputs = network(inputs)
        found.append((outputs, torch.autograd.grad(outputs.square().sum(), inputs)[0]))
    (one, whole), (other, scaled) = found
    assert torch.equal(one, other)
    torch.testing.assert_close(scaled, 0.5**5 * whole, rtol=1e-6, atol=0)


def test_the_kept_gradient_is_kept_by_what_batch_norm_makes_it_grow() -> None:
    control = grids.CONTROLS["plain, backward kept"]
    assert control.backward**2 * theory.averages("relu").growth == pytest.approx(1, rel=1e-12)
    assert dataclasses.replace(control, backward=1.0) == grids.NETWORKS["plain, batch norm"]


@pytest.mark.parametrize(("initializer", "turn"), [("mirrored", 0.0), ("mirrored", 90.0), ("gaussian_mirrored", 0.0)])
def test_a_run_may_start_from_a_mirror(initializer: str, turn: float, blobs: Split) -> None:
    run = Run("crelu", 3, width=8, initializer=initializer, turn=turn)
    weight = build(run, blobs, torch.Generator().manual_seed(0))[2][1].weight
    first, second = weight.chunk(2, dim=1)
    assert torch.allclose(first, -second, atol=1e-6) == (turn == 0)
    assert torch.allclose(first @ first.mT, torch.eye(8), atol=1e-5) == (initializer == "mirrored")


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
        ({"kind": "resnet"}, r"kind='resnet': choose one of 'plain', 'residual', 'highway', 'crelu', 'linear'"),
        ({"kind": None}, r"kind=None: choose one of"),
        ({"beta": -0.1}, r"beta=-0\.1: a scale is 0 or more, and finite"),
        ({"beta": math.inf}, r"beta=inf: a scale is 0 or more, and finite"),
        ({"beta": math.nan}, r"beta=nan: a scale is 0 or more, and finite"),
        ({"beta": "one"}, r"beta='one': a scale is 0 or more, and finite"),
        ({"learning_rate": "1e-3"}, r"learning_rate='1e-3': a positive step"),
        ({"initializer": "xavier"}, r"initializer='xavier': choose one of 'he', 'orthogonal', 'looks_linear', 'mirr"),
        ({"optimizer": "lion"}, r"optimizer='lion': choose one of 'adam', 'sgd'"),
        ({"turn": 45}, r"turn=45: only a mirrored start is turned, not 'he'"),
        ({"turn": 200, "initializer": "mirrored"}, r"turn=200: an angle from 0 to 180 degrees"),
        ({"backward": 0}, r"backward=0: a scale is positive and finite"),
        ({"target": 0}, r"target=0: a share above 0 and up to 1, or None"),
        ({"target": 90}, r"target=90: a share above 0 and up to 1, or None"),
        ({"target": True}, r"target=True: a share above 0 and up to 1, or None"),
        ({"epochs": -1}, "epochs=-1: a whole number from 0"),
        ({"depth": 0}, "depth=0: a whole number from 1"),
        ({"images": 0}, r"images=0: .*1 or more, or None"),
        ({"data": "svhn"}, r"data='svhn': choose one of 'digits', 'mnist', 'cifar10'"),
        ({"precision": "float16"}, r"precision='float16': choose one of"),
        ({"batch_size": -1}, "batch_size=-1: a whole number from 1"),
        ({"epochs": 1.5}, r"epochs=1\.5: a whole number from 0"),
        ({"depth": True}, "depth=True: a whole number from 1"),
        ({"seed": 2**63}, "seed=9223372036854775808: a whole number from 0 to 9,223,372,036,854,775,807"),
        ({"cosines": 1}, "cosines=1: True or False"),
        ({"augment": True}, "augment=True: .*convolutional=True is needed"),
        ({"learning_rate": True}, "learning_rate=True: a positive step"),
        ({"learning_rate": 0}, r"learning_rate=0: a positive step"),
        ({"learning_rate": math.nan}, r"learning_rate=nan: a positive step"),
    ],
)
def test_wrong_configurations_are_named(wrong: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Run(**{"kind": "plain"} | SMALL | wrong)


def test_a_block_may_start_as_the_identity() -> None:
    assert Run("residual", depth=3, beta=0).beta == 0


@pytest.mark.parametrize(
    ("run", "message"),
    [
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


IMAGES = Run(
    "crelu", depth=4, width=4, initializer="looks_linear", epochs=2, batch_size=32, learning_rate=3e-3,
    convolutional=True, images=160, augment=True, decay=True, minibatches=2, cosines=True,
)  # fmt: skip


class Interrupted(Exception):
    pass


def interrupted_after(
    run: Run, steps: int, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, data: Split | None = None
) -> None:
    """A run that saves its state after every step and dies in the middle of the next."""
    optimizer = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[run.optimizer]
    step, taken = optimizer.step, []

    def dies(self, *arguments, **options):
        if len(taken) == steps:
            raise Interrupted
        taken.append(True)
        return step(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(optimizer, "step", dies)
        with pytest.raises(Interrupted):
            train(run, data, checkpoint=checkpoint, checkpoint_seconds=0)


def without_time(record: Record) -> Record:
    return dataclasses.replace(record, seconds=0.0, peak_memory=0, machine={})


@pytest.mark.parametrize("steps", [1, 3, 5, 8, 9])
def test_an_interrupted_run_goes_on_to_the_same_last_bit(
    steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first step, within an epoch, at its end, and at the last step but one."""
    run = dataclasses.replace(IMAGES, kind="plain", initializer="he", batch_norm=True)
    whole = train(run)
    interrupted_after(run, steps, tmp_path / "state.pt", monkeypatch)
    built = []
    continued = train(run, checkpoint=tmp_path / "state.pt", probe=lambda network: built.append(True) or 0.0)
    assert len(built) == run.epochs - steps // 5, "the epochs before the interruption were run again"
    assert without_time(dataclasses.replace(continued, probes=())) == without_time(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]


@pytest.mark.parametrize("steps", [1, 31, 35, 39])
def test_an_interrupted_run_with_a_target_goes_on_to_the_same_last_bit(
    steps: int, blobs: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a test, and between two, of which some do not fall on the end of an epoch."""
    run = dataclasses.replace(KINDS[1], optimizer="sgd", epochs=5, target=1.0)
    whole = train(run, hardly_possible(blobs))
    interrupted_after(run, steps, tmp_path / "state.pt", monkeypatch, hardly_possible(blobs))
    continued = train(run, hardly_possible(blobs), checkpoint=tmp_path / "state.pt")
    assert without_time(continued) == without_time(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]


TINY = Run("plain", depth=1, width=3, batch_norm=True, epochs=2, batch_size=90, learning_rate=1e-2)


def test_no_flipped_bit_gives_another_record(blobs: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One bit in every hundredth byte or so, wherever in the file that is, and in the first and last ones."""
    path, choice = tmp_path / "state.pt", random.Random(0)
    fresh = without_time(train(TINY, blobs))
    interrupted_after(TINY, 3, path, monkeypatch, blobs)
    content = path.read_bytes()
    places = {0, len(content) - 1, *(start + choice.randrange(100) for start in range(0, len(content) - 100, 100))}
    for place in places:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << choice.randrange(8)]) + content[place + 1 :])
        with pytest.warns(UserWarning, match="damaged, .* the run starts anew"):
            assert without_time(train(TINY, blobs, checkpoint=path)) == fresh
        (tmp_path / "state.pt.damaged1").unlink()


@pytest.mark.parametrize("damage", ["empty", "a few bytes", "cut", "longer", "noise", "other run", "other pickle"])
def test_a_checkpoint_that_cannot_be_used_is_set_aside(
    damage: str, blobs: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.pt"
    other = dataclasses.replace(TINY, seed=1) if damage == "other run" else TINY
    interrupted_after(other, 3, path, monkeypatch, blobs)
    content = path.read_bytes()
    changed = {
        "empty": b"",
        "a few bytes": content[:10],
        "cut": content[: len(content) // 2],
        "longer": content + b"more",
        "noise": b"?" * len(content),
    }
    if damage == "other pickle":  # what an older version wrote
        torch.save({"run": dataclasses.asdict(TINY), "progress": {}}, path)
    else:
        path.write_bytes(changed.get(damage, content))
    before = path.read_bytes()
    with pytest.warns(
        UserWarning, match=r"checkpoint=.*state\.pt: .* aside as state\.pt\.damaged1, and the run starts"
    ):
        record = train(TINY, blobs, checkpoint=path)
    assert without_time(record) == without_time(train(TINY, blobs))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"state.pt.damaged1": before}


def weight(state: dict, change: Callable[[Tensor], Tensor]) -> None:
    state["network"] |= {"0.weight": change(state["network"]["0.weight"])}


def moment(state: dict, change: Callable[[Tensor], Tensor]) -> None:
    state["moments"][0] |= {"exp_avg_sq": change(state["moments"][0]["exp_avg_sq"])}


FOREIGN = {
    "no order": lambda state: state.pop("order"),
    "another key": lambda state: state.update(colour=torch.zeros(1)),
    "a layer less": lambda state: state["network"].popitem(),
    "a layer more": lambda state: state["network"].update({"9.weight": torch.zeros(1)}),
    "a larger weight": lambda state: weight(state, lambda old: torch.zeros(7, 7)),
    "a weight of fewer bits": lambda state: weight(state, Tensor.half),
    "a smaller moment": lambda state: moment(state, lambda old: old[:1]),
    "a moment of more bits": lambda state: moment(state, Tensor.double),
    "a moment less": lambda state: state["moments"][0].pop("exp_avg"),
    "moments of another optimizer": lambda state: state["moments"].update({0: {"momentum_buffer": torch.zeros(1)}}),
    "moments of another parameter": lambda state: state["moments"].update({99: state["moments"][0]}),
    "no moments": lambda state: state.update(moments=3),
    "other images": lambda state: state.update(order=torch.arange(7)),
    "no generator": lambda state: state["generator"].fill_(255),
    "another start": lambda state: state["start"].update(colour=()),
    "more steps": lambda state: state["progress"].update(done=99),
    "no steps": lambda state: state["progress"].update(done="3"),
    "fewer losses": lambda state: state["progress"].update(losses=[]),
    "fewer train accuracies": lambda state: state["progress"].update(train_accuracies=[]),
    "no batch accuracies": lambda state: state["progress"].update(batch_accuracies=[]),
    "other accuracies": lambda state: state["progress"].update(accuracies=[0.5, 0.5]),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_of_a_foreign_state_nothing_gets_into_the_run(
    what: str, blobs: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole, and of this run by its own account; the network that is trained is the caller's."""
    path, save = tmp_path / "state.pt", _checkpoint.save

    def save_changed(path: Path, run: Run, device: torch.device, state: dict) -> None:
        state = copy.deepcopy(state) | {"given": state["given"] | {"network": "True"}}  # as the run below says
        FOREIGN[what](state)
        save(path, run, device, state)

    with monkeypatch.context() as patch:
        patch.setattr(_checkpoint, "save", save_changed)
        interrupted_after(TINY, 3, path, monkeypatch, blobs)
    network = build(TINY, blobs, torch.Generator().manual_seed(3))
    options = {"probe": lambda network: sum(value.double().sum().item() for value in network.state_dict().values())}
    fresh = train(TINY, blobs, network=copy.deepcopy(network), **options)
    with pytest.warns(UserWarning, match=r"does not fit this run; it is set aside as state\.pt\.damaged1"):
        record = train(TINY, blobs, network=network, checkpoint=path, **options)
    assert without_time(record) == without_time(fresh)
    assert [file.name for file in tmp_path.iterdir()] == ["state.pt.damaged1"]


@pytest.mark.parametrize(
    ("place", "name", "older"),
    [(_checkpoint, "version", lambda package: "0.0.1"), (torch, "__version__", "2.0.0")],
    ids=["the package", "PyTorch"],
)
def test_another_version_starts_anew(
    place: ModuleType, name: str, older: object, blobs: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record names one version of each, which made all of it."""
    with monkeypatch.context() as patch:
        patch.setattr(place, name, older)
        interrupted_after(TINY, 3, tmp_path / "state.pt", monkeypatch, blobs)
    with pytest.warns(UserWarning, match="belongs to another run, device or version; it is set aside"):
        record = train(TINY, blobs, checkpoint=tmp_path / "state.pt")
    assert without_time(record) == without_time(train(TINY, blobs))


def test_a_full_disk_leaves_the_last_checkpoint(blobs: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.pt"
    interrupted_after(TINY, 3, path, monkeypatch, blobs)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))  # the disk is full, says the operating system
    try:
        with pytest.raises(OSError, match=r"not written: .*: '.*state\.pt'"):
            train(TINY, blobs, checkpoint=path, checkpoint_seconds=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"state.pt": before}


@pytest.mark.parametrize("device", ["cuda:99", "mps:99", "xla", "", "banana", "meta", None])
def test_a_device_that_is_not_there_is_named(device: str, blobs: Split, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"device={device!r}: PyTorch does not find it .*; choose one of 'cpu'"):
        train(TINY, blobs, device=device, checkpoint=tmp_path / "state.pt", checkpoint_seconds=0)
    assert list(tmp_path.iterdir()) == []


def test_no_warning_where_there_is_no_checkpoint(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(dataclasses.replace(IMAGES, epochs=0, minibatches=0), checkpoint=tmp_path / "state.pt")


def test_a_checkpoint_never_runs_code(blobs: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one whose checksum is right."""

    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "owned",))

    path, save = tmp_path / "state.pt", _checkpoint.save
    with monkeypatch.context() as patch:
        patch.setattr(_checkpoint, "save", lambda *place: save(*place[:-1], place[-1] | {"order": Evil()}))
        interrupted_after(TINY, 1, path, monkeypatch, blobs)
    with pytest.warns(UserWarning, match=r"no checkpoint \(UnpicklingError\); .* starts anew"):
        record = train(TINY, blobs, checkpoint=path)
    assert without_time(record) == without_time(train(TINY, blobs))
    assert [file.name for file in tmp_path.iterdir()] == ["state.pt.damaged1"]


def test_the_start_is_measured_before_training() -> None:
    """By hand: the same draws of the same generator, the measures of ``structure``."""
    start = train(dataclasses.replace(IMAGES, epochs=0)).start
    generator = torch.Generator().manual_seed(IMAGES.seed)
    data = load(IMAGES, generator=generator)
    network = build(IMAGES, data, generator).double()
    for batch in range(2):
        chosen = torch.randperm(160, generator=generator)[:32]
        gradients = input_gradients(network, data.train_inputs[chosen].double(), generator=generator)
        across, alone = structure.pair_moments(gradients)
        assert start.correlation[batch] == pytest.approx((across / alone).item(), rel=1e-9)
        assert start.mean_gradient_norm[batch] == pytest.approx(
            structure.mean_gradient_norm(gradients).item(), rel=1e-9
        )
    assert start.correlation == pytest.approx((1, 1), abs=1e-4)  # it looks linear
    assert start.effective_rank == pytest.approx((1, 1), abs=1e-4)
    assert start.cosines == pytest.approx([1] * (24 * 23 // 2), abs=2e-3)
    assert train(dataclasses.replace(IMAGES, epochs=0, minibatches=0)).start == Start()
    less = train(dataclasses.replace(IMAGES, epochs=0, cosines=False)).start
    assert less == dataclasses.replace(start, cosines=(), machine=less.machine)


def test_cosines_are_those_of_the_map() -> None:
    """Their mean is the correlation of directions, over the images shown."""
    run = dataclasses.replace(IMAGES, kind="plain", initializer="he", epochs=0, minibatches=1, batch_size=24)
    start = train(run).start
    assert len(start.cosines) == 24 * 23 // 2
    rank = start.effective_rank_of_directions[0]
    matrix = torch.eye(24, dtype=torch.float64)
    rows, columns = torch.triu_indices(24, 24, offset=1)
    matrix[rows, columns] = matrix[columns, rows] = torch.tensor(start.cosines, dtype=torch.float64)
    assert 24 / torch.linalg.eigvalsh(matrix)[-1].item() == pytest.approx(rank, rel=2e-2)  # they are rounded


def test_images_are_those_that_the_run_asks_for() -> None:
    generator = torch.Generator().manual_seed(0)
    assert [len(part) for part in load(IMAGES, generator=generator)] == [160, 160, 160, 160]
    assert load(IMAGES, generator=generator).train_inputs.shape[1:] == (1, 8, 8)
    flat = load(dataclasses.replace(IMAGES, convolutional=False, augment=False, images=None), generator=generator)
    assert flat.train_inputs.shape == (1438, 64)
    held_out = load(dataclasses.replace(IMAGES, images=None, held_out=True), generator=torch.Generator().manual_seed(0))
    everything = load(dataclasses.replace(IMAGES, images=None), generator=torch.Generator().manual_seed(0))
    assert len(held_out.train_inputs) + len(held_out.test_inputs) == len(everything.train_inputs)
    kept_back = {tuple(image.flatten().tolist()) for image in everything.test_inputs}
    seen = {tuple(image.flatten().tolist()) for part in held_out[::2] for image in part}
    assert not kept_back & seen
    with pytest.raises(ValueError, match="images=2000: there are 1438 training images"):
        load(dataclasses.replace(IMAGES, images=2000), generator=generator)


def test_augmentation_shifts_and_mirrors() -> None:
    """Each image is one of the 162 that shifting and mirroring by hand can make, and they differ."""
    images = torch.randn(3, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    made = shift_and_mirror(images.repeat(40, 1, 1, 1), torch.Generator().manual_seed(1))
    padded = torch.nn.functional.pad(images, (4,) * 4, mode="reflect")
    windows = padded.unfold(2, 8, 1).unfold(3, 8, 1).permute(0, 2, 3, 1, 4, 5).flatten(1, 2)
    possible = torch.cat([windows, windows.flip(-1)], dim=1)
    found = (made.view(40, 3, 1, 2, 8, 8) == possible).flatten(3).all(-1)
    assert found.any(-1).all()
    assert len(set(found.int().argmax(-1)[:, 0].tolist())) > 20


def test_decay_ends_with_a_step_of_almost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rates, step = [], torch.optim.Adam.step

    def notes(self, *arguments, **options):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *arguments, **options)

    monkeypatch.setattr(torch.optim.Adam, "step", notes)
    train(IMAGES)
    assert rates == pytest.approx([3e-3 * (1 - step / 10) for step in range(10)])


@pytest.mark.parametrize("kind", grids.NETWORKS)
def test_compiled_layers_take_the_same_step(kind: str) -> None:
    """Compiled, but not to machine code, which would need a compiler on this machine: what would be is kept."""
    run = grids.NETWORKS[kind].run(depth=9, width=4, convolutional=True, learning_rate=1e-2)
    graphs = []

    def keep(graph: torch.fx.GraphModule, _: list) -> torch.fx.GraphModule:
        graphs.append({getattr(node.target, "__name__", "") for node in graph.graph.nodes})
        return graph

    losses = []
    torch.compiler.reset()
    for compiled in (False, True):
        generator = torch.Generator().manual_seed(0)
        data = load(run, generator=generator)
        network = build(run, data, generator)
        optimizer = torch.optim.Adam(network.parameters(), lr=run.learning_rate)
        forward = _steps.compile_blocks(network, backend=keep) if compiled else network
        step = _steps.plain_step(forward, optimizer, "float32")
        losses.append([step(data.train_inputs[:32], data.train_labels[:32])[0].item() for _ in range(5)])
    assert losses[0][-1] != losses[0][0]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert len(graphs) == 6, "one for the stem, one for the layers of each stage, one behind each fold"
    assert all("conv2d" in graph for graph in graphs), "whole layers"


def test_half_precision_keeps_whole_weights() -> None:
    run = dataclasses.replace(IMAGES, precision="bfloat16", epochs=1)
    seen = []
    half = train(run, probe=lambda network: seen.append(network[0][0].weight.dtype) or 0.0)
    whole = train(dataclasses.replace(run, precision="float32"))
    assert set(seen) == {torch.float32}
    assert half.losses != whole.losses
    assert half.losses == pytest.approx(whole.losses, rel=0.02)


def test_a_record_says_where_it_was_made() -> None:
    record = train(dataclasses.replace(IMAGES, epochs=1))
    assert set(record.machine) == {"device", "torch", "python", "shattered_lite", "commit", "date"}
    assert all(record.machine.values())
    assert record.machine["torch"] == torch.__version__
    assert "1 thread" in record.machine["device"]


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux says what memory was in use")
def test_peak_memory_is_that_of_the_run() -> None:
    """A wide network needs at least its weights, their gradients and two moments; the next, narrow one does not."""
    wide = dataclasses.replace(IMAGES, width=96, epochs=1, minibatches=0, images=40)
    weights = sum(
        p.numel() for p in build(wide, load(wide, generator=torch.Generator()), torch.Generator()).parameters()
    )
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:  # a process that keeps no freed memory
        first = pool.submit(train, wide).result().peak_memory
        second = pool.submit(train, dataclasses.replace(wide, width=4)).result().peak_memory
    assert first > 3 * 4 * weights
    assert second < first / 3


def test_deterministic_algorithms_are_put_back() -> None:
    seen = []
    run = dataclasses.replace(IMAGES, epochs=1)
    record = train(
        run, probe=lambda _: seen.append(torch.are_deterministic_algorithms_enabled()) or 0.0, deterministic=True
    )
    assert seen == [True, True]
    assert not torch.are_deterministic_algorithms_enabled()
    assert record.losses == train(run).losses


def test_a_checkpoint_of_other_data_or_of_a_given_network_is_set_aside(tmp_path: Path) -> None:
    """Neither is in the configuration, and either would give another record."""
    run = dataclasses.replace(IMAGES, minibatches=0)
    expected = train(run)
    data = load(run, generator=torch.Generator().manual_seed(5))
    network = build(run, data, torch.Generator().manual_seed(6))
    for number, other in enumerate(({"data": data}, {"network": network}), start=1):
        place = tmp_path / f"{number}.pt"
        interrupted = Training(run, **other, device=torch.device("cpu"))
        interrupted.advance(0)
        _checkpoint.save(place, run, torch.device("cpu"), interrupted.state())
        with pytest.warns(UserWarning, match="other data, or of a network that was not given; it is set aside"):
            found = train(run, checkpoint=place)
        assert (found.losses, found.accuracies) == (expected.losses, expected.accuracies)


def test_a_last_batch_of_one_image_has_no_statistics() -> None:
    run = dataclasses.replace(IMAGES, kind="plain", initializer="he", batch_norm=True, images=65, batch_size=64)
    with pytest.raises(ValueError, match="batch_size=64: of 65 training images the last batch has 1"):
        train(run)


@pytest.mark.parametrize(
    "wrong", [{"batch_norm": "yes"}, {"held_out": 1}, {"images": True}, {"beta": True}, {"seed": 2**63}]
)
def test_a_run_names_what_cannot_be(wrong: dict) -> None:
    [(name, value)] = wrong.items()
    with pytest.raises(ValueError, match=f"{name}={value!r}: "):
        Run("plain", 2, **wrong)
