"""The sitting is built from scratch, and its checks can fail."""

from __future__ import annotations

import ast
import contextlib
import io
import re

import pytest
from chapters import SEED, cells

from shattered_lite.plots import NETWORKS

PAGE = "one-sitting"
IN_SIGHT = {"math", "matplotlib", "torch", "sklearn"}


def holding(*parts: str) -> list[str]:
    """The set-up and the cells that hold one of these parts."""
    return [source for tags, source in cells(PAGE) if "setup" in tags or any(part in source for part in parts)]


PLAIN, SKIP, NORM, MIRROR = "def gradients", "residual)", "def normalised_residual", "def crelu"
CHECKS = holding(PLAIN, SKIP, NORM, MIRROR)
TRAINING = holding(MIRROR, "def start", "def accuracy", "curves = {kind")


def imported(source: str) -> set[str]:
    """The packages that a cell imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def run(sources: list[str], *changes: tuple[str, str], seed: int | None = None) -> str:
    """Run cells, changed; return what they print."""
    for old, new in changes:
        assert any(old in source for source in sources), old
        sources = [source.replace(old, new) for source in sources]
    if seed is not None:
        sources = [SEED.sub(f"manual_seed({seed})", source) for source in sources]
    printed, namespace = io.StringIO(), {"__name__": "__main__"}
    with contextlib.redirect_stdout(printed):
        for source in sources:
            exec(compile(source, f"{PAGE}.md", "exec"), namespace)
    return printed.getvalue()


def test_the_package_comes_in_at_the_end() -> None:
    *before, last = [source for _, source in cells(PAGE)]
    assert "shattered_lite" in imported(last)
    assert set().union(*map(imported, before)) == IN_SIGHT
    assert not any(re.search(r"\bsl\b", source) for source in before)


def assigned(name: str, source: str, **known: object) -> dict:
    """What a cell writes into a name."""
    [value] = [
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == name
    ]
    return eval(ast.unparse(value), known)


def test_networks_have_their_colours() -> None:
    colours = assigned("colours", holding()[0])
    assert colours == {name: NETWORKS[name].colour for name in colours}


def test_networks_that_train_look_different() -> None:
    """Colour, marker and line say it three times."""
    setup, training = holding("curves = {kind")
    looks = assigned("looks", training, colours=assigned("colours", setup))
    for parts in zip(*looks.values(), strict=True):
        assert len(set(parts)) == len(looks) == 6
    assert {colour for colour, _, _ in looks.values()} <= {look.colour for look in NETWORKS.values()}


def test_checks_hold_and_are_strict() -> None:
    printed = run(CHECKS)
    strictness = [int(percent) for percent in re.findall(r"refused if (\d+)% off", printed)]
    assert len(strictness) == 21
    assert max(strictness) <= 10
    assert printed.count("after 200 layers") == 3


@pytest.mark.parametrize(
    ("where", "old", "new"),
    [
        (PLAIN, "(2 / width)", "(2.1 / width)"),
        (PLAIN, "torch.rand_like(z) < 0.5", "torch.rand_like(z) < 0.52"),
        (PLAIN, "return (z * gate) @ W, (dz * gate) @ W", "return (z * gate) @ W, dz @ W"),
        (PLAIN, "2**-L", "4**-L"),
        (SKIP, "return z + through, dz + d_through", "return z + through, dz + 0.9 * d_through"),
        (SKIP, "1.5**L", "1.75**L"),
        (NORM, "S = 1 + beta**2 * l\n", "S = 1\n"),
        (NORM, "z / S**0.5", "z"),
        (NORM, "1 - 0.5 * beta**2", "1 - beta**2"),
        (MIRROR, "torch.cat([O, -O])", "torch.cat([O, O])"),
        (MIRROR, "torch.cat([z.relu(), (-z).relu()], -1)", "torch.cat([z.relu(), z.relu()], -1)"),
        (MIRROR, "torch.nn.init.orthogonal_(torch.empty", "torch.nn.init.normal_(torch.empty"),
    ],
)
def test_mutations_turn_the_checks_red(where: str, old: str, new: str) -> None:
    with pytest.raises(AssertionError):
        run(holding(where) if where == MIRROR else holding(PLAIN, where), (old, new))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1_000, 1_005))
def test_checks_hold_for_other_seeds(seed: int) -> None:
    assert "refused if" in run(CHECKS, seed=seed)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        ('"plain": lambda z, W: batch', '"plain": lambda z, W: z + batch'),
        ("return mirrored(width)", "return mirrored(width).abs()"),
        ("return torch.cat([orthogonal(width), orthogonal(width)])", "return mirrored(width)"),
    ],
)
def test_training_that_goes_otherwise_is_seen(change: tuple[str, str]) -> None:
    with pytest.raises(AssertionError):
        run(TRAINING, change)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1_000, 1_002))
def test_training_goes_so_with_other_seeds(seed: int) -> None:
    run(TRAINING, seed=seed)


@pytest.mark.slow
def test_the_same_networks_fit_what_they_see_in_every_step() -> None:
    run(
        TRAINING,
        ("batch = train[torch.randint(len(train), (100,))]", "batch = train[:100]"),
        ("network(images[test]).argmax(1) == labels[test]", "network(images[batch]).argmax(1) == labels[batch]"),
    )
