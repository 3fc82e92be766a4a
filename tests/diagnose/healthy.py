"""Networks as others build and initialise them, all of which train: a diagnosis ought to find nothing wrong with them.

Every factory takes a seed and returns a model in training mode, a batch of inputs and its labels. The labels are class
numbers: one for each input, or one for each token (the language model) or pixel (the U-Net). Some of the factories need
torchvision or timm, and import them when called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASSES = 10
VOCABULARY = 32


class Case(NamedTuple):
    """A model in training mode, a batch of inputs and its labels."""

    model: nn.Module
    inputs: Tensor
    targets: Tensor


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch on the CPU, and leave its random numbers outside as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def made(seed: int, build: Callable[[], nn.Module], batch: tuple[Tensor, Tensor]) -> Case:
    """Build a model from a seed, and join it to its batch."""
    with seeded(seed):
        model = build()
    return Case(model.train(), *batch)


def _labels(batch: int, classes: int, generator: torch.Generator) -> Tensor:
    """As many inputs of each class as the batch allows, in random order."""
    return (torch.arange(batch) % classes)[torch.randperm(batch, generator=generator)]


def rows(seed: int, batch: int = 32, features: int = 32, classes: int = CLASSES) -> tuple[Tensor, Tensor]:
    """Feature vectors whose mean depends on the class; the classes are the same at every seed."""
    means = torch.randn(classes, features, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(seed)
    labels = _labels(batch, classes, generator)
    noise = torch.randn(batch, features, generator=generator)
    return 0.8 * means[labels] + 0.6 * noise, labels


def images(seed: int, batch: int, size: int, noise: float = 0.5) -> tuple[Tensor, Tensor]:
    """Colour images: a smooth pattern for each class, the same at every seed, plus noise in every pixel."""
    coarse = torch.randn(CLASSES, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    patterns = F.interpolate(coarse, size=(size, size), mode="bilinear")
    generator = torch.Generator().manual_seed(seed)
    labels = _labels(batch, CLASSES, generator)
    return patterns[labels] + noise * torch.randn(batch, 3, size, size, generator=generator), labels


def sequences(seed: int, batch: int = 32, length: int = 24, features: int = 8) -> tuple[Tensor, Tensor]:
    """Time series: a curve for each class, the same at every seed, plus noise at every step."""
    coarse = torch.randn(CLASSES, features, 6, generator=torch.Generator().manual_seed(0))
    curves = F.interpolate(coarse, size=length, mode="linear").transpose(1, 2)
    generator = torch.Generator().manual_seed(seed)
    labels = _labels(batch, CLASSES, generator)
    noise = torch.randn(batch, length, features, generator=generator)
    return curves[labels] + 0.5 * noise, labels


def tokens(seed: int, batch: int = 16, length: int = 24) -> tuple[Tensor, Tensor]:
    """Token sequences by a noisy rule, and the token that follows each one."""
    generator = torch.Generator().manual_seed(seed)
    text = torch.randint(VOCABULARY, (batch, length + 1), generator=generator)
    by_rule = torch.rand(batch, length + 1, generator=generator) < 0.9
    for step in range(1, length + 1):
        text[:, step] = torch.where(by_rule[:, step], (5 * text[:, step - 1] + 3) % VOCABULARY, text[:, step])
    return text[:, :-1], text[:, 1:]


def scenes(seed: int, batch: int = 16, size: int = 32) -> tuple[Tensor, Tensor]:
    """Colour images of a disc and a square on a ground, and the class (0 to 2) of each pixel."""
    colours = torch.tensor([[-0.8, -0.2, 0.1], [0.9, 0.3, -0.6], [0.2, -0.7, 1.1]])
    generator = torch.Generator().manual_seed(seed)
    down, across = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    middle = torch.randint(size // 5, size - size // 5, (batch, 2, 2), generator=generator)
    down_by, across_by = (down - middle[:, :, :1, None]).abs(), (across - middle[:, :, 1:, None]).abs()
    labels = torch.zeros(batch, size, size, dtype=torch.long)
    labels[(down_by[:, 0] ** 2 + across_by[:, 0] ** 2) < (size // 5) ** 2] = 1
    labels[torch.maximum(down_by[:, 1], across_by[:, 1]) < size // 7] = 2
    noise = torch.randn(batch, 3, size, size, generator=generator)
    return colours[labels].permute(0, 3, 1, 2) + 0.4 * noise, labels


class SeriesTransformer(nn.Module):
    """A transformer encoder over time steps, averaged for a class."""

    def __init__(self, features: int = 8, length: int = 24, width: int = 64, layers: int = 4) -> None:
        super().__init__()
        self.embed = nn.Linear(features, width)
        self.position = nn.Parameter(0.02 * torch.randn(length, width))
        layer = nn.TransformerEncoderLayer(width, nhead=4, dim_feedforward=2 * width, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        out: Tensor = self.head(self.encoder(self.embed(x) + self.position).mean(1))
        return out


class RecurrentClassifier(nn.Module):
    """A recurrent network of torch.nn, and a linear head on its output at the last step."""

    def __init__(self, recurrent: nn.RNNBase) -> None:
        super().__init__()
        self.recurrent = recurrent
        both = 2 if recurrent.bidirectional else 1
        self.head = nn.Linear(both * recurrent.hidden_size, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        hidden, _ = self.recurrent(x)
        out: Tensor = self.head(hidden[:, -1])
        return out


class LanguageModel(nn.Module):
    """A decoder-only transformer: scores (batch, position, vocabulary) of the next token."""

    def __init__(self, length: int = 24, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        self.token = nn.Embedding(VOCABULARY, width)
        self.position = nn.Embedding(length, width)
        layer = nn.TransformerEncoderLayer(
            width, nhead=4, dim_feedforward=4 * width, activation="gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, VOCABULARY, bias=False)

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the next token, after each token."""
        length = text.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length, device=text.device)
        x = self.token(text) + self.position(torch.arange(length, device=text.device))
        out: Tensor = self.head(self.blocks(x, mask=mask, is_causal=True))
        return out


def _two_convolutions(channels: int, width: int) -> nn.Sequential:
    """The usual pair of convolutions of a U-Net."""
    layers: list[nn.Module] = []
    for before in (channels, width):
        layers += [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """A U-Net of three resolutions: scores (batch, class, row, column) for each pixel."""

    def __init__(self, width: int = 16, classes: int = 3) -> None:
        super().__init__()
        self.down = nn.ModuleList([_two_convolutions(3, width), _two_convolutions(width, 2 * width)])
        self.bottom = _two_convolutions(2 * width, 4 * width)
        self.widen = nn.ModuleList(
            [nn.ConvTranspose2d(4 * width, 2 * width, 2, stride=2), nn.ConvTranspose2d(2 * width, width, 2, stride=2)]
        )
        self.up = nn.ModuleList([_two_convolutions(4 * width, 2 * width), _two_convolutions(2 * width, width)])
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, at each pixel."""
        kept = []
        for block in self.down:
            x = block(x)
            kept.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)
        for widen, block in zip(self.widen, self.up, strict=True):
            x = block(torch.cat([kept.pop(), widen(x)], 1))
        out: Tensor = self.head(x)
        return out


class SoftMixture(nn.Module):
    """A layer of experts, all of which answer, weighted by a soft router."""

    def __init__(self, width: int, experts: int = 4) -> None:
        super().__init__()
        self.router = nn.Linear(width, experts)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)) for _ in range(experts)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The experts' answers, averaged by the router's weights."""
        answers = torch.stack([expert(x) for expert in self.experts], -1)
        return (answers * self.router(x).softmax(-1).unsqueeze(-2)).sum(-1)


class MixtureOfExperts(nn.Module):
    """A classifier of feature vectors: residual layers of softly routed experts."""

    def __init__(self, features: int = 32, width: int = 48, layers: int = 3) -> None:
        super().__init__()
        self.embed = nn.Linear(features, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.mixtures = nn.ModuleList(SoftMixture(width) for _ in range(layers))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each vector."""
        x = self.embed(x)
        for norm, mixture in zip(self.norms, self.mixtures, strict=True):
            x = x + mixture(norm(x))
        out: Tensor = self.head(x)
        return out


class RecurrentResidual(nn.Module):
    """One residual block, of the same weights at each of its eight turns."""

    def __init__(self, width: int = 32, turns: int = 8) -> None:
        super().__init__()
        self.turns = turns
        self.stem = nn.Conv2d(3, width, 3, stride=2, padding=1)
        self.norm = nn.GroupNorm(4, width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each image."""
        x = self.stem(x)
        for _ in range(self.turns):
            x = x + self.second(F.silu(self.first(F.silu(self.norm(x)))))
        out: Tensor = self.head(F.silu(x).mean((2, 3)))
        return out


def transformer_encoder(seed: int) -> Case:
    """nn.TransformerEncoder as a classifier of time series, dropout and all."""
    return made(seed, SeriesTransformer, sequences(seed))


def lstm(seed: int) -> Case:
    """A bidirectional nn.LSTM of two layers as a classifier of time series."""
    return made(
        seed,
        lambda: RecurrentClassifier(nn.LSTM(8, 64, num_layers=2, batch_first=True, bidirectional=True)),
        sequences(seed),
    )


def gru(seed: int) -> Case:
    """An nn.GRU of one layer as a classifier of time series."""
    return made(seed, lambda: RecurrentClassifier(nn.GRU(8, 96, batch_first=True)), sequences(seed))


def language_model(seed: int) -> Case:
    """A decoder-only language model on integer tokens, with nn.Embedding and a causal mask."""
    return made(seed, LanguageModel, tokens(seed))


def unet(seed: int) -> Case:
    """A U-Net that gives each pixel a class."""
    return made(seed, UNet, scenes(seed))


def mlp_layer_norm(seed: int) -> Case:
    """A multilayer perceptron with LayerNorm before each GELU."""

    def build() -> nn.Module:
        layers: list[nn.Module] = []
        for before in (32, 128, 128, 128):
            layers += [nn.Linear(before, 128), nn.LayerNorm(128), nn.GELU()]
        return nn.Sequential(*layers, nn.Linear(128, CLASSES))

    return made(seed, build, rows(seed))


def mixture_of_experts(seed: int) -> Case:
    """A small mixture of experts with a soft router."""
    return made(seed, MixtureOfExperts, rows(seed))


def recurrent_residual(seed: int) -> Case:
    """A residual block that is run eight times with the same weights."""
    return made(seed, RecurrentResidual, images(seed, 16, 32))


def _torchvision() -> Any:
    """torchvision.models, also where torchvision was built for another torch and its compiled operators can't load.

    Its import then fails for two operators of object detection, which none of these networks uses: they get a name
    without a body.
    """
    try:
        import torchvision
    except RuntimeError:
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    return torchvision.models


def torchvision_resnet18(seed: int) -> Case:
    """ResNet-18."""
    models = _torchvision()
    return made(seed, lambda: models.resnet18(weights=None, num_classes=CLASSES), images(seed, 16, 64))


def torchvision_densenet(seed: int) -> Case:
    """DenseNet at small width: three dense blocks of 4, 8 and 6 layers."""
    models = _torchvision()
    return made(
        seed,
        lambda: models.DenseNet(growth_rate=12, block_config=(4, 8, 6), num_init_features=24, num_classes=CLASSES),
        images(seed, 16, 64),
    )


def torchvision_vgg11_bn(seed: int) -> Case:
    """VGG-11 with batch norm, and one linear layer as its head, as users have it for small images."""
    models = _torchvision()

    def build() -> nn.Module:
        model: nn.Module = models.vgg11_bn(weights=None)
        model.avgpool = nn.AdaptiveAvgPool2d(1)
        model.classifier = nn.Linear(512, CLASSES)
        return model

    return made(seed, build, images(seed, 16, 32))


def torchvision_mobilenet_v3_small(seed: int) -> Case:
    """MobileNetV3, small."""
    models = _torchvision()
    return made(seed, lambda: models.mobilenet_v3_small(weights=None, num_classes=CLASSES), images(seed, 16, 64))


def torchvision_convnext_tiny(seed: int) -> Case:
    """ConvNeXt, tiny: its residual branches start at a scale of 1e-6."""
    models = _torchvision()
    return made(seed, lambda: models.convnext_tiny(weights=None, num_classes=CLASSES), images(seed, 16, 64))


def torchvision_vit(seed: int) -> Case:
    """A vision transformer of few layers: its head starts at zero."""
    models = _torchvision()
    return made(
        seed,
        lambda: models.VisionTransformer(
            image_size=32, patch_size=8, num_layers=4, num_heads=4, hidden_dim=64, mlp_dim=256, num_classes=CLASSES
        ),
        images(seed, 16, 32),
    )


def _timm(name: str, **options: Any) -> nn.Module:
    """A model of timm, without trained weights."""
    _torchvision()
    import timm

    model: nn.Module = timm.create_model(name, pretrained=False, num_classes=CLASSES, **options)
    return model


def timm_nf_regnet_b0(seed: int) -> Case:
    """A RegNet without normalisers: standardised weights, and branches whose gain starts at zero."""
    return made(seed, lambda: _timm("nf_regnet_b0"), images(seed, 16, 64))


def timm_mixer(seed: int) -> Case:
    """MLP-Mixer of 4 blocks: its head starts at zero."""
    _torchvision()
    from timm.models.mlp_mixer import MlpMixer

    return made(
        seed,
        lambda: MlpMixer(img_size=32, patch_size=8, num_blocks=4, embed_dim=96, num_classes=CLASSES),
        images(seed, 16, 32),
    )


def timm_xcit_nano(seed: int) -> Case:
    """XCiT, nano: attention between channels, with scaled residual branches."""
    return made(seed, lambda: _timm("xcit_nano_12_p16_224", img_size=64), images(seed, 16, 64))


def timm_regnety_002(seed: int) -> Case:
    """RegNetY of 200 MF: squeeze and excitation, and residual branches whose last batch norm starts at zero."""
    return made(seed, lambda: _timm("regnety_002"), images(seed, 16, 64))


def timm_mobilevit_xxs(seed: int) -> Case:
    """MobileViT: transformers inside a convolutional network."""
    return made(seed, lambda: _timm("mobilevit_xxs"), images(seed, 16, 64))


def timm_ghostnet_050(seed: int) -> Case:
    """GhostNet at half width."""
    return made(seed, lambda: _timm("ghostnet_050"), images(seed, 16, 64))


HEALTHY: dict[str, Callable[[int], Case]] = {
    "transformer_encoder": transformer_encoder,
    "lstm": lstm,
    "gru": gru,
    "language_model": language_model,
    "unet": unet,
    "mlp_layer_norm": mlp_layer_norm,
    "mixture_of_experts": mixture_of_experts,
    "torchvision_resnet18": torchvision_resnet18,
    "torchvision_densenet": torchvision_densenet,
    "torchvision_vgg11_bn": torchvision_vgg11_bn,
    "torchvision_mobilenet_v3_small": torchvision_mobilenet_v3_small,
    "torchvision_convnext_tiny": torchvision_convnext_tiny,
    "torchvision_vit": torchvision_vit,
    "timm_nf_regnet_b0": timm_nf_regnet_b0,
    "timm_mixer": timm_mixer,
    "timm_xcit_nano": timm_xcit_nano,
    "timm_regnety_002": timm_regnety_002,
    "timm_mobilevit_xxs": timm_mobilevit_xxs,
    "timm_ghostnet_050": timm_ghostnet_050,
    "recurrent_residual": recurrent_residual,
}

# Of these, some start with a head or residual branches at exactly zero, as their authors chose: a diagnosis may say so.
# (Those of torchvision_convnext_tiny start at 1e-6.)
ZERO_AT_START = frozenset(
    {"torchvision_vit", "timm_nf_regnet_b0", "timm_mixer", "timm_regnety_002", "timm_mobilevit_xxs"}
)
