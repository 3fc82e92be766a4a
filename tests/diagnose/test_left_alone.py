"""A diagnosis leaves network, inputs and torch as they were."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from reading import IMAGES, ROWS, agrees, busy_network, diagnosed, perceptron, seeded
from torch import Tensor, nn
from torch.nn.modules import module as torch_module

import shattered_lite as sl

GLOBAL = (
    "_global_forward_hooks", "_global_forward_pre_hooks", "_global_backward_hooks", "_global_backward_pre_hooks",
    "_global_forward_hooks_always_called", "_global_forward_hooks_with_kwargs", "_global_module_registration_hooks",
    "_global_parameter_registration_hooks", "_global_buffer_registration_hooks",
)  # fmt: skip
OWN = (
    "_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks", "_forward_hooks_always_called",
    "_forward_hooks_with_kwargs", "_forward_pre_hooks_with_kwargs", "_state_dict_hooks",
)  # fmt: skip


def state_of(network: nn.Module) -> dict[str, object]:
    """All that a diagnosis could leave behind; tensors as lists, so that == compares them."""
    parameters = dict(network.named_parameters(remove_duplicate=False))
    return {
        "values": {name: tensor.tolist() for name, tensor in network.state_dict().items()},
        "places": {name: id(tensor) for name, tensor in network.named_buffers()}
        | {k: id(v) for k, v in parameters.items()},
        "requires_grad": {name: parameter.requires_grad for name, parameter in parameters.items()},
        "grad": {
            name: None if each.grad is None else (id(each.grad), each.grad.tolist())
            for name, each in parameters.items()
        },
        "tensor hooks": {name: dict(each._backward_hooks or {}) for name, each in parameters.items()},
        "modes": [module.training for module in network.modules()],
        "attributes": [sorted(vars(module)) for module in network.modules()],
        "hooks": [[dict(getattr(module, name)) for name in OWN] for module in network.modules()],
        "global hooks": [dict(getattr(torch_module, name)) for name in GLOBAL],
        "random": torch.get_rng_state().tolist(),
        "default type": torch.get_default_dtype(),
        "grad enabled": torch.is_grad_enabled(),
        "modes of torch": len(torch.overrides._get_current_function_mode_stack()),
        "saved tensors": torch._C._autograd._saved_tensors_hooks_is_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "cudnn": torch.backends.cudnn.enabled,
        "threads": torch.get_num_threads(),
    }


@pytest.mark.parametrize("training", [True, False])
def test_nothing_is_changed(training: bool) -> None:
    network, inputs, generator = busy_network(), IMAGES.clone().requires_grad_(), seeded(1)
    if not training:
        network.eval()
    inputs.grad = torch.ones_like(inputs)
    handle = torch_module.register_module_forward_hook(lambda *_: None)
    before = state_of(network)
    sl.diagnose(network, inputs, torch.tensor([0, 1, 2, 0, 1, 2]), generator=generator)
    after = state_of(network)
    handle.remove()
    assert before["grad"]["1.weight"] is not None
    for name, was in before.items():
        assert after[name] == was, name
    assert torch.equal(inputs, IMAGES)
    assert inputs.requires_grad
    assert inputs.grad_fn is None
    assert torch.equal(inputs.grad, torch.ones_like(inputs))
    assert not inputs._backward_hooks


class Counting(nn.Module):
    """Its forward writes in plain attributes, old ones and new."""

    def __init__(self) -> None:
        super().__init__()
        self.calls, self.seen, self.sizes, self.layer = 0, [], {"last": 0}, nn.Linear(7, 3)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.seen.append(x)
        self.sizes["last"] = len(x)
        self.cache = self.layer(x)
        return self.cache.relu()


def test_what_a_forward_writes_in_plain_attributes_is_as_before() -> None:
    network = Counting()
    seen, sizes = network.seen, network.sizes
    diagnosed(network, ROWS)
    sl.input_gradients(network, ROWS)
    assert network.seen is seen
    assert network.sizes is sizes
    assert (network.calls, seen, sizes, hasattr(network, "cache")) == (0, [], {"last": 0}, False)
    network(ROWS)
    sl.diagnose(network, ROWS)
    assert (network.calls, len(seen), sizes, len(network.cache)) == (1, 1, {"last": 8}, 8)


class Failing(nn.Module):
    """Breaks at one of its calls: at the first, none of it has been seen yet; at a later one all is under way."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at, self.calls = at, 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.calls == self.at:
            raise RuntimeError("broken")
        return x


@pytest.mark.parametrize("at", [1, 2, 3])
def test_nothing_is_changed_by_a_network_that_fails(at: int) -> None:
    network = busy_network().append(nn.Sequential(Failing(at)))
    before = state_of(network)
    with pytest.raises((RuntimeError, ValueError), match="broken"):
        sl.diagnose(network, IMAGES, generator=seeded(1))
    after = state_of(network)
    for name, was in before.items():
        assert after[name] == was, name


def test_nothing_is_changed_by_a_refusal() -> None:
    network = busy_network()
    before = state_of(network)
    with pytest.raises(ValueError, match="targets"):
        sl.diagnose(network, IMAGES, torch.tensor([0, 1, 2, 0, 1, 7]), generator=seeded(1))
    with pytest.raises(ValueError, match="output"):
        sl.diagnose(network, IMAGES, output="scores", generator=seeded(1))
    after = state_of(network)
    for name, was in before.items():
        assert after[name] == was, name


def test_gradients_of_a_loose_tensor_stay() -> None:
    """Some networks hold tensors that are no parameters and yet learn, such as prompts in a list."""

    class Prompted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.prompts = nn.Linear(7, 3), [torch.ones(7, requires_grad=True)]

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(x + self.prompts[0])

    network = Prompted()
    agrees(network, ROWS)
    assert network.prompts[0].grad is None
    assert network.prompts[0].requires_grad


def test_a_backward_pass_that_is_still_to_come_is_not_broken() -> None:
    network = nn.Sequential(nn.Linear(7, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3))
    loss = network(ROWS).square().mean()
    sl.diagnose(network, ROWS, generator=seeded(1))
    loss.backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_without_a_generator_torchs_own_decides_and_stays() -> None:
    network = perceptron(7, 6, 3)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    one, again = (sl.diagnose(network, ROWS).to_dict() for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert one == again
    torch.manual_seed(4)
    assert sl.diagnose(network, ROWS).to_dict() != one


def test_only_the_generator_decides() -> None:
    network = perceptron(7, 6, 3)
    same = [diagnosed(network, ROWS, generator=seeded(7)).to_dict() for _ in range(2)]
    torch.manual_seed(5)
    same.append(diagnosed(network, ROWS, generator=seeded(7)).to_dict())
    assert same[0] == same[1] == same[2]
    assert diagnosed(network, ROWS, generator=seeded(8)).to_dict() != same[0]


@pytest.mark.parametrize("surroundings", [torch.no_grad, torch.inference_mode])
def test_surroundings_do_not_matter(surroundings: Callable[[], object]) -> None:
    network = perceptron(7, 6, 3)
    wanted = diagnosed(network, ROWS).to_dict()
    with surroundings():
        assert sl.diagnose(network, ROWS.clone(), generator=seeded(9)).to_dict() == wanted


def test_autocast_is_off_and_a_note_says_so() -> None:
    network = perceptron(7, 6, 3)
    wanted = diagnosed(network, ROWS)
    assert not wanted.notes
    with torch.autocast("cpu", torch.bfloat16):
        found = diagnosed(network, ROWS)
        assert torch.is_autocast_enabled("cpu")
    assert found.layers == wanted.layers or found.to_dict()["layers"] == wanted.to_dict()["layers"]
    assert [note for note in found.notes if "utocast" in note]


def test_hooks_of_others_go_on() -> None:
    network, seen = perceptron(7, 6, 3), []
    network[1].register_forward_hook(lambda module, arguments, output: seen.append(type(output)))
    agrees(network, ROWS)
    assert set(seen) == {Tensor}


@pytest.mark.parametrize("place", [0, 1, None])
def test_a_full_backward_hook_of_others_is_no_obstacle(place: int | None) -> None:
    network, seen = perceptron(7, 6, 3), []
    wanted = diagnosed(network, ROWS).layers[0].gradient
    module = network if place is None else network[place]
    module.register_full_backward_hook(lambda *_: seen.append(1))
    assert diagnosed(network, ROWS).layers[0].gradient == pytest.approx(wanted)
