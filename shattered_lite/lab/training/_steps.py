"""One training step: as it is, or compiled and recorded as a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ._configuration import Run

Step = Callable[[Tensor, Tensor], Tensor]
MOMENTUM = 0.9  # of gradient descent
WARM_UP = 3  # steps before a graph is recorded, so that memory is laid out and kernels are chosen


def plain_step(network: Callable[[Tensor], Tensor], optimizer: torch.optim.Optimizer, precision: str) -> Step:
    """A step of gradient descent on cross-entropy.

    It returns the loss, in nats, and the number of right answers, each summed over the images of the step.
    """

    def step(inputs: Tensor, labels: Tensor) -> Tensor:
        optimizer.zero_grad()
        # Casts of weights are not kept from step to step: a recorded graph must not hold on to an old one.
        with torch.autocast(inputs.device.type, torch.bfloat16, precision == "bfloat16", cache_enabled=False):
            outputs = network(inputs)
        loss = nn.functional.cross_entropy(outputs.float(), labels)
        loss.backward()
        optimizer.step()
        return torch.stack([loss.detach().double() * len(labels), (outputs.argmax(1) == labels).sum().double()])

    return step


def make_optimizer(run: Run, network: nn.Module, device: torch.device) -> torch.optim.Optimizer:
    """That of a run, in a form that a CUDA graph can record, where the step size is a tensor."""
    on_gpu = device.type == "cuda"
    rate = torch.tensor(run.learning_rate, device=device) if on_gpu else run.learning_rate
    if run.optimizer == "sgd":
        return torch.optim.SGD(network.parameters(), lr=rate, momentum=MOMENTUM, fused=True)
    return torch.optim.Adam(network.parameters(), lr=rate, fused=True, capturable=on_gpu)


def compile_blocks(network: nn.Sequential, backend: str = "inductor") -> Callable[[Tensor], Tensor]:
    """The network as a function whose layers are compiled one by one.

    Equal layers share one result, where a whole deep network would take minutes.
    """
    torch._dynamo.config.cache_size_limit = 256  # a process trains many networks, of several stages and gates each

    def call(block: nn.Module, inputs: Tensor) -> Tensor:
        outputs: Tensor = block(inputs)
        return outputs

    # A function around the layer, since PyTorch compiles nothing where it is given an nn.Sequential's own call.
    compiled = torch.compile(call, backend=backend, dynamic=False)

    def forward(inputs: Tensor) -> Tensor:
        for block in network:
            inputs = compiled(block, inputs) if any(True for _ in block.children()) else block(inputs)
        return inputs

    return forward


def graphed_step(step: Step, network: nn.Module, optimizer: torch.optim.Optimizer) -> Step:
    """The same step, recorded as a CUDA graph at the first batch and replayed for all batches of that size.

    A thin deep network spends its time on launching thousands of small kernels; a replay launches them at once.
    """
    static: list[Tensor] = []
    graph = torch.cuda.CUDAGraph()

    def record(inputs: Tensor, labels: Tensor) -> None:
        weights = [*network.parameters(), *network.buffers()]
        before = [tensor.detach().clone() for tensor in weights]
        known = {tensor: tensor.clone() for tensor in _moments(optimizer)}
        static.extend([inputs.clone(), labels.clone()])
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                step(*static)
        torch.cuda.current_stream().wait_stream(aside)
        optimizer.zero_grad()
        with torch.cuda.graph(graph):
            static.append(step(*static))
        with torch.no_grad():  # recording runs nothing, but warming up did
            for tensor, old in zip(weights, before, strict=True):
                tensor.copy_(old)
            for tensor in _moments(optimizer):
                tensor.copy_(known.get(tensor, torch.zeros_like(tensor)))

    def replay(inputs: Tensor, labels: Tensor) -> Tensor:
        if not static:
            record(inputs, labels)
        if inputs.shape != static[0].shape:
            return step(inputs, labels)
        static[0].copy_(inputs)
        static[1].copy_(labels)
        graph.replay()
        return static[2].clone()

    return replay


def _moments(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """The tensors that the optimizer keeps: none before its first step."""
    return [value for state in optimizer.state.values() for value in state.values()]
