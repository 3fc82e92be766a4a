"""The digits: complete, split without overlap, scaled by the training images alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from shattered_lite.lab import data


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rows(inputs: torch.Tensor, labels: torch.Tensor) -> list[tuple]:
    return sorted((int(label), *image) for image, label in zip(inputs.tolist(), labels, strict=True))


def test_digits_are_scikit_learns() -> None:
    """Undo the scaling, which keeps the least pixel at 0 and the greatest at 16: the same images, each once."""
    split = data.digits(generator=rng())
    inputs = torch.cat([split.train_inputs, split.test_inputs])
    labels = torch.cat([split.train_labels, split.test_labels])
    pixels = ((inputs - inputs.min()) / (inputs.max() - inputs.min()) * 16).round()
    images, targets = load_digits(return_X_y=True)
    assert rows(pixels, labels) == rows(torch.tensor(images), torch.tensor(targets))
    assert inputs.dtype == torch.float32
    assert labels.dtype == torch.int64


def test_an_image_that_is_not_flat_has_its_rows_below_one_another() -> None:
    rows_of_pixels = data.digits(generator=rng()).train_inputs
    squares = data.digits(generator=rng(), flat=False).train_inputs
    assert squares.shape == (len(rows_of_pixels), 1, 8, 8)
    assert all(torch.equal(squares[:, 0, i, j], rows_of_pixels[:, 8 * i + j]) for i in range(8) for j in range(8))


@settings(derandomize=True, deadline=None, max_examples=8)
@given(st.floats(0.01, 0.99), st.integers(0, 2**31))
def test_sizes_and_scale(share: float, seed: int) -> None:
    split = data.digits(generator=rng(seed), test_share=share)
    assert len(split.test_inputs) == len(split.test_labels) == round(share * 1797)
    assert len(split.train_inputs) + len(split.test_inputs) == 1797
    assert split.train_inputs.double().mean().item() == pytest.approx(0, abs=1e-5)
    assert split.train_inputs.double().std().item() == pytest.approx(1, abs=1e-5)


def test_the_generator_decides_the_split() -> None:
    first, again, other = (data.digits(generator=rng(seed)) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first.test_labels, other.test_labels)


def test_validation_takes_from_the_training_images_alone() -> None:
    split = data.digits(generator=rng())
    inner = data.validation(split, generator=rng(1), share=0.25)
    assert len(inner.test_inputs) == round(0.25 * len(split.train_inputs))
    together = torch.cat([inner.train_inputs, inner.test_inputs]), torch.cat([inner.train_labels, inner.test_labels])
    assert rows(*together) == rows(split.train_inputs, split.train_labels)


@pytest.mark.parametrize("share", [0, 1, -0.1, 2, float("nan"), "half"])
def test_wrong_shares_are_refused(share: object) -> None:
    with pytest.raises(ValueError, match=rf"test_share={share!r}: a number between 0 and 1, both excluded"):
        data.digits(generator=rng(), test_share=share)
    with pytest.raises(ValueError, match=rf"^share={share!r}: a number between 0 and 1, both excluded"):
        data.validation(data.digits(generator=rng()), generator=rng(), share=share)


@pytest.mark.parametrize("generator", [0, "cpu"])
def test_what_draws_no_numbers_is_refused(generator: object) -> None:
    split = data.digits(generator=torch.Generator().manual_seed(0))
    for call in (data.digits, lambda generator: data.validation(split, generator=generator)):
        with pytest.raises(ValueError, match=r"generator=.*: a torch.Generator is needed"):
            call(generator=generator)


def test_without_a_generator_torch_itself_decides_the_split() -> None:
    given = data.digits(generator=rng(3))
    kept = data.validation(given, generator=rng(4))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        assert torch.equal(data.digits().train_inputs, given.train_inputs)
        torch.manual_seed(4)
        assert torch.equal(data.validation(given).train_inputs, kept.train_inputs)


ALONE = """
import sys
import shattered_lite.lab
assert "sklearn" not in sys.modules
shattered_lite.lab.data.digits()
assert "sklearn" in sys.modules
"""


def test_only_the_digits_load_scikit_learn() -> None:
    root = Path(data.__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", ALONE], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
