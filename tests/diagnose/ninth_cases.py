"""Ten sick networks, each with its cure, and ten healthy ones; written by someone who had not seen the diagnosis.

Integer targets are meant for cross-entropy, floating-point targets for mean squared error.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from healthy import CLASSES, VOCABULARY, Case, images, made, rows, sequences, tokens
from sick import Sick
from torch import Tensor, nn

PEOPLE, PLACES = 8, 6
USERS, ITEMS = 8, 8


def _generator(seed: int) -> torch.Generator:
    """A generator of random numbers with its own seed."""
    return torch.Generator().manual_seed(seed)


def _standardised(x: Tensor) -> Tensor:
    """Each column at mean 0 and standard deviation 1."""
    return (x - x.mean(0)) / x.std(0)


# Data


def decisions(seed: int, batch: int = 32, length: int = 8) -> tuple[Tensor, Tensor]:
    """Paths of a controlled system: (return to go, state of 6, action of 2) at each step, and the actions."""
    gain = 0.8 * torch.randn(6, 2, generator=_generator(0))
    generator = _generator(seed)
    states = torch.randn(batch, length, 6, generator=generator)
    to_go = torch.rand(batch, length, 1, generator=generator)
    actions = torch.tanh(states @ gain) * (0.5 + to_go)
    return torch.cat([to_go, states, actions], -1), actions


def reviews(seed: int, batch: int = 32, length: int = 16) -> tuple[Tensor, Tensor]:
    """Word numbers of short reviews, and the class of 4: of which quarter of the vocabulary most words are."""
    generator = _generator(seed)
    labels = (torch.arange(batch) % 4)[torch.randperm(batch, generator=generator)]
    ours = torch.rand(batch, length, generator=generator) < 0.6
    quarter = torch.where(ours, labels[:, None], torch.randint(4, (batch, length), generator=generator))
    words = quarter * (VOCABULARY // 4) + torch.randint(VOCABULARY // 4, (batch, length), generator=generator)
    return words, labels


def noised_waves(seed: int, batch: int = 32, size: int = 16) -> tuple[Tensor, Tensor]:
    """Pictures of plane waves under noise of some level, that level as a second channel, and the noise."""
    generator = _generator(seed)
    down, across = torch.meshgrid(torch.linspace(0, 1, size), torch.linspace(0, 1, size), indexing="ij")
    waves = 2 * math.pi * torch.randn(batch, 3, 1, 1, generator=generator)
    clean = torch.sin(waves[:, :1] * down + waves[:, 1:2] * across + waves[:, 2:])
    level = torch.rand(batch, 1, 1, 1, generator=generator) * 0.45 * math.pi
    noise = torch.randn(batch, 1, size, size, generator=generator)
    return torch.cat([level.cos() * clean + level.sin() * noise, level.expand_as(noise)], 1), noise


def roads(seed: int, batch: int = 32, size: int = 32) -> tuple[Tensor, Tensor]:
    """Grey pictures of a bending road seen from the car, and the angle of the steering wheel in degrees."""
    generator = _generator(seed)
    bend = 2 * torch.rand(batch, 1, 1, generator=generator) - 1
    shift = 0.3 * torch.randn(batch, 1, 1, generator=generator)
    down = torch.linspace(0, 1, size)[None, :, None]
    across = torch.linspace(-1, 1, size)[None, None, :]
    on_road = ((across - bend * (1 - down) ** 2 - shift * down).abs() < 0.1 + 0.5 * down).float()
    pictures = 2 * on_road - 1 + 0.3 * torch.randn(batch, size, size, generator=generator)
    return pictures.unsqueeze(1), 30 * bend.flatten(1) - 12 * shift.flatten(1)


def stories(seed: int, batch: int = 48, sentences: int = 6) -> tuple[Tensor, Tensor]:
    """Sentences (person, place), then a question (person, nothing), and the place where that person went last."""
    generator = _generator(seed)
    people = torch.randint(PEOPLE, (batch, sentences), generator=generator)
    places = torch.randint(PLACES, (batch, sentences), generator=generator)
    each = torch.arange(batch)
    asked = people[each, torch.randint(sentences, (batch,), generator=generator)]
    last = ((people == asked[:, None]) * torch.arange(1, sentences + 1)).argmax(1)
    story = torch.stack([people, PEOPLE + places], -1)
    question = torch.stack([asked, torch.full_like(asked, PEOPLE + PLACES)], -1)
    return torch.cat([story, question.unsqueeze(1)], 1), places[each, last]


def temperatures(seed: int, batch: int = 48) -> tuple[Tensor, Tensor]:
    """The powers 1 to 6 of temperatures in degrees Celsius, and the demand for electricity, standardised."""
    generator = _generator(seed)
    degrees = 35 * torch.rand(batch, 1, generator=generator)
    demand = ((degrees - 18).abs() / 10) ** 1.5 + 0.1 * torch.randn(batch, 1, generator=generator)
    return degrees ** torch.arange(1, 7), _standardised(demand)


def ratings(seed: int) -> tuple[Tensor, Tensor]:
    """All pairs (user, item), and ratings, standardised, by three tastes."""
    generator = _generator(seed)
    users, items = torch.randn(USERS, 3, generator=generator), torch.randn(ITEMS, 3, generator=generator)
    pairs = torch.cartesian_prod(torch.arange(USERS), torch.arange(ITEMS))
    pairs = pairs[torch.randperm(len(pairs), generator=generator)]
    return pairs, _standardised((users[pairs[:, 0]] * items[pairs[:, 1]]).sum(1, keepdim=True))


def noisy_rows(seed: int) -> tuple[Tensor, Tensor]:
    """Feature vectors whose class is hard to tell."""
    features, labels = rows(seed)
    return features + 2.5 * torch.randn(features.shape, generator=_generator(seed)), labels


def tones(seed: int, batch: int = 64, length: int = 64) -> tuple[Tensor, Tensor]:
    """A tone at random phase in a little noise, and which of four pitches it has."""
    generator = _generator(seed)
    labels = (torch.arange(batch) % 4)[torch.randperm(batch, generator=generator)]
    phase = 2 * math.pi * torch.rand(batch, 1, generator=generator)
    cycles = torch.tensor([2.0, 5.0, 9.0, 15.0])[labels].unsqueeze(1)
    wave = torch.sin(2 * math.pi * cycles * torch.arange(length) / length + phase)
    return (1.4 * wave + 0.02 * torch.randn(batch, length, generator=generator)).unsqueeze(-1), labels


def blobs(seed: int, batch: int = 32, size: int = 24) -> tuple[Tensor, Tensor]:
    """Pictures of a red, a green and a blue blob, and their places (down, across), standardised."""
    generator = _generator(seed)
    places = 1.6 * torch.rand(batch, 3, 2, generator=generator) - 0.8
    line = torch.linspace(-1, 1, size)
    down = torch.exp(-((line - places[..., :1]) ** 2) / 0.03)
    across = torch.exp(-((line - places[..., 1:]) ** 2) / 0.03)
    pictures = down.unsqueeze(-1) * across.unsqueeze(-2)
    return 3 * pictures + 0.1 * torch.randn(batch, 3, size, size, generator=generator), places / 0.46


def lorenz_steps(state: Tensor, steps: int, by: float = 0.02) -> Tensor:
    """The Lorenz system (its state scaled to about 1) after some steps by the midpoint rule."""

    def slope(at: Tensor) -> Tensor:
        x, y, z = at.unbind(-1)
        return torch.stack([10 * (y - x), x * (28 - 10 * z) - y, 10 * x * y - 8 / 3 * z], -1)

    for _ in range(steps):
        state = state + by * slope(state + by / 2 * slope(state))
    return state


def weather(seed: int, steps: int, batch: int = 32) -> tuple[Tensor, Tensor]:
    """Six sensors that see the state of a Lorenz system, and its state after some steps."""
    sensors = torch.randn(3, 6, generator=_generator(0))
    generator = _generator(seed)
    start = torch.randn(batch, 3, generator=generator) * 0.5 + torch.tensor([0.0, 0.0, 2.4])
    state = lorenz_steps(start, 200)
    seen = (state - torch.tensor([0.0, 0.0, 2.4])) @ sensors
    return seen + 0.01 * torch.randn(batch, 6, generator=generator), lorenz_steps(state, steps)


# Healthy


class DecisionTransformer(nn.Module):
    """A causal transformer over returns to go, states and actions; the actions are read off at the states."""

    def __init__(self, length: int = 8, width: int = 64) -> None:
        super().__init__()
        self.to_go, self.state, self.action = nn.Linear(1, width), nn.Linear(6, width), nn.Linear(2, width)
        self.time = nn.Embedding(length, width)
        self.norm = nn.LayerNorm(width)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, activation="gelu", batch_first=True)
        self.blocks = nn.TransformerEncoder(layer, 3)
        self.head = nn.Sequential(nn.Linear(width, 2))

    def forward(self, path: Tensor) -> Tensor:
        """The actions (batch, step, 2), each from what came before it."""
        time = self.time(torch.arange(path.shape[1], device=path.device))
        parts = [self.to_go(path[..., :1]), self.state(path[..., 1:7]), self.action(path[..., 7:])]
        joined = self.norm((torch.stack(parts, 2) + time.unsqueeze(1)).flatten(1, 2))
        mask = nn.Transformer.generate_square_subsequent_mask(joined.shape[1], device=path.device)
        out: Tensor = self.head(self.blocks(joined, mask=mask, is_causal=True)[:, 1::3])
        return out


def decision_transformer(seed: int) -> Case:
    """A decision transformer for offline reinforcement learning."""
    return made(seed, DecisionTransformer, decisions(seed))


def sparsemax(x: Tensor) -> Tensor:
    """The nearest point of the simplex: a softmax with exact zeros."""
    ordered, _ = x.sort(-1, descending=True)
    excess = ordered.cumsum(-1) - 1
    count = torch.arange(1, x.shape[-1] + 1, device=x.device)
    kept = (count * ordered > excess).sum(-1, keepdim=True)
    return F.relu(x - excess.gather(-1, kept - 1) / kept)


class GatedStep(nn.Module):
    """A linear layer with batch norm and a gated linear unit."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.linear = nn.Linear(before, 2 * after, bias=False)
        self.norm = nn.BatchNorm1d(2 * after)

    def forward(self, x: Tensor) -> Tensor:
        """The gated features."""
        return F.glu(self.norm(self.linear(x)), -1)


class TabNet(nn.Module):
    """TabNet: at each of three steps a sparse mask picks the columns to look at."""

    def __init__(self, features: int = 32, width: int = 24, steps: int = 3) -> None:
        super().__init__()
        self.width = width
        self.norm = nn.BatchNorm1d(features)
        self.shared = GatedStep(features, 2 * width)
        self.own = nn.ModuleList(GatedStep(2 * width, 2 * width) for _ in range(steps + 1))
        self.masks = nn.ModuleList(
            nn.Sequential(nn.Linear(width, features, bias=False), nn.BatchNorm1d(features)) for _ in range(steps)
        )
        self.head = nn.Linear(width, CLASSES, bias=False)

    def _look(self, x: Tensor, own: nn.Module) -> tuple[Tensor, Tensor]:
        """The features of a step: one half to decide by, one half to pick the next columns."""
        shared = self.shared(x)
        out = (shared + own(shared)) * math.sqrt(0.5)
        return out[:, : self.width], out[:, self.width :]

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each row."""
        x = self.norm(x)
        _, attention = self._look(x, self.own[0])
        prior = torch.ones_like(x)
        decision = torch.zeros_like(attention)
        for mask, own in zip(self.masks, list(self.own)[1:], strict=True):
            weights = sparsemax(prior * mask(attention))
            prior = prior * (1.5 - weights)
            decided, attention = self._look(weights * x, own)
            decision = decision + F.relu(decided)
        out: Tensor = self.head(decision)
        return out


def tab_net(seed: int) -> Case:
    """TabNet on a table, with sparsemax, gated linear units and batch norm."""
    return made(seed, TabNet, rows(seed, batch=48))


class TreeLSTM(nn.Module):
    """A binary TreeLSTM over the balanced tree of a sentence."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, width)
        self.leaf = nn.Linear(width, 2 * width)
        self.gates = nn.Linear(2 * width, 5 * width)
        self.head = nn.Linear(width, 4)

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the classes, from the root of each tree."""
        hidden, cell = self.leaf(self.words(text)).chunk(2, -1)
        hidden = torch.tanh(hidden)
        while hidden.shape[1] > 1:
            inward, left, right, out, new = self.gates(hidden.reshape(len(text), -1, 2 * hidden.shape[2])).chunk(5, -1)
            kept = torch.sigmoid(left + 1) * cell[:, ::2] + torch.sigmoid(right + 1) * cell[:, 1::2]
            cell = torch.sigmoid(inward) * torch.tanh(new) + kept
            hidden = torch.sigmoid(out) * torch.tanh(cell)
        scores: Tensor = self.head(hidden.squeeze(1))
        return scores


def tree_lstm(seed: int) -> Case:
    """A TreeLSTM that joins words two by two up to the root."""
    return made(seed, TreeLSTM, reviews(seed))


class QuasiRecurrentLayer(nn.Module):
    """A causal convolution makes all gates; only the pooling runs along the series."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(before, 3 * width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """The gated states at each step."""
        new, forget, out = self.convolution(F.pad(x.transpose(1, 2), (2, 0))).transpose(1, 2).chunk(3, -1)
        new, forget = torch.tanh(new), torch.sigmoid(forget)
        state, states = torch.zeros_like(new[:, 0]), []
        for step in range(x.shape[1]):
            state = forget[:, step] * state + (1 - forget[:, step]) * new[:, step]
            states.append(state)
        return torch.sigmoid(out) * torch.stack(states, 1)


class QuasiRecurrent(nn.Module):
    """Two quasi-recurrent layers, and a linear head on the last state."""

    def __init__(self, features: int = 8, width: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(QuasiRecurrentLayer(features, width), QuasiRecurrentLayer(width, width))
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        out: Tensor = self.head(self.layers(x)[:, -1])
        return out


def quasi_recurrent(seed: int) -> Case:
    """A quasi-recurrent network as a classifier of time series."""
    return made(seed, QuasiRecurrent, sequences(seed))


class QuarterTurnConvolution(nn.Module):
    """A convolution over the group of shifts and quarter turns: (batch, channel, turn, row, column)."""

    def __init__(self, before: int, after: int, turns_before: int = 4) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(after, before, turns_before, 3, 3))
        nn.init.kaiming_normal_(self.weight)
        self.norm = nn.BatchNorm3d(after)

    def forward(self, x: Tensor) -> Tensor:
        """The features at each of the four turns."""
        turned = [self.weight.roll(turn, 2).rot90(turn, (3, 4)).flatten(1, 2) for turn in range(4)]
        kernels = torch.stack(turned, 1).flatten(0, 1)
        out = F.conv2d(x.flatten(1, 2), kernels, padding=1)
        return F.relu(self.norm(out.reshape(len(x), -1, 4, *x.shape[3:])))


class RotationEquivariant(nn.Module):
    """A network whose answer doesn't change when the image is turned by a quarter."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        self.lift = QuarterTurnConvolution(3, width, turns_before=1)
        self.middle = nn.ModuleList(QuarterTurnConvolution(width, width) for _ in range(3))
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each image."""
        x = self.lift(x.unsqueeze(2))
        for layer in self.middle:
            x = F.avg_pool3d(layer(x), (1, 2, 2))
        out: Tensor = self.head(x.amax(2).mean((2, 3)))
        return out


def rotation_equivariant(seed: int) -> Case:
    """A group-equivariant convolutional network over quarter turns."""
    return made(seed, RotationEquivariant, images(seed, 20, 24))


class ModulatedBlock(nn.Module):
    """A transformer block whose norms and gates are set by the noise level, all gates zero at the start."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=False) for _ in range(2))
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.modulation = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        """The patches after attention and perceptron."""
        shift, scale, gate, shift_2, scale_2, gate_2 = self.modulation(level).unsqueeze(1).chunk(6, -1)
        y = self.norms[0](x) * (1 + scale) + shift
        x = x + gate * self.attention(y, y, y, need_weights=False)[0]
        out: Tensor = x + gate_2 * self.mlp(self.norms[1](x) * (1 + scale_2) + shift_2)
        return out


class DiffusionTransformer(nn.Module):
    """Predicts the noise in a picture, given the noise level as a second channel."""

    def __init__(self, width: int = 64, patch: int = 4, size: int = 16, blocks: int = 3) -> None:
        super().__init__()
        self.patch = patch
        self.embed = nn.Conv2d(1, width, patch, stride=patch)
        self.position = nn.Parameter(0.02 * torch.randn((size // patch) ** 2, width))
        self.level = nn.Sequential(nn.Linear(16, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.blocks = nn.ModuleList(ModulatedBlock(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, patch**2)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """The noise in each picture."""
        angles = x[:, 1, :1, 0] * torch.arange(1, 9, device=x.device)
        level = self.level(torch.cat([angles.sin(), angles.cos()], -1))
        patches = self.embed(x[:, :1])
        y = patches.flatten(2).transpose(1, 2) + self.position
        for block in self.blocks:
            y = block(y, level)
        out = self.head(self.norm(y)).transpose(1, 2).unflatten(2, patches.shape[2:])
        return F.pixel_shuffle(out, self.patch)


def diffusion_transformer(seed: int) -> Case:
    """A small DiT: its gates and its head start at zero, as its authors have it."""
    return made(seed, DiffusionTransformer, noised_waves(seed))


class EchoState(nn.Module):
    """A frozen random reservoir of leaky tanh units, and a trained readout of its mean and last state."""

    def __init__(self, features: int = 8, units: int = 160, radius: float = 0.9) -> None:
        super().__init__()
        self.feed = nn.Linear(features, units, bias=False).requires_grad_(False)
        self.turn = nn.Linear(units, units, bias=False).requires_grad_(False)
        self.readout = nn.Linear(2 * units, CLASSES)
        sparse = torch.randn(units, units) * (torch.rand(units, units) < 0.1)
        self.turn.weight.copy_(sparse * radius / torch.linalg.eigvals(sparse).abs().max())

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        state, states = x.new_zeros(x.shape[0], self.turn.in_features), []
        for step in x.unbind(1):
            state = 0.5 * state + 0.5 * torch.tanh(self.feed(step) + self.turn(state))
            states.append(state)
        out: Tensor = self.readout(torch.cat([torch.stack(states).mean(0), state], -1))
        return out


def echo_state(seed: int) -> Case:
    """An echo state network: all but its readout is frozen at random weights."""
    return made(seed, EchoState, sequences(seed))


def _driver() -> nn.Sequential:
    """Convolutions and a perceptron from the camera to the steering wheel."""
    layers: list[nn.Module] = []
    for before, after in ((1, 12), (12, 24), (24, 32)):
        layers += [nn.Conv2d(before, after, 5, stride=2, padding=2), nn.ELU()]
    layers += [nn.Flatten(), nn.Linear(512, 64), nn.ELU(), nn.Linear(64, 16), nn.ELU(), nn.Linear(16, 1)]
    return nn.Sequential(*layers)


def half_trained_driver(seed: int) -> Case:
    """A network that steers a car, after 12 steps of Adam on other roads; angles in units of 20 degrees."""

    def build() -> nn.Module:
        model = _driver()
        adam = torch.optim.Adam(model.parameters(), 5e-4)
        pictures, degrees = roads(seed + 1000)
        for _ in range(12):
            adam.zero_grad()
            torch.autograd.backward(F.mse_loss(model(pictures), degrees / 20))
            adam.step()
        model.zero_grad()
        return model

    pictures, degrees = roads(seed)
    return made(seed, build, (pictures, degrees / 20))


class MemoryNetwork(nn.Module):
    """An end-to-end memory network: two hops over the sentences of a story."""

    def __init__(self, sentences: int = 6, width: int = 32, hops: int = 2) -> None:
        super().__init__()
        words = PEOPLE + PLACES + 1
        self.question = nn.Embedding(words, width)
        self.keys = nn.ModuleList(nn.Embedding(words, width) for _ in range(hops))
        self.values = nn.ModuleList(nn.Embedding(words, width) for _ in range(hops))
        self.times = nn.ParameterList(torch.zeros(sentences, width) for _ in range(hops))
        self.head = nn.Linear(width, PLACES, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.2)

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the places, for each question."""
        story, state = text[:, :-1], self.question(text[:, -1]).sum(1)
        for key, value, time in zip(self.keys, self.values, self.times, strict=True):
            weights = ((key(story).sum(2) + time) @ state.unsqueeze(-1)).softmax(1)
            state = state + (weights * (value(story).sum(2) + time)).sum(1)
        out: Tensor = self.head(state)
        return out


def memory_network(seed: int) -> Case:
    """A memory network that answers questions about short stories."""
    return made(seed, MemoryNetwork, stories(seed))


class ReversibleBlock(nn.Module):
    """Two halves of the channels, each of which is added to by a branch of the other."""

    def __init__(self, half: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(nn.GroupNorm(4, half), nn.ReLU(), nn.Conv2d(half, half, 3, padding=1)) for _ in range(2)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Both halves, changed one after the other."""
        left, right = x.chunk(2, 1)
        left = left + self.branches[0](right)
        right = right + self.branches[1](left)
        return torch.cat([left, right], 1)


def reversible_network(seed: int) -> Case:
    """A reversible residual network: its way down in resolution is by unshuffled pixels."""

    def build() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1),
            *(ReversibleBlock(8) for _ in range(3)),
            nn.PixelUnshuffle(2),
            *(ReversibleBlock(32) for _ in range(3)),
            nn.GroupNorm(8, 64),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(64, CLASSES),
        )

    return made(seed, build, images(seed, 20, 24))


# Sick


def _demand(seed: int, standardise: bool) -> Case:
    """A perceptron of powers of the temperature."""

    def build() -> nn.Module:
        return nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))

    powers, demand = temperatures(seed)
    return made(seed, build, (_standardised(powers) if standardise else powers, demand))


class StandardisedConvolution(nn.Conv2d):
    """A convolution whose filters are brought to mean 0 and standard deviation 1."""

    def forward(self, x: Tensor) -> Tensor:
        """The filtered image."""
        deviation, mean = torch.std_mean(self.weight, (1, 2, 3), keepdim=True)
        return F.conv2d(x, (self.weight - mean) / deviation, self.bias, self.stride, self.padding)


def _standardised_filters(seed: int, norm: Callable[[], nn.Module]) -> Case:
    """Seven convolutions with standardised filters, from the camera to the steering wheel."""

    def build() -> nn.Module:
        layers: list[nn.Module] = []
        for number in range(7):
            stride = 2 if number in (1, 4) else 1
            layers += [StandardisedConvolution(32 if number else 1, 32, 3, stride, padding=1), norm(), nn.ReLU()]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 1))

    pictures, degrees = roads(seed)
    return made(seed, build, (pictures, degrees / 20))


class Factors(nn.Module):
    """A matrix of ratings in factors, with biases of users, items and all."""

    users: Tensor
    items: Tensor

    def __init__(self, registered: bool, width: int = 8) -> None:
        super().__init__()
        users, items = 0.3 * torch.randn(USERS, width), 0.3 * torch.randn(ITEMS, width)
        self.users = nn.Parameter(users) if registered else users
        self.items = nn.Parameter(items) if registered else items
        self.user_bias = nn.Embedding(USERS, 1)
        self.item_bias = nn.Embedding(ITEMS, 1)
        self.bias = nn.Parameter(torch.zeros(1))
        nn.init.zeros_(self.user_bias.weight)
        nn.init.zeros_(self.item_bias.weight)

    def forward(self, pairs: Tensor) -> Tensor:
        """The rating of each pair."""
        user, item = pairs.unbind(1)
        together = (self.users[user] * self.items[item]).sum(1, keepdim=True)
        out: Tensor = together + self.user_bias(user) + self.item_bias(item) + self.bias
        return out


class RecurrentLanguageModel(nn.Module):
    """An embedding, a GRU, and the scores (or, by mistake, the probabilities) of the next token."""

    def __init__(self, last: nn.Module, width: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, width)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.head = nn.Sequential(nn.Linear(width, VOCABULARY), last)

    def forward(self, text: Tensor) -> Tensor:
        """What is said of the next token, after each token."""
        out: Tensor = self.head(self.gru(self.embedding(text))[0])
        return out


class Rounded(nn.Module):
    """Whole numbers, as they are to be stored."""

    def forward(self, x: Tensor) -> Tensor:
        """The nearest whole numbers."""
        return x.round()


class RoundedInEffect(nn.Module):
    """Noise of the size of the rounding, in place of the rounding."""

    def forward(self, x: Tensor) -> Tensor:
        """The numbers, each off by up to a half."""
        return x + torch.rand_like(x) - 0.5


def _compressor(seed: int, code: nn.Module) -> Case:
    """An autoencoder that stores images as whole numbers."""

    def build() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 32, 5, stride=2, padding=2),
            nn.GELU(),
            nn.Conv2d(32, 32, 5, stride=2, padding=2),
            nn.GELU(),
            nn.Conv2d(32, 16, 3, padding=1),
            code,
            nn.ConvTranspose2d(16, 32, 4, stride=2, padding=1),
            nn.GELU(),
            nn.ConvTranspose2d(32, 32, 4, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(32, 3, 3, padding=1),
        )

    pictures, _ = images(seed, 24, 24, noise=0.1)
    return made(seed, build, (pictures, pictures))


class HighwayLayer(nn.Module):
    """A layer whose gate says how much of it is new and how much is carried on."""

    def __init__(self, width: int, gate_bias: float) -> None:
        super().__init__()
        self.new = nn.Linear(width, width)
        self.gate = nn.Linear(width, width)
        nn.init.constant_(self.gate.bias, gate_bias)

    def forward(self, x: Tensor) -> Tensor:
        """The mixture of new and old."""
        gate = torch.sigmoid(self.gate(x))
        return gate * F.relu(self.new(x)) + (1 - gate) * x


def _highway(seed: int, gate_bias: float) -> Case:
    """A highway network of 50 layers on feature vectors."""

    def build() -> nn.Module:
        layers = [HighwayLayer(64, gate_bias) for _ in range(50)]
        return nn.Sequential(nn.Linear(32, 64), *layers, nn.Linear(64, CLASSES))

    return made(seed, build, rows(seed))


def _after_training(seed: int, momentum: float, weight_decay: float) -> Case:
    """A perceptron after 600 steps of SGD on other rows of the same kind."""

    def build() -> nn.Module:
        layers: list[nn.Module] = [nn.Linear(32, 64), nn.ReLU()]
        for _ in range(6):
            layers += [nn.Linear(64, 64), nn.ReLU()]
        model = nn.Sequential(*layers, nn.Linear(64, CLASSES))
        sgd = torch.optim.SGD(model.parameters(), 0.05, momentum=momentum, weight_decay=weight_decay)
        for step in range(600):
            features, labels = noisy_rows(1000 * (seed + 1) + step)
            sgd.zero_grad()
            torch.autograd.backward(F.cross_entropy(model(features), labels))
            sgd.step()
        model.zero_grad()
        return model

    return made(seed, build, noisy_rows(seed))


class StateSpaceLayer(nn.Module):
    """A residual layer of diagonal state spaces, run as a long causal convolution."""

    def __init__(self, width: int, act: nn.Module, states: int = 8) -> None:
        super().__init__()
        self.log_step = nn.Parameter(torch.empty(width, 1).uniform_(math.log(0.01), math.log(0.3)))
        self.log_decay = nn.Parameter(torch.full((width, states), math.log(0.5)))
        self.turn = nn.Parameter(math.pi * torch.arange(states).repeat(width, 1))
        self.read = nn.Parameter(torch.randn(width, states, 2) / states**0.5)
        self.skip = nn.Parameter(torch.randn(width))
        self.act = act
        self.mix = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """The series (batch, step, channel), changed."""
        length = x.shape[1]
        step, time = self.log_step.exp(), torch.arange(length, device=x.device)
        fade = torch.exp(-(self.log_decay.exp() * step).unsqueeze(-1) * time)
        angle = (self.turn * step).unsqueeze(-1) * time
        waves = self.read[..., :1] * angle.cos() + self.read[..., 1:] * angle.sin()
        kernel = (fade * waves).sum(1) * step
        spectrum = torch.fft.rfft(x, 2 * length, dim=1) * torch.fft.rfft(kernel.T, 2 * length, dim=0)
        convolved = torch.fft.irfft(spectrum, 2 * length, dim=1)[:, :length] + self.skip * x
        out: Tensor = x + self.mix(self.act(convolved))
        return out


class StateSpaces(nn.Module):
    """Four layers of state spaces, averaged over time for a class."""

    def __init__(self, act: Callable[[], nn.Module], width: int = 32) -> None:
        super().__init__()
        self.embed = nn.Linear(1, width)
        self.layers = nn.Sequential(*(StateSpaceLayer(width, act()) for _ in range(4)))
        self.head = nn.Linear(width, 4)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the pitches, for each series."""
        out: Tensor = self.head(self.layers(self.embed(x)).mean(1))
        return out


class LorenzForecast(nn.Module):
    """A network guesses the state of a Lorenz system from sensors; the system's own equations run it on."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.state = nn.Sequential(nn.Linear(6, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 3))
        self.register_buffer("middle", torch.tensor([0.0, 0.0, 2.4]))

    def forward(self, seen: Tensor) -> Tensor:
        """The state at the end."""
        return lorenz_steps(self.state(seen) + self.get_buffer("middle"), self.steps)


class SlotPlaces(nn.Module):
    """Three slots that look at an image, and say each where its thing is."""

    def __init__(self, slots: int, width: int = 48) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 32, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(32, width, 3, stride=2, padding=1)
        )
        self.position = nn.Parameter(torch.randn(36, width))
        self.slots = nn.Parameter(torch.randn(1, slots, width))
        layer = nn.TransformerDecoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.decoder = nn.TransformerDecoder(layer, 2, norm=nn.LayerNorm(width))
        self.head = nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        """The places (batch, slot, 2)."""
        patches = self.features(x).flatten(2).transpose(1, 2) + self.position
        out: Tensor = self.head(self.decoder(self.slots.expand(x.shape[0], 3, -1), patches))
        return out


HEALTHY_NINTH: dict[str, Callable[[int], Case]] = {
    "decision_transformer": decision_transformer,
    "tab_net": tab_net,
    "tree_lstm": tree_lstm,
    "quasi_recurrent": quasi_recurrent,
    "rotation_equivariant": rotation_equivariant,
    "diffusion_transformer": diffusion_transformer,
    "echo_state": echo_state,
    "half_trained_driver": half_trained_driver,
    "memory_network": memory_network,
    "reversible_network": reversible_network,
}

SICK_NINTH: dict[str, Sick] = {
    "powers_of_temperatures": Sick(
        lambda seed: _demand(seed, standardise=False),
        "exploding",
        lambda seed: _demand(seed, standardise=True),
        "standardise each power",
    ),
    "filters_standardised_without_norm": Sick(
        lambda seed: _standardised_filters(seed, nn.Identity),
        "exploding",
        lambda seed: _standardised_filters(seed, lambda: nn.GroupNorm(8, 32)),
        "a group norm after each convolution",
    ),
    "factors_not_registered": Sick(
        lambda seed: made(seed, lambda: Factors(registered=False), ratings(seed)),
        "dead",
        lambda seed: made(seed, lambda: Factors(registered=True), ratings(seed)),
        "make the factors parameters",
    ),
    "softmax_before_cross_entropy": Sick(
        lambda seed: made(seed, lambda: RecurrentLanguageModel(nn.Softmax(-1)), tokens(seed)),
        ("dead", "vanishing"),
        lambda seed: made(seed, lambda: RecurrentLanguageModel(nn.Identity()), tokens(seed)),
        "hand over the scores without softmax",
    ),
    "codes_rounded_in_training": Sick(
        lambda seed: _compressor(seed, Rounded()),
        ("dead", "collapsed"),
        lambda seed: _compressor(seed, RoundedInEffect()),
        "add uniform noise in training in place of rounding",
    ),
    "highway_gates_at_a_half": Sick(
        lambda seed: _highway(seed, 0.0),
        "vanishing",
        lambda seed: _highway(seed, -3.0),
        "start the gates' biases at -3",
    ),
    "momentum_given_as_decay": Sick(
        lambda seed: _after_training(seed, momentum=0.0, weight_decay=0.9),
        ("vanishing", "collapsed"),
        lambda seed: _after_training(seed, momentum=0.9, weight_decay=0.0),
        "give 0.9 as the momentum, not as the weight decay",
    ),
    "state_spaces_without_act": Sick(
        lambda seed: made(seed, lambda: StateSpaces(nn.Identity), tones(seed)),
        "linear",
        lambda seed: made(seed, lambda: StateSpaces(nn.GELU), tones(seed)),
        "a GELU after each state space",
    ),
    "forecast_through_chaos": Sick(
        lambda seed: made(seed, lambda: LorenzForecast(1000), weather(seed, 1000)),
        ("shattered", "exploding"),
        lambda seed: made(seed, lambda: LorenzForecast(20), weather(seed, 20)),
        "forecast over a short time",
    ),
    "slots_all_from_one": Sick(
        lambda seed: made(seed, lambda: SlotPlaces(slots=1), blobs(seed)),
        "collapsed",
        lambda seed: made(seed, lambda: SlotPlaces(slots=3), blobs(seed)),
        "start each slot from a vector of its own",
    ),
}
