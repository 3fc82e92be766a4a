"""Images as tensors. The digits come with scikit-learn: no download, no account."""

from __future__ import annotations

from typing import NamedTuple

import torch
from sklearn.datasets import load_digits
from torch import Tensor


class Split(NamedTuple):
    """Images for training and for testing.

    Attributes
    ----------
    train_inputs, test_inputs : Tensor, shape (images, pixels)
        Float32; mean 0 and variance 1 over all pixels of the training images.
    train_labels, test_labels : Tensor of int64, shape (images,)
        Classes from 0.
    """

    train_inputs: Tensor
    train_labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor


def digits(*, generator: torch.Generator, test_share: float = 0.2) -> Split:
    """The 1,797 handwritten digits of scikit-learn, 8 x 8 pixels, split at random.

    Parameters
    ----------
    generator : torch.Generator
        Decides the split.
    test_share : float
        Share of images held out, in (0, 1).

    Returns
    -------
    Split
        64 pixels, 10 classes.

    Raises
    ------
    ValueError
        If ``test_share`` is not between 0 and 1.

    References
    ----------
    Alpaydin and Kaynak (1998). Used in the chapter *Looks linear*.
    """
    if not 0 < test_share < 1:
        raise ValueError(f"test_share={test_share}: a share between 0 and 1 is needed")
    images, labels = load_digits(return_X_y=True)
    order = torch.randperm(len(images), generator=generator)
    test, train = order.tensor_split([round(test_share * len(images))])
    inputs, targets = torch.tensor(images, dtype=torch.float32), torch.tensor(labels)
    inputs = (inputs - inputs[train].mean()) / inputs[train].std()
    return Split(inputs[train], targets[train], inputs[test], targets[test])


def validation(data: Split, *, generator: torch.Generator, share: float = 0.2) -> Split:
    """Split the training images once more, to choose settings on images that are neither trained nor tested on.

    Parameters
    ----------
    data : Split
        Its test images are left out of the result.
    generator : torch.Generator
        Decides the split.
    share : float
        Share of the training images to hold out, in (0, 1).

    Returns
    -------
    Split
        The held-out images stand in the places of the test images. Scaled as in ``data``.

    Raises
    ------
    ValueError
        If ``share`` is not between 0 and 1.

    References
    ----------
    Used in the chapter *Looks linear*.
    """
    if not 0 < share < 1:
        raise ValueError(f"share={share}: a share between 0 and 1 is needed")
    order = torch.randperm(len(data.train_inputs), generator=generator)
    held_out, train = order.tensor_split([round(share * len(order))])
    inputs, labels = data.train_inputs, data.train_labels
    return Split(inputs[train], labels[train], inputs[held_out], labels[held_out])
