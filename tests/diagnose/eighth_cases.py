"""Networks as competent people build them, which train, and twenty that don't, for ordinary reasons; written by someone
who had not seen how the diagnosis works.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from healthy import CLASSES, VOCABULARY, Case, _timm, images, made, rows, sequences, tokens
from sick import Sick
from torch import Tensor, nn

Batch = Callable[[int], tuple[Tensor, Tensor]]


def _generator(seed: int) -> torch.Generator:
    """A generator of random numbers of its own."""
    return torch.Generator().manual_seed(seed)


def _plain(layer: nn.Module, x: Tensor) -> Tensor:
    """What a layer gives, typed."""
    out: Tensor = layer(x)
    return out


def _train(model: nn.Module, batch: tuple[Tensor, Tensor], steps: int, rate: float) -> None:
    """Train a classifier by Adam for some steps on one batch."""
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], rate)
    inputs, targets = batch
    for _ in range(steps):
        optimiser.zero_grad()
        scores = model(inputs)
        F.cross_entropy(scores.flatten(0, -2), targets.flatten()).backward()
        optimiser.step()


# ---------------------------------------------------------------------------------------------------- healthy networks


class Hourglass(nn.Module):
    """An hourglass with residual blocks, which draws a heat map for each joint."""

    def __init__(self, width: int = 24, joints: int = 4, depth: int = 3) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())
        self.down = nn.ModuleList(_PreActivated(width) for _ in range(depth))
        self.beside = nn.ModuleList(_PreActivated(width) for _ in range(depth))
        self.up = nn.ModuleList(_PreActivated(width) for _ in range(depth))
        self.head = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, joints, 1))

    def forward(self, x: Tensor) -> Tensor:
        """The heat maps of the joints."""
        x = self.stem(x)
        kept = []
        for down, beside in zip(self.down, self.beside, strict=True):
            kept.append(beside(x))
            x = down(F.max_pool2d(x, 2))
        for up in self.up:
            x = kept.pop() + F.interpolate(up(x), scale_factor=2.0, mode="nearest")
        return _plain(self.head, x)


class _PreActivated(nn.Module):
    """A residual block whose norms and activations come first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width // 2, 1, bias=False),
            nn.BatchNorm2d(width // 2),
            nn.ReLU(),
            nn.Conv2d(width // 2, width, 3, padding=1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + _plain(self.branch, x)


def _people(seed: int, batch: int = 16, size: int = 32, joints: int = 4) -> tuple[Tensor, Tensor]:
    """Images of coloured spots, one for each joint, and a heat map of where each is."""
    generator = _generator(seed)
    colours = torch.randn(joints, 3, generator=_generator(0))
    places = 4 + (size - 8) * torch.rand(batch, joints, 2, generator=generator)
    axis = torch.arange(size).float()
    down = (axis[None, None, :, None] - places[..., 0, None, None]) ** 2
    across = (axis[None, None, None, :] - places[..., 1, None, None]) ** 2
    maps = torch.exp(-(down + across) / 8)
    noise = torch.randn(batch, 3, size, size, generator=generator)
    return torch.einsum("bjhw,jc->bchw", maps, colours) + 0.2 * noise, maps


def hourglass(seed: int) -> Case:
    """An hourglass network that finds the joints of a body as heat maps."""
    return made(seed, Hourglass, _people(seed))


class RetentiveNetwork(nn.Module):
    """A language model whose heads keep the past with fixed decays, instead of attention."""

    def __init__(self, width: int = 64, heads: int = 4, layers: int = 3) -> None:
        super().__init__()
        self.heads = heads
        self.token = nn.Embedding(VOCABULARY, width)
        nn.init.normal_(self.token.weight, std=0.5)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 * layers))
        self.mixed = nn.ModuleList(nn.Linear(width, 4 * width, bias=False) for _ in range(layers))
        self.groups = nn.ModuleList(nn.GroupNorm(heads, width, affine=False) for _ in range(layers))
        self.outs = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(layers))
        self.feeds = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)) for _ in range(layers)
        )
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, VOCABULARY, bias=False))

    def _retain(self, x: Tensor, layer: int) -> Tensor:
        """The past, as each head keeps it."""
        batch, length, width = x.shape
        query, key, value, gate = self.mixed[layer](x).chunk(4, -1)
        query, key, value = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in (query, key, value))
        step = torch.arange(length, device=x.device)
        decay = 1 - 2.0 ** (-2.0 - torch.arange(self.heads, device=x.device))
        past = (step[:, None] - step).clamp(min=0)
        mask = (decay[:, None, None] ** past) * (step[:, None] >= step)
        scores = query @ key.transpose(-1, -2) * (width // self.heads) ** -0.5 * mask
        kept = (scores @ value).transpose(1, 2).reshape(batch * length, width)
        return _plain(self.outs[layer], F.silu(gate) * self.groups[layer](kept).view(batch, length, width))

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the next token, after each token."""
        x = self.token(text)
        for layer, feed in enumerate(self.feeds):
            x = x + self._retain(self.norms[2 * layer](x), layer)
            x = x + feed(self.norms[2 * layer + 1](x))
        return _plain(self.head, x)


def retentive_network(seed: int) -> Case:
    """A retentive network on integer tokens."""
    return made(seed, RetentiveNetwork, tokens(seed))


class _ShiftedSoftplus(nn.Module):
    """A softplus that is zero at zero."""

    def forward(self, x: Tensor) -> Tensor:
        return F.softplus(x) - math.log(2)


class SchNet(nn.Module):
    """Atoms that send each other messages, filtered by their distances: the energy of each molecule."""

    def __init__(self, width: int = 48, layers: int = 3, centres: int = 20) -> None:
        super().__init__()
        self.register_buffer("centres", torch.linspace(0, 5, centres))
        self.kind = nn.Linear(1, width)
        self.filters = nn.ModuleList(
            nn.Sequential(nn.Linear(centres, width), _ShiftedSoftplus(), nn.Linear(width, width)) for _ in range(layers)
        )
        self.before = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(layers))
        self.after = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), _ShiftedSoftplus(), nn.Linear(width, width)) for _ in range(layers)
        )
        self.head = nn.Sequential(nn.Linear(width, width // 2), _ShiftedSoftplus(), nn.Linear(width // 2, 1))

    def forward(self, molecules: Tensor) -> Tensor:
        """The energies of molecules, whose atoms have three coordinates and a charge."""
        x = self.kind(molecules[..., 3:])
        difference = molecules[:, :, None, :3] - molecules[:, None, :, :3]
        distance = (difference.square().sum(-1) + 1e-8).sqrt()
        centres = self.get_buffer("centres")
        spread = torch.exp(-10 * (distance[..., None] - centres) ** 2)
        near = 0.5 * (torch.cos(math.pi * distance.clamp(max=5) / 5) + 1)
        others = near * (1 - torch.eye(molecules.shape[1], device=x.device))
        for filters, before, after in zip(self.filters, self.before, self.after, strict=True):
            weights = filters(spread) * others[..., None]
            x = x + after((weights * before(x)[:, None]).sum(2))
        return _plain(self.head, x).sum(1)


def _molecules(seed: int, batch: int = 32, atoms: int = 9) -> tuple[Tensor, Tensor]:
    """Molecules with charged atoms, and their standardised energies."""
    generator = _generator(seed)
    places = 1.2 * torch.randn(batch, atoms, 3, generator=generator)
    charge = torch.randint(1, 4, (batch, atoms, 1), generator=generator).float() / 2
    distance = torch.cdist(places, places) + torch.eye(atoms)
    energy = (charge * charge.transpose(1, 2) * torch.exp(-distance)).sum((1, 2))
    return torch.cat([places, charge], -1), ((energy - energy.mean()) / energy.std())[:, None]


def schnet(seed: int) -> Case:
    """A SchNet that predicts energies of molecules."""
    return made(seed, SchNet, _molecules(seed))


class HamiltonianNetwork(nn.Module):
    """A learnt energy, whose slopes say how positions and momenta move."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.energy = nn.Sequential(
            nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1, bias=False)
        )
        for layer in self.energy:
            if isinstance(layer, nn.Linear):
                nn.init.orthogonal_(layer.weight)

    def forward(self, state: Tensor) -> Tensor:
        """How fast position and momentum change, at each state."""
        with torch.enable_grad():
            state = state if state.requires_grad else state.detach().requires_grad_()
            (slope,) = torch.autograd.grad(self.energy(state).sum(), state, create_graph=True)
        return torch.stack([slope[:, 1], -slope[:, 0]], -1)


def _pendulums(seed: int, batch: int = 64) -> tuple[Tensor, Tensor]:
    """States of a pendulum, and how they change."""
    state = 4 * torch.rand(batch, 2, generator=_generator(seed)) - 2
    return state, torch.stack([state[:, 1], -2 * state[:, 0].sin()], -1)


def hamiltonian(seed: int) -> Case:
    """A Hamiltonian network on the states of a pendulum."""
    return made(seed, HamiltonianNetwork, _pendulums(seed))


def _squash(x: Tensor) -> Tensor:
    """Capsules of the same direction, shorter than one."""
    square = x.square().sum(-1, keepdim=True)
    return square / (1 + square) * x / (square + 1e-18).sqrt()


class Capsules(nn.Module):
    """A layer of capsules, which the capsules below choose by agreement in three rounds."""

    def __init__(self, below: int, size_below: int, capsules: int, size: int, std: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(std * torch.randn(below, capsules, size_below, size))

    def forward(self, x: Tensor) -> Tensor:
        """The capsules (batch, capsule, size)."""
        votes = torch.einsum("bid,ijde->bije", x, self.weight)
        logits = torch.zeros_like(votes[..., 0])
        for turn in range(3):
            out = _squash((logits.softmax(-1)[..., None] * votes).sum(1))
            if turn < 2:
                logits = logits + (votes.detach() * out.detach()[:, None]).sum(-1)
        return out


class CapsuleNetwork(nn.Module):
    """Convolutions, capsules, and as the answer for each class its capsule's length."""

    def __init__(self, layers: int, std: float) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 32, 5, stride=2, padding=2), nn.ReLU(), nn.Conv2d(32, 32, 5, stride=2, padding=2)
        )
        counts = [64] + [16] * (layers - 1) + [CLASSES]
        self.capsules = nn.Sequential(
            *(Capsules(before, 8, after, 8, std) for before, after in itertools.pairwise(counts))
        )

    def forward(self, x: Tensor) -> Tensor:
        """The length of each class's capsule."""
        x = self.stem(x)
        x = x.view(len(x), 4, 8, -1).transpose(2, 3).reshape(len(x), -1, 8)
        return (_plain(self.capsules, _squash(x)).square().sum(-1) + 1e-18).sqrt()


def _one_hot_images(seed: int) -> tuple[Tensor, Tensor]:
    """Images, and for each class whether it is the right one."""
    inputs, labels = images(seed, 32, 16)
    return inputs, F.one_hot(labels, CLASSES).float()


def capsule_network(seed: int) -> Case:
    """A capsule network with routing by agreement."""
    return made(seed, lambda: CapsuleNetwork(1, 0.1), _one_hot_images(seed))


class DeepONet(nn.Module):
    """An operator network: one branch reads a function at sensors, one trunk the place where its answer is wanted."""

    def __init__(self, sensors: int = 40, width: int = 64) -> None:
        super().__init__()
        self.sensors = sensors
        self.branch = nn.Sequential(
            nn.Linear(sensors, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)
        )
        self.trunk = nn.Sequential(
            nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, width)
        )
        for layer in [*self.branch, *self.trunk]:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_normal_(layer.weight)
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """The operator's answer at one place, for each function."""
        branch, trunk = self.branch(x[:, : self.sensors]), self.trunk(x[:, self.sensors :])
        out: Tensor = (branch * trunk).sum(-1, keepdim=True) / math.sqrt(branch.shape[-1]) + self.bias
        return out


def _integrals(seed: int, batch: int = 64, sensors: int = 40) -> tuple[Tensor, Tensor]:
    """Random smooth functions with a place, and their integrals up to there."""
    generator = _generator(seed)
    coarse = torch.randn(batch, 1, 8, generator=generator)
    functions = F.interpolate(coarse, size=sensors, mode="linear", align_corners=True)[:, 0]
    place = torch.rand(batch, 1, generator=generator)
    sums = functions.cumsum(-1) / sensors
    answer = sums.gather(1, (place * (sensors - 1)).long())
    return torch.cat([functions, place], -1), answer / sums.std()


def deep_o_net(seed: int) -> Case:
    """A DeepONet that learns to integrate."""
    return made(seed, DeepONet, _integrals(seed))


class SoftTrees(nn.Module):
    """Soft decision trees: at each node a sigmoid sends a row left or right, and each leaf has its scores."""

    def __init__(self, features: int = 32, trees: int = 8, depth: int = 4) -> None:
        super().__init__()
        self.trees, self.depth = trees, depth
        self.nodes = nn.Linear(features, trees * (2**depth - 1))
        nn.init.xavier_uniform_(self.nodes.weight, gain=2.0)
        self.leaves = nn.Parameter(0.1 * torch.randn(trees, 2**depth, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, summed over the trees."""
        right = self.nodes(x).sigmoid().view(len(x), self.trees, -1)
        reach = torch.ones(len(x), self.trees, 1, device=x.device)
        for level in range(self.depth):
            gate = right[..., 2**level - 1 : 2 ** (level + 1) - 1]
            reach = torch.stack([reach * (1 - gate), reach * gate], -1).flatten(2)
        return torch.einsum("btl,tlc->bc", reach, self.leaves)


def soft_decision_trees(seed: int) -> Case:
    """A forest of soft decision trees on a table."""
    return made(seed, SoftTrees, rows(seed))


class HandwritingReader(nn.Module):
    """Convolutions that narrow a line of writing to columns, and a bidirectional LSTM along them."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after, pool in ((3, width, (2, 2)), (width, 2 * width, (2, 2)), (2 * width, 2 * width, (4, 1))):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(pool)]
        self.features = nn.Sequential(*layers)
        self.recurrent = nn.LSTM(2 * width, 2 * width, batch_first=True, bidirectional=True)
        self.head = nn.Linear(4 * width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the letters (batch, column, letter)."""
        columns, _ = self.recurrent(self.features(x)[:, :, 0].transpose(1, 2))
        return _plain(self.head, columns)


def _lines(seed: int, batch: int = 8, letters: int = 4) -> tuple[Tensor, Tensor]:
    """Lines of letters of 16 pixels, and the letter at each fourth pixel."""
    inputs, labels = images(seed, batch * letters, 16)
    lines = inputs.view(batch, letters, 3, 16, 16).permute(0, 2, 3, 1, 4).reshape(batch, 3, 16, -1)
    return lines, labels.view(batch, letters).repeat_interleave(4, 1)


def handwriting_crnn(seed: int) -> Case:
    """A reader of handwriting: convolutions, a bidirectional LSTM, scores for each column."""
    return made(seed, HandwritingReader, _lines(seed))


class SincNet(nn.Module):
    """Band-pass filters of raw sound, of which only the edges of the bands are learnt, then convolutions."""

    def __init__(self, filters: int = 24, length: int = 65, rate: float = 8000.0) -> None:
        super().__init__()
        mel = torch.linspace(2595 * math.log10(1 + 50 / 700), 2595 * math.log10(1 + 3900 / 700), filters + 1)
        edges = 700 * (10 ** (mel / 2595) - 1) / rate
        self.low = nn.Parameter(edges[:-1])
        self.band = nn.Parameter(edges[1:] - edges[:-1])
        time = torch.arange(length).float() - length // 2
        self.register_buffer("time", time)
        self.register_buffer("window", torch.hamming_window(length, periodic=False))
        layers: list[nn.Module] = []
        for before, after in ((filters, 48), (48, 48)):
            layers += [nn.Conv1d(before, after, 5), nn.BatchNorm1d(after), nn.LeakyReLU(0.2), nn.MaxPool1d(3)]
        self.norm = nn.BatchNorm1d(filters)
        self.rest = nn.Sequential(*layers)
        self.head = nn.Linear(48, CLASSES)

    def forward(self, sound: Tensor) -> Tensor:
        """The scores of the classes, for each sound (batch, 1, sample)."""
        time, window = self.get_buffer("time"), self.get_buffer("window")
        low, high = self.low.abs()[:, None], (self.low.abs() + self.band.abs())[:, None]
        kernels = window * 2 * (high * torch.sinc(2 * high * time) - low * torch.sinc(2 * low * time))
        kernels = kernels / (2 * (high - low))
        x = F.max_pool1d(F.conv1d(sound, kernels[:, None], stride=2).abs(), 3)
        return _plain(self.head, self.rest(F.leaky_relu(self.norm(x), 0.2)).mean(-1))


def _sounds(seed: int, batch: int = 32, length: int = 1600) -> tuple[Tensor, Tensor]:
    """Chords of two tones for each class in some noise, at random phases."""
    generator = _generator(seed)
    pitch = torch.linspace(0.02, 0.4, CLASSES + 1)
    labels = torch.arange(batch) % CLASSES
    phase = 6.3 * torch.rand(2, batch, 1, generator=generator)
    time = torch.arange(length).float()
    tones = torch.sin(6.283 * pitch[labels, None] * time + phase[0])
    tones = tones + torch.sin(6.283 * pitch[labels + 1, None] * time + phase[1])
    return (0.3 * tones + 0.2 * torch.randn(batch, length, generator=generator))[:, None], labels


def sinc_net(seed: int) -> Case:
    """A SincNet on raw sound."""
    return made(seed, SincNet, _sounds(seed))


class SuperResolution(nn.Module):
    """Residual blocks without norms at low resolution, and a shuffle of channels into pixels."""

    def __init__(self, width: int = 32, blocks: int = 6) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))
            for _ in range(blocks)
        )
        self.tail = nn.Sequential(nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2))
        self.head = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """The images at twice the resolution."""
        stem = self.stem(x)
        out = stem
        for block in self.blocks:
            out = out + 0.1 * block(out)
        return _plain(self.head, self.tail(out + stem))


def _photographs(seed: int, batch: int = 16, size: int = 16) -> tuple[Tensor, Tensor]:
    """Images made of discs, at half and at full resolution."""
    generator = _generator(seed)
    axis = torch.arange(2 * size).float()
    places = 2 * size * torch.rand(batch, 3, 2, generator=generator)
    colours = torch.randn(batch, 3, 3, generator=generator)
    down = (axis[None, None, :, None] - places[..., 0, None, None]) ** 2
    across = (axis[None, None, None, :] - places[..., 1, None, None]) ** 2
    sharp = torch.einsum("bkhw,bkc->bchw", ((down + across) < 60).float(), colours)
    return F.avg_pool2d(sharp, 2), sharp


def super_resolution(seed: int) -> Case:
    """An EDSR that doubles the resolution of images."""
    return made(seed, SuperResolution, _photographs(seed))


def _frames(seed: int, batch: int = 16) -> tuple[Tensor, Tensor]:
    """Four frames each of a ball and a paddle, from 0 to 1, and the values of four actions."""
    generator = _generator(seed)
    ball = torch.randint(4, 76, (batch, 2), generator=generator)
    move = torch.randint(-4, 5, (batch, 2), generator=generator)
    paddle = torch.randint(4, 76, (batch,), generator=generator)
    frames = torch.zeros(batch, 4, 84, 84)
    for number in range(batch):
        for time in range(4):
            down, across = (ball[number] + (time - 3) * move[number]).clamp(0, 80).tolist()
            frames[number, time, down : down + 4, across : across + 4] = 0.9
        frames[number, :, 80:, int(paddle[number]) : int(paddle[number]) + 8] = 0.6
    gap = (ball[:, 1] - paddle).float() / 40
    near = ball[:, 0].float() / 80
    values = torch.stack([near - gap.abs(), near - (gap - 0.3).abs(), near - (gap + 0.3).abs(), -gap.abs()], -1)
    return frames, values


def deep_q_network(seed: int) -> Case:
    """The deep Q-network of 2015: three convolutions, two linear layers."""

    def build() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(4, 32, 8, stride=4),
            nn.ReLU(),
            nn.Conv2d(32, 64, 4, stride=2),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * 7 * 7, 256),
            nn.ReLU(),
            nn.Linear(256, 4),
        )

    return made(seed, build, _frames(seed))


class _AttentivePool(nn.Module):
    """A GRU, and an average of its outputs weighted by a learnt context vector."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.recurrent = nn.GRU(features, width, batch_first=True, bidirectional=True)
        self.key = nn.Linear(2 * width, 2 * width)
        self.context = nn.Linear(2 * width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        hidden, _ = self.recurrent(x)
        weights = self.context(torch.tanh(self.key(hidden))).softmax(1)
        out: Tensor = (weights * hidden).sum(1)
        return out


class HierarchicalAttention(nn.Module):
    """Words attended to in sentences, sentences in documents."""

    def __init__(self, vocabulary: int = 60, width: int = 24) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.words = _AttentivePool(width, width)
        self.sentences = _AttentivePool(2 * width, width)
        self.head = nn.Linear(2 * width, 5)

    def forward(self, documents: Tensor) -> Tensor:
        """The scores of the topics, for each document (batch, sentence, word)."""
        batch, sentences, words = documents.shape
        vectors = self.words(self.embed(documents.view(batch * sentences, words)))
        return _plain(self.head, self.sentences(vectors.view(batch, sentences, -1)))


def _documents(seed: int, batch: int = 32) -> tuple[Tensor, Tensor]:
    """Documents of four sentences of eight words, some of them about the topic."""
    generator = _generator(seed)
    labels = torch.arange(batch) % 5
    anything = torch.randint(60, (batch, 4, 8), generator=generator)
    topical = 8 * labels[:, None, None] + torch.randint(8, (batch, 4, 8), generator=generator)
    about = torch.rand(batch, 4, 8, generator=generator) < 0.3
    return torch.where(about, topical, anything), labels


def hierarchical_attention(seed: int) -> Case:
    """A hierarchical attention network on documents of integer tokens."""
    return made(seed, HierarchicalAttention, _documents(seed))


class RadianceField(nn.Module):
    """A radiance field: octaves of sines of a place, a skip into the middle, colour and density."""

    def __init__(self, octaves: int = 5, width: int = 96) -> None:
        super().__init__()
        self.octaves = octaves
        size = 3 + 6 * octaves
        self.first = nn.Sequential(nn.Linear(size, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.second = nn.Sequential(nn.Linear(size + width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.density = nn.Linear(width, 1)
        self.colour = nn.Sequential(nn.Linear(width + 3, width // 2), nn.ReLU(), nn.Linear(width // 2, 3), nn.Sigmoid())

    def forward(self, rays: Tensor) -> Tensor:
        """Colour and density, at places seen along directions (batch, 6)."""
        place, direction = rays[:, :3], rays[:, 3:]
        angles = place[:, None] * (2.0 ** torch.arange(self.octaves, device=rays.device))[:, None]
        coded = torch.cat([place, angles.sin().flatten(1), angles.cos().flatten(1)], -1)
        x = self.second(torch.cat([coded, self.first(coded)], -1))
        colour = self.colour(torch.cat([x, direction], -1))
        return torch.cat([colour, F.softplus(_plain(self.density, x))], -1)


def _rays(seed: int, batch: int = 256) -> tuple[Tensor, Tensor]:
    """Places in a scene of two balls seen along directions, with colours and densities."""
    generator = _generator(seed)
    place = 2 * torch.rand(batch, 3, generator=generator) - 1
    direction = F.normalize(torch.randn(batch, 3, generator=generator), dim=-1)
    one, two = ((place - at).square().sum(-1, keepdim=True) for at in (0.3, -0.4))
    nearer = torch.sigmoid(6 * (two - one))
    colour = 0.1 + 0.7 * nearer * torch.tensor([1.0, 0.4, 0.1]) + 0.7 * (1 - nearer) * torch.tensor([0.1, 0.5, 1.0])
    shine = 0.1 * direction[:, :1]
    return torch.cat([place, direction], -1), torch.cat(
        [colour + shine, 3 * torch.exp(-4 * torch.minimum(one, two))], -1
    )


def radiance_field(seed: int) -> Case:
    """A neural radiance field."""
    return made(seed, RadianceField, _rays(seed))


class DLinear(nn.Module):
    """A forecaster meant to be linear: one layer for the trend of a series and one for the rest."""

    def __init__(self, past: int = 48, future: int = 12) -> None:
        super().__init__()
        self.trend, self.rest = nn.Linear(past, future), nn.Linear(past, future)

    def forward(self, series: Tensor) -> Tensor:
        """The next steps of each series."""
        trend = F.avg_pool1d(F.pad(series[:, None], (6, 6), mode="replicate"), 13, stride=1)[:, 0]
        return _plain(self.trend, trend) + _plain(self.rest, series - trend)


def _loads(seed: int, batch: int = 32) -> tuple[Tensor, Tensor]:
    """The load of an electric grid over 48 hours, and the next 12."""
    generator = _generator(seed)
    time = torch.arange(60).float()
    phase, slope = torch.rand(2, batch, 1, generator=generator)
    load = torch.sin(6.283 * (time / 24 + phase)) + 0.02 * (slope - 0.5) * time
    load = load + 0.1 * torch.randn(batch, 60, generator=generator)
    return load[:, :48], load[:, 48:]


def d_linear(seed: int) -> Case:
    """DLinear, a forecaster of two linear layers side by side, by intent."""
    return made(seed, DLinear, _loads(seed))


class PhaseNet(nn.Module):
    """A U-Net along time, which gives each sample of a seismogram a class."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        self.stem = self._layer(3, width)
        self.down = nn.ModuleList(self._layer(width * 2**k, width * 2 ** (k + 1), stride=4) for k in range(2))
        self.up = nn.ModuleList(nn.ConvTranspose1d(width * 2 ** (k + 1), width * 2**k, 4, stride=4) for k in (1, 0))
        self.join = nn.ModuleList(self._layer(width * 2 ** (k + 1), width * 2**k) for k in (1, 0))
        self.head = nn.Conv1d(width, 3, 1)

    @staticmethod
    def _layer(before: int, after: int, stride: int = 1) -> nn.Sequential:
        """A convolution along time, a norm and a rectifier."""
        convolution = nn.Conv1d(before, after, 7, stride=stride, padding=3, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm1d(after), nn.ReLU())

    def forward(self, record: Tensor) -> Tensor:
        """The scores of noise, P and S (batch, sample, class)."""
        x = self.stem(record.transpose(1, 2))
        kept = []
        for down in self.down:
            kept.append(x)
            x = down(x)
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat([kept.pop(), up(x)], 1))
        return _plain(self.head, x).transpose(1, 2)


def _earthquakes(seed: int, batch: int = 16, length: int = 256) -> tuple[Tensor, Tensor]:
    """Seismograms of three channels, and for each sample whether P or S waves just came."""
    generator = _generator(seed)
    time = torch.arange(length).float()
    p_at = 30 + 60 * torch.rand(batch, 1, generator=generator)
    s_at = p_at + 50 + 60 * torch.rand(batch, 1, generator=generator)
    labels = torch.zeros(batch, length, dtype=torch.long)
    record = 0.2 * torch.randn(batch, length, 3, generator=generator)
    for number, (arrival, axis, pitch) in enumerate(((p_at, 0, 0.9), (s_at, 1, 0.35)), start=1):
        since = time - arrival
        wave = (since > 0) * torch.exp(-since.clamp(min=0) / 30) * torch.sin(pitch * since)
        record[:, :, axis] += (1.0 + number) * wave
        labels[(since > 0) & (since < 20)] = number
    return record / record.std(1, keepdim=True), labels


def phase_net(seed: int) -> Case:
    """A U-Net along time that picks the waves of earthquakes."""
    return made(seed, PhaseNet, _earthquakes(seed))


class FineTuned(nn.Module):
    """A trained trunk that is kept as it is, and a new head of two layers."""

    def __init__(self, trunk: nn.Module, width: int) -> None:
        super().__init__()
        self.trunk = trunk.requires_grad_(False)
        self.head = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 5))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the new classes."""
        return _plain(self.head, self.trunk(x))


def fine_tuned_head(seed: int) -> Case:
    """A convolutional trunk trained on ten classes and frozen, and a new head for five."""

    def build() -> nn.Module:
        layers: list[nn.Module] = []
        for before, after in ((3, 24), (24, 48), (48, 64)):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        trunk = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        _train(nn.Sequential(trunk, nn.Linear(64, CLASSES)), images(1000, 64, 32), 25, 3e-3)
        return FineTuned(trunk, 64)

    inputs, labels = images(seed, 64, 32)
    return made(seed, build, (inputs, labels // 2))


class LetterModel(nn.Module):
    """A language model of one LSTM between an embedding and a linear layer."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, width)
        self.recurrent = nn.LSTM(width, width, batch_first=True)
        self.head = nn.Linear(width, VOCABULARY)

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the next letter, after each letter."""
        hidden, _ = self.recurrent(self.embed(text))
        return _plain(self.head, hidden)


def half_trained_letters(seed: int) -> Case:
    """A language model of letters that was trained for sixty steps on other text."""

    def build() -> nn.Module:
        model = LetterModel()
        _train(model, tokens(2000), 60, 3e-3)
        return model

    return made(seed, build, tokens(seed))


class MaskedAutoencoder(nn.Module):
    """A transformer that draws whole images from half of their patches, chosen afresh each time."""

    def __init__(self, size: int = 32, patch: int = 8, width: int = 64) -> None:
        super().__init__()
        self.patch = patch
        count = (size // patch) ** 2
        self.embed = nn.Linear(3 * patch**2, width)
        self.masked = nn.Parameter(0.02 * torch.randn(width))
        self.position = nn.Parameter(0.02 * torch.randn(count, width))
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 4, norm=nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, 3 * patch**2)

    def forward(self, x: Tensor) -> Tensor:
        """The whole images."""
        size = x.shape[-1]
        patches = F.unfold(x, self.patch, stride=self.patch).transpose(1, 2)
        hidden = torch.rand(patches.shape[:2], device=x.device) < 0.5
        seen = torch.where(hidden[..., None], self.masked, self.embed(patches))
        drawn = self.head(self.blocks(seen + self.position)).transpose(1, 2)
        return F.fold(drawn, (size, size), self.patch, stride=self.patch)


def _pictures(seed: int) -> tuple[Tensor, Tensor]:
    """Images that are their own targets."""
    inputs, _ = images(seed, 32, 32, noise=0.2)
    return inputs, inputs


def masked_autoencoder(seed: int) -> Case:
    """A masked autoencoder of images."""
    return made(seed, MaskedAutoencoder, _pictures(seed))


def timm_visformer_tiny(seed: int) -> Case:
    """Visformer, tiny: convolutions first, attention later."""
    return made(seed, lambda: _timm("visformer_tiny", img_size=64), images(seed, 16, 64))


def timm_convit_tiny(seed: int) -> Case:
    """ConViT, tiny: attention that starts as if it were convolution."""
    return made(seed, lambda: _timm("convit_tiny", img_size=64), images(seed, 16, 64))


HEALTHY_EIGHTH: dict[str, Callable[[int], Case]] = {
    "hourglass": hourglass,
    "retentive_network": retentive_network,
    "schnet": schnet,
    "hamiltonian": hamiltonian,
    "capsule_network": capsule_network,
    "deep_o_net": deep_o_net,
    "soft_decision_trees": soft_decision_trees,
    "handwriting_crnn": handwriting_crnn,
    "sinc_net": sinc_net,
    "super_resolution": super_resolution,
    "deep_q_network": deep_q_network,
    "hierarchical_attention": hierarchical_attention,
    "radiance_field": radiance_field,
    "d_linear": d_linear,
    "phase_net": phase_net,
    "fine_tuned_head": fine_tuned_head,
    "half_trained_letters": half_trained_letters,
    "masked_autoencoder": masked_autoencoder,
    "timm_visformer_tiny": timm_visformer_tiny,
    "timm_convit_tiny": timm_convit_tiny,
}


# ------------------------------------------------------------------------------------------------------- sick networks


def _pair(
    sick: Callable[[], nn.Module],
    cured: Callable[[], nn.Module],
    cause: str | tuple[str, ...],
    remedy: str,
    batch: Batch,
    cured_batch: Batch | None = None,
) -> Sick:
    """A sick network and its cure on the same batch, or on batches of their own."""
    return Sick(
        lambda seed: made(seed, sick, batch(seed)),
        cause,
        lambda seed: made(seed, cured, (cured_batch or batch)(seed)),
        remedy,
    )


class EEGNet(nn.Module):
    """Filters along time, then across sensors, each followed by batch norm."""

    def __init__(self, sensors: int = 16, filters: int = 8, length: int = 96) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, filters, (1, 17), padding=(0, 8), bias=False),
            nn.BatchNorm2d(filters),
            nn.Conv2d(filters, 2 * filters, (sensors, 1), groups=filters, bias=False),
            nn.BatchNorm2d(2 * filters),
            nn.ELU(),
            nn.AvgPool2d((1, 4)),
            nn.Dropout(0.25),
            nn.Conv2d(2 * filters, 2 * filters, (1, 9), padding=(0, 4), groups=2 * filters, bias=False),
            nn.Conv2d(2 * filters, 2 * filters, 1, bias=False),
            nn.BatchNorm2d(2 * filters),
            nn.ELU(),
            nn.AvgPool2d((1, 4)),
            nn.Dropout(0.25),
        )
        self.head = nn.Linear(2 * filters * (length // 16), CLASSES)

    def forward(self, record: Tensor) -> Tensor:
        """The scores of what was thought (batch, sensor, sample)."""
        return _plain(self.head, self.body(record[:, None]).flatten(1))


def _brains(unit: float) -> Batch:
    """Records of 16 magnetic sensors in some unit: curves of a class, plus noise."""

    def batch(seed: int) -> tuple[Tensor, Tensor]:
        inputs, labels = sequences(seed, 64, 96, 16)
        return unit * inputs.transpose(1, 2).contiguous(), labels

    return batch


class ExcitedNet(nn.Module):
    """Plain convolutions by He, each followed by a rectifier and by squeeze and excitation."""

    def __init__(self, norm: bool, width: int = 16, layers: int = 24) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(3 if layer == 0 else width, width, 3, padding=1, bias=False) for layer in range(layers)
        )
        for convolution in self.convolutions.parameters():
            nn.init.kaiming_normal_(convolution, nonlinearity="relu")
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) if norm else nn.Identity() for _ in range(layers))
        self.gates = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width // 4), nn.ReLU(), nn.Linear(width // 4, width), nn.Sigmoid())
            for _ in range(layers)
        )
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each image."""
        for number, (convolution, norm, gate) in enumerate(zip(self.convolutions, self.norms, self.gates, strict=True)):
            x = F.relu(norm(convolution(x)))
            x = x * gate(x.mean((2, 3)))[:, :, None, None]
            if number in (3, 7):
                x = F.max_pool2d(x, 2)
        return _plain(self.head, x.mean((2, 3)))


def _table_net() -> nn.Module:
    """A multilayer perceptron with batch norm for tables."""
    layers: list[nn.Module] = []
    for before in (32, 96, 96):
        layers += [nn.Linear(before, 96), nn.BatchNorm1d(96), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(96, CLASSES))


def _patients(fill: float) -> Batch:
    """A table in which two columns are missing in some rows."""

    def batch(seed: int) -> tuple[Tensor, Tensor]:
        inputs, labels = rows(seed, 64)
        missing = torch.rand(64, 2, generator=_generator(seed)) < 0.2
        inputs[:, 5:7] = torch.where(missing, torch.tensor(fill), inputs[:, 5:7])
        return inputs, labels

    return batch


class SpectrumNet(nn.Module):
    """The logarithm of the power of sound in each frame and band, and convolutions on it."""

    def __init__(self, floor: float, size: int = 128) -> None:
        super().__init__()
        self.floor, self.size = floor, size
        self.register_buffer("window", torch.hann_window(size))
        layers: list[nn.Module] = []
        for before, after in ((1, 16), (16, 32), (32, 48)):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(48, CLASSES)

    def forward(self, sound: Tensor) -> Tensor:
        """The scores of the classes, for each sound (batch, sample)."""
        frames = sound.unfold(-1, self.size, self.size // 2) * self.get_buffer("window")
        power = torch.fft.rfft(frames).abs() ** 2
        return _plain(self.head, self.body(torch.log(power + self.floor)[:, None]).mean((2, 3)))


def _clips(seed: int) -> tuple[Tensor, Tensor]:
    """Sounds of different lengths, filled with silence to the longest."""
    sounds, labels = _sounds(seed)
    length = 800 + 800 * torch.rand(len(sounds), 1, generator=_generator(seed))
    return sounds[:, 0] * (torch.arange(sounds.shape[-1]) < length), labels


class HandmadeAttention(nn.Module):
    """Attention between word vectors written out by hand, with a skip, an average and a linear layer."""

    def __init__(self, by_hand: bool, words: int = 100, width: int = 128) -> None:
        super().__init__()
        self.by_hand = by_hand
        self.embed = nn.Embedding(words, width)
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 5))

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the topics, for each text."""
        x = self.embed(text)
        scores = x @ x.transpose(1, 2)
        if self.by_hand:
            powers = scores.exp()
            weights = powers / powers.sum(-1, keepdim=True)
        else:
            weights = (scores / math.sqrt(x.shape[-1])).softmax(-1)
        return _plain(self.head, (x + weights @ x).mean(1))


def _topics(seed: int, batch: int = 40, length: int = 16) -> tuple[Tensor, Tensor]:
    """Texts with some words of their topic."""
    generator = _generator(seed)
    labels = torch.arange(batch) % 5
    anything = torch.randint(100, (batch, length), generator=generator)
    topical = 20 * labels[:, None] + torch.randint(20, (batch, length), generator=generator)
    return torch.where(torch.rand(batch, length, generator=generator) < 0.4, topical, anything), labels


class LinearAttentionNet(nn.Module):
    """A transformer of four layers without norms, with attention weights by softmax, or just the products."""

    def __init__(self, softmax: bool, features: int = 8, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        self.softmax = softmax
        self.embed = nn.Linear(features, width)
        self.position = nn.Parameter(0.1 * torch.randn(24, width))
        self.mixed = nn.ModuleList(nn.Linear(width, 3 * width) for _ in range(layers))
        for layer in self.mixed:
            nn.init.xavier_uniform_(layer.get_parameter("weight"), gain=1.0)
        self.feeds = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)) for _ in range(layers)
        )
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        x = self.embed(x) + self.position
        for mixed, feed in zip(self.mixed, self.feeds, strict=True):
            query, key, value = mixed(x).chunk(3, -1)
            scores = query @ key.transpose(1, 2)
            weights = (scores / math.sqrt(x.shape[-1])).softmax(-1) if self.softmax else scores
            x = x + weights @ value
            x = x + feed(x)
        return _plain(self.head, x.mean(1))


class LatentFlow(nn.Module):
    """A latent state that follows a learnt field by fifty steps of Euler."""

    def __init__(self, step: float, width: int = 32, steps: int = 50) -> None:
        super().__init__()
        self.step, self.steps = step, steps
        self.embed = nn.Linear(32, width)
        self.field = nn.Sequential(nn.Linear(width, 2 * width), nn.ELU(), nn.Linear(2 * width, width))
        for layer in self.field:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_normal_(layer.weight)
                nn.init.zeros_(layer.bias)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each row."""
        x = self.embed(x)
        for _ in range(self.steps):
            x = x + self.step * self.field(x)
        return _plain(self.head, x)


class _Spike(torch.autograd.Function):
    """A spike where the membrane is above its threshold; backwards a slope of one within a half of the threshold."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, above: Tensor) -> Tensor:
        ctx.save_for_backward(above)
        return (above > 0).to(above.dtype)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:
        (above,) = ctx.saved_tensors
        out: Tensor = gradient * (above.abs() < 0.5)
        return out


class SpikingNet(nn.Module):
    """Two layers of leaky neurons that fire at a threshold, run for some steps on constant currents, and a readout."""

    def __init__(self, width: int = 96, steps: int = 15) -> None:
        super().__init__()
        self.steps = steps
        self.first = nn.Linear(32, width, bias=False)
        self.second = nn.Linear(width, width, bias=False)
        self.readout = nn.Linear(width, CLASSES, bias=False)

    def forward(self, current: Tensor) -> Tensor:
        """The scores of the classes: the readout of the spikes, averaged over time."""
        below = self.first(current)
        first, second = torch.zeros_like(below), torch.zeros_like(below)
        total = torch.zeros_like(below)
        for _ in range(self.steps):
            first = 0.9 * first + below
            spikes: Tensor = _Spike.apply(first - 1)
            first = first - spikes
            second = 0.9 * second + self.second(spikes)
            spikes = _Spike.apply(second - 1)
            second = second - spikes
            total = total + spikes
        return _plain(self.readout, total / self.steps)


def _rates(scale: float) -> Batch:
    """Features of a class from 0 to about 1, as currents of some size."""

    def batch(seed: int) -> tuple[Tensor, Tensor]:
        inputs, labels = rows(seed, 64)
        return scale * (inputs / 3 + 0.5).clamp(0, 1), labels

    return batch


class PulseReader(nn.Module):
    """Convolutions that find a pulse, a filter that lets slow waves pass, and a scale and offset to calibrate it."""

    def __init__(self, through_numpy: bool, width: int = 24, passed: int = 16) -> None:
        super().__init__()
        self.through_numpy, self.passed = through_numpy, passed
        layers: list[nn.Module] = []
        for before in (1, width, width):
            layers += [nn.Conv1d(before, width, 9, padding=4), nn.BatchNorm1d(width), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.Conv1d(width, 1, 9, padding=4))
        self.calibration = nn.Conv1d(1, 1, 1)

    def forward(self, record: Tensor) -> Tensor:
        """The pulse (batch, 1, sample)."""
        x = self.body(record)
        if self.through_numpy:
            waves = np.fft.rfft(x.detach().cpu().numpy())
            waves[..., self.passed :] = 0
            slow = torch.from_numpy(np.fft.irfft(waves, n=x.shape[-1])).to(x)
        else:
            low = torch.fft.rfft(x)[..., : self.passed]
            slow = torch.fft.irfft(F.pad(low, (0, x.shape[-1] // 2 + 1 - self.passed)), n=x.shape[-1])
        return _plain(self.calibration, slow)


def _pulses(seed: int, batch: int = 32, length: int = 128) -> tuple[Tensor, Tensor]:
    """A fast wave in noise that slowly grows and shrinks, and its size."""
    generator = _generator(seed)
    coarse = torch.rand(batch, 1, 10, generator=generator)
    size = F.interpolate(coarse, size=length, mode="linear")
    phase = 6.3 * torch.rand(batch, 1, 1, generator=generator)
    record = 2 * size * torch.sin(1.1 * torch.arange(length) + phase)
    record = record + 0.3 * torch.randn(batch, 1, length, generator=generator)
    return record / record.std(), (size - size.mean()) / size.std()


class FrozenGRU(nn.Module):
    """A GRU to be fine-tuned, of which only the head is trained, or all."""

    def __init__(self, frozen: bool, width: int = 24) -> None:
        super().__init__()
        self.recurrent = nn.GRU(2, width, batch_first=True)
        self.recurrent.requires_grad_(not frozen)
        self.head = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The sum of the marked numbers, for each series."""
        hidden, _ = self.recurrent(x)
        return _plain(self.head, hidden[:, -1])


def _marked(seed: int, batch: int = 256, length: int = 24) -> tuple[Tensor, Tensor]:
    """Series of numbers of which two are marked, and their sum."""
    generator = _generator(seed)
    numbers = torch.randn(batch, length, generator=generator)
    marks = torch.zeros(batch, length)
    half = length // 2
    for start in (0, half):
        marks.scatter_(1, start + torch.randint(half, (batch, 1), generator=generator), 1.0)
    return torch.stack([numbers, marks], -1), (numbers * marks).sum(1, keepdim=True) / math.sqrt(2)


class EventTransformer(nn.Module):
    """A transformer encoder on events, averaged for a class, with or without the events' places."""

    def __init__(self, places: bool, events: int = 12, width: int = 48) -> None:
        super().__init__()
        self.embed = nn.Embedding(events, width)
        self.place = nn.Parameter(0.5 * torch.randn(events, width)) if places else None
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(width, 4)

    def forward(self, events: Tensor) -> Tensor:
        """The scores of the classes, for each row of events."""
        x = self.embed(events)
        if self.place is not None:
            x = x + self.place
        return _plain(self.head, self.encoder(x).mean(1))


def _orders(seed: int, batch: int = 64, events: int = 12) -> tuple[Tensor, Tensor]:
    """The same twelve events in different orders; which of the first four came earliest."""
    generator = _generator(seed)
    order = torch.stack([torch.randperm(events, generator=generator) for _ in range(batch)])
    return order, order.argsort(1)[:, :4].argmin(1)


class CausalClassifier(nn.Module):
    """A causal transformer on texts that all begin with the same token, read at one place for a class."""

    def __init__(self, read_at: int, words: int = 101, width: int = 48) -> None:
        super().__init__()
        self.read_at = read_at
        self.embed = nn.Embedding(words, width)
        self.place = nn.Parameter(0.02 * torch.randn(17, width))
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 3, norm=nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, 5)

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the topics, for each text."""
        mask = nn.Transformer.generate_square_subsequent_mask(text.shape[1], device=text.device)
        x = self.blocks(self.embed(text) + self.place, mask=mask)
        return _plain(self.head, x[:, self.read_at])


def _begun_topics(seed: int) -> tuple[Tensor, Tensor]:
    """Texts with some words of their topic, after a token that begins each."""
    text, labels = _topics(seed)
    return F.pad(text, (1, 0), value=100), labels


def _style_net(norm: Callable[[int], nn.Module]) -> Callable[[], nn.Module]:
    """Convolutions with some norm after each, the last of which goes into the average over the image."""

    def build() -> nn.Module:
        layers: list[nn.Module] = []
        for before, after in ((3, 24), (24, 32), (32, 48)):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), norm(after), nn.ReLU()]
        layers += [nn.Conv2d(48, 64, 3, padding=1), norm(64), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        return nn.Sequential(*layers, nn.Linear(64, CLASSES))

    return build


def _instance_norm(width: int) -> nn.Module:
    """An instance norm with a scale and a bias."""
    return nn.InstanceNorm2d(width, affine=True)


def _fare_net() -> nn.Module:
    """A multilayer perceptron for four numbers."""
    layers: list[nn.Module] = []
    for before in (4, 64, 64):
        layers += [nn.Linear(before, 64), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(64, 1))


def _taxi_rides(standardised: bool) -> Batch:
    """Where taxi rides begin and end in New York, as longitudes and latitudes, and how long they are."""

    def batch(seed: int) -> tuple[Tensor, Tensor]:
        places = torch.randn(128, 4, generator=_generator(seed))
        way = ((places[:, :2] - places[:, 2:]).square().sum(-1, keepdim=True)).sqrt()
        way = (way - way.mean()) / way.std()
        middle, spread = torch.tensor([-73.98, 40.75, -73.98, 40.75]), torch.tensor([0.02, 0.02, 0.02, 0.02])
        return places if standardised else middle + spread * places, way

    return batch


class SpectralLayer(nn.Module):
    """A linear map of each of the lowest waves, plus a linear map at each place."""

    def __init__(self, width: int, modes: int) -> None:
        super().__init__()
        self.modes = modes
        self.weight = nn.Parameter(torch.randn(width, width, modes, 2) / math.sqrt(2 * width))
        self.beside = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The next layer's functions."""
        waves = torch.fft.rfft(x)
        low = torch.einsum("bim,iom->bom", waves[..., : self.modes], torch.view_as_complex(self.weight))
        full = F.pad(low, (0, waves.shape[-1] - self.modes))
        everywhere: Tensor = torch.fft.irfft(full, n=x.shape[-1])
        return everywhere + _plain(self.beside, x)


def _operator(act: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    """A Fourier neural operator of four layers."""

    def build() -> nn.Module:
        layers: list[nn.Module] = [nn.Conv1d(1, 24, 1)]
        for _ in range(4):
            layers += [SpectralLayer(24, 8), act()]
        return nn.Sequential(*layers, nn.Conv1d(24, 1, 1))

    return build


def _burgers(seed: int, batch: int = 32, length: int = 64) -> tuple[Tensor, Tensor]:
    """Random waves, and how their squares are carried along."""
    generator = _generator(seed)
    place = torch.arange(length) * 2 * math.pi / length
    sizes = torch.randn(batch, 2, 3, generator=generator)
    angles = place[:, None] * torch.arange(1, 4)
    waves = sizes[:, 0] @ angles.sin().T + sizes[:, 1] @ angles.cos().T
    waves = waves / waves.std()
    square = waves.square()
    answer = torch.roll(square, 3, -1) + torch.roll(square, 5, -1)
    return waves[:, None], ((answer - answer.mean()) / answer.std())[:, None]


class SensorGraph(nn.Module):
    """Graph convolutions between the sensors of a road, in residual layers."""

    def __init__(
        self, act: Callable[[Tensor], Tensor] | None, sensors: int = 20, past: int = 6, width: int = 48
    ) -> None:
        super().__init__()
        self.act = act
        ring = torch.eye(sensors) + torch.eye(sensors).roll(1, 0) + torch.eye(sensors).roll(-1, 0)
        self.register_buffer("adjacency", ring / 3)
        self.embed = nn.Linear(past, width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(3))
        self.head = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The flow at each sensor (batch, sensor, 1)."""
        x = self.embed(x)
        for layer in self.layers:
            update = self.get_buffer("adjacency") @ layer(x)
            x = x + (update if self.act is None else self.act(update))
        return _plain(self.head, x)


def _roads(seed: int, batch: int = 64, sensors: int = 20) -> tuple[Tensor, Tensor]:
    """Standardised densities of traffic, and flows: highest at middling densities."""
    density = torch.randn(batch, sensors, 6, generator=_generator(seed))
    now = density[..., -1]
    flow = -(now.abs() + 0.5 * now.roll(1, 1).abs() + 0.5 * (now - now.roll(-1, 1)).abs())
    return density, ((flow - flow.mean()) / flow.std())[..., None]


class QueryPool(nn.Module):
    """A learnt query that looks for the right step of a series, and a linear layer on what it finds."""

    def __init__(self, zero_keys: bool, features: int = 9, width: int = 32) -> None:
        super().__init__()
        self.embed = nn.Linear(features, width)
        self.query = nn.Parameter(torch.zeros(width))
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        if zero_keys:
            nn.init.zeros_(self.key.weight)
        self.head = nn.Linear(width, 8)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        x = self.embed(x)
        weights = (self.key(x) @ self.query / math.sqrt(x.shape[-1])).softmax(-1)
        return _plain(self.head, torch.einsum("bt,btw->bw", weights, self.value(x)))


def _marked_step(seed: int, batch: int = 512, length: int = 24) -> tuple[Tensor, Tensor]:
    """Series of one-hot classes, one step of which is marked as the right one."""
    generator = _generator(seed)
    kinds = torch.randint(8, (batch, length), generator=generator)
    right = torch.randint(length, (batch, 1), generator=generator)
    marks = torch.zeros(batch, length).scatter_(1, right, 3.0)
    return torch.cat([F.one_hot(kinds, 8).float(), marks[..., None]], -1), kinds.gather(1, right)[:, 0]


class HyperNetwork(nn.Module):
    """A network that writes the weights of a small one for each task; its last layer's weights start at zero."""

    def __init__(self, base: bool, tasks: int = 4, features: int = 3, width: int = 16) -> None:
        super().__init__()
        self.tasks, self.features, self.width = tasks, features, width
        count = features * width + width + width + 1
        self.writer = nn.Sequential(nn.Linear(tasks, 32), nn.ReLU(), nn.Linear(32, count))
        last = self.writer[2]
        nn.init.zeros_(last.get_parameter("weight"))
        nn.init.zeros_(last.get_parameter("bias"))
        if base:
            nn.init.normal_(last.get_parameter("bias"), std=0.4)

    def forward(self, x: Tensor) -> Tensor:
        """The answers, for each task (one-hot) and its numbers."""
        task, numbers = x[:, : self.tasks], x[:, self.tasks :]
        sizes = [self.features * self.width, self.width, self.width, 1]
        first, first_bias, second, second_bias = self.writer(task).split(sizes, -1)
        hidden = torch.einsum("bf,bfw->bw", numbers, first.view(-1, self.features, self.width)) + first_bias
        out: Tensor = (torch.tanh(hidden) * second).sum(-1, keepdim=True) + second_bias
        return out


def _tasks(seed: int, batch: int = 128) -> tuple[Tensor, Tensor]:
    """Four tasks: in each the sine of another sum of three numbers."""
    generator = _generator(seed)
    tasks = torch.arange(batch) % 4
    numbers = torch.randn(batch, 3, generator=generator)
    slopes = torch.randn(4, 3, generator=_generator(0))
    answer = torch.sin((numbers * slopes[tasks]).sum(-1, keepdim=True))
    return torch.cat([F.one_hot(tasks, 4).float(), numbers], -1), answer / answer.std()


class TimeNet(nn.Module):
    """Time2Vec, of one line and sines of learnt frequencies, and a multilayer perceptron."""

    def __init__(self, waves: int = 24) -> None:
        super().__init__()
        self.frequency, self.phase = nn.Parameter(torch.randn(waves)), nn.Parameter(torch.randn(waves))
        self.body = nn.Sequential(nn.Linear(waves, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, time: Tensor) -> Tensor:
        """The demand, at each time."""
        return _plain(self.body, torch.sin(time * self.frequency + self.phase))


def _demand(unit: float) -> Batch:
    """Times in a day in some unit, and the demand for taxis then."""

    def batch(seed: int) -> tuple[Tensor, Tensor]:
        hour = 24 * torch.rand(512, 1, generator=_generator(seed))
        demand = torch.sin(hour * math.pi / 12) + 0.7 * torch.cos(hour * math.pi / 6)
        return hour * unit, demand / demand.std()

    return batch


SICK_EIGHTH: dict[str, Sick] = {
    # Measured: signals of 2e-11, 3e-9, 3e-7 after the norms (cured 1); the first filters' gradient 3e-7 (0.7).
    "meg_in_teslas": _pair(
        EEGNet,
        EEGNet,
        "vanishing",
        "Give the fields in picoteslas (or standardise them): next to 1e-13 T even the epsilon of batch norm is huge.",
        _brains(1e-13),
        _brains(1.0),
    ),
    # Measured: capsules of length 0.15, 6e-6, 5e-15 by layer (cured 0.15, 0.06, 0.006); gradients < 1e-18 (1e-2).
    "capsules_of_std_0.01": _pair(
        lambda: CapsuleNetwork(2, 0.01),
        lambda: CapsuleNetwork(2, 1.0),
        "vanishing",
        "Draw the capsules' weights larger: squashing squares short capsules at each layer.",
        _one_hot_images,
    ),
    # Measured: features of size 1e-8 at the head (cured 0.2); the first convolution's gradient 2e-9 (1.5).
    "excitation_without_norm": _pair(
        lambda: ExcitedNet(False),
        lambda: ExcitedNet(True),
        "vanishing",
        "Put batch norm after each convolution: each gate starts at a half and so halves the signal.",
        lambda seed: images(seed, 32, 16),
    ),
    # Measured: scores, loss and every gradient are nan (cured loss 2.34, falls to 1e-6).
    "missing_values_left_in": _pair(
        _table_net,
        _table_net,
        "exploding",
        "Fill in the missing values, which are nan, before training.",
        _patients(math.nan),
        _patients(0.0),
    ),
    # Measured: minus infinity in silent frames; loss and every gradient are nan (cured loss 2.36).
    "logarithm_of_silence": _pair(
        lambda: SpectrumNet(0.0),
        lambda: SpectrumNet(1e-4),
        "exploding",
        "Add a small floor to the power before the logarithm: that of silence is minus infinity.",
        _clips,
    ),
    # Measured: scores of 128 for a word with itself overflow exp; loss and gradients are nan (cured loss 1.64).
    "softmax_by_hand": _pair(
        lambda: HandmadeAttention(True),
        lambda: HandmadeAttention(False),
        "exploding",
        "Divide the scores by the root of the width, and use torch.softmax, which can't overflow.",
        _topics,
    ),
    # Measured: class scores of size 7e16 (cured 0.4), loss 8e16 (2.4), gradients of 1e17 to 4e18 (1).
    "attention_without_softmax": _pair(
        lambda: LinearAttentionNet(False),
        lambda: LinearAttentionNet(True),
        "exploding",
        "Put the scores through a softmax: without, each layer takes its input to the third power.",
        sequences,
    ),
    # Measured: class scores of size 1e11 (cured 0.6), loss 1e11 (2.5), gradients of 1e11 to 1e13 (1).
    "euler_steps_of_one": _pair(
        lambda: LatentFlow(1.0),
        lambda: LatentFlow(1 / 50),
        "exploding",
        "Let the fifty steps cover a time of one, not of fifty.",
        rows,
    ),
    # Measured: membranes reach 0.2 of a threshold of 1 (cured 20); no spikes, gradients exactly 0 (0.15).
    "neurons_never_fire": _pair(
        SpikingNet,
        SpikingNet,
        "dead",
        "Scale the currents so that the neurons reach their threshold.",
        _rates(0.02),
        _rates(2.0),
    ),
    # Measured: the convolutions get no gradient, only scale and offset do; best loss 0.88 (cured 0.014).
    "low_pass_by_numpy": _pair(
        lambda: PulseReader(True),
        lambda: PulseReader(False),
        "dead",
        "Filter by torch.fft: numpy (and the detach it needs) cuts the convolutions off from the loss.",
        _pulses,
    ),
    # Measured: the GRU gets no gradient, and its random states tell little; best loss 0.91 (cured 0.002).
    "frozen_but_never_trained": _pair(
        lambda: FrozenGRU(True),
        lambda: FrozenGRU(False),
        "dead",
        "Do not freeze a network whose trained weights were not loaded.",
        _marked,
    ),
    # Measured: class scores vary between inputs by 3e-7 of their size, by rounding (cured 6 %).
    "order_without_places": _pair(
        lambda: EventTransformer(False),
        lambda: EventTransformer(True),
        "collapsed",
        "Add positions: without, a transformer can't tell one order of the same events from another.",
        _orders,
    ),
    # Measured: class scores are exactly the same for all texts (cured: vary by 96 % of their size).
    "first_token_read_causally": _pair(
        lambda: CausalClassifier(0),
        lambda: CausalClassifier(-1),
        "collapsed",
        "Read the last token: behind a causal mask the first one sees only itself.",
        _begun_topics,
    ),
    # Measured: features vary between images by 2e-8 (cured 0.24), class scores by 2e-7 of their size (90 %).
    "instance_norm_then_mean": _pair(
        _style_net(_instance_norm),
        _style_net(nn.BatchNorm2d),
        "collapsed",
        "Use batch norm: the mean of what instance norm gives is the same for all images.",
        lambda seed: images(seed, 32, 32),
    ),
    # Measured: rides vary by 0.03 % of their size (cured 100 %), outputs as much (18 %); best loss 0.992 (3e-5).
    "taxis_in_degrees": _pair(
        _fare_net,
        _fare_net,
        "collapsed",
        "Standardise the coordinates: in degrees, all places of a city are nearly the same.",
        _taxi_rides(False),
        _taxi_rides(True),
    ),
    # Measured: answers at midpoints differ from midpoints of answers by 2e-7 of their size (cured 49 %).
    "operator_without_act": _pair(
        _operator(nn.Identity), _operator(nn.GELU), "linear", "Put a GELU between the spectral layers.", _burgers
    ),
    # Measured: answers at midpoints differ from midpoints of answers by 1e-7 of their size (cured 8 %).
    "graph_without_act": _pair(
        lambda: SensorGraph(None),
        lambda: SensorGraph(F.relu),
        "linear",
        "Give the graph convolutions an activation: they have none unless told.",
        _roads,
    ),
    # Measured: the gradients of query and keys are exactly 0, and stay so; best loss 1.89 (cured 5e-6).
    "query_and_key_zero": _pair(
        lambda: QueryPool(True),
        lambda: QueryPool(False),
        "zero by design",
        "Start only the query at zero, not the keys as well.",
        _marked_step,
    ),
    # Measured: of the 81 weights written, all 0, only the last gets a gradient; best loss 0.983 (cured 0.003).
    "hypernetwork_from_zero": _pair(
        lambda: HyperNetwork(False),
        lambda: HyperNetwork(True),
        "zero by design",
        "Give the writer's last layer a random bias, so that the small network starts with weights.",
        _tasks,
    ),
    # Measured: slopes at neighbouring times correlate by -0.06 (cured 0.93); the frequencies' gradient 800 (0.15).
    "time2vec_in_seconds": _pair(
        TimeNet,
        TimeNet,
        ("shattered", "exploding"),
        "Give the time in days, or draw the frequencies for seconds.",
        _demand(3600.0),
        _demand(1 / 24),
    ),
}
