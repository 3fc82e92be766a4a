"""The data sets."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..._arguments import drawn_by, part
from . import _published


class Split(NamedTuple):
    """Images for training and for testing.

    Attributes
    ----------
    train_inputs, test_inputs : Tensor, shape (images, pixels) or (images, channels, height, width)
        Float32; over the training images, mean 0 and variance 1 of all pixels, or of each channel where there are
        several.
    train_labels, test_labels : Tensor of int64, shape (images,)
        Classes from 0.

    Examples
    --------
    >>> data = sl.lab.data.digits()
    >>> data.train_inputs.shape, data.test_labels.shape
    (torch.Size([1438, 64]), torch.Size([359]))
    """

    train_inputs: Tensor
    train_labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor


def digits(*, generator: torch.Generator | None = None, test_share: float = 0.2, flat: bool = True) -> Split:
    """The 1,797 handwritten digits of scikit-learn, 8 x 8 pixels, split at random.

    Parameters
    ----------
    generator : torch.Generator, optional
        Decides the split; by default torch's own.
    test_share : float
        Share of images held out, in (0, 1).
    flat : bool
        Whether an image is a row of 64 pixels, or has shape (1, 8, 8).

    Returns
    -------
    Split
        64 pixels, 10 classes.

    Raises
    ------
    ValueError
        If ``test_share`` is not between 0 and 1, or ``generator`` is not one.

    References
    ----------
    Alpaydin and Kaynak (1998). Used in the chapter *Looks linear*.

    Examples
    --------
    >>> sl.lab.data.digits(flat=False, test_share=0.5).train_inputs.shape
    torch.Size([899, 1, 8, 8])
    """
    generator = drawn_by(generator)
    part("test_share", test_share)
    from sklearn.datasets import load_digits  # only here: it takes as long to import as torch

    images, labels = load_digits(return_X_y=True)
    order = torch.randperm(len(images), generator=generator)
    test, train = order.tensor_split([round(test_share * len(images))])
    inputs, targets = torch.tensor(images, dtype=torch.float32), torch.tensor(labels)
    inputs = (inputs - inputs[train].mean()) / inputs[train].std()
    inputs = inputs if flat else inputs.reshape(-1, 1, 8, 8)
    return Split(inputs[train], targets[train], inputs[test], targets[test])


def mnist(folder: str | os.PathLike[str] | None = None) -> Split:
    """MNIST: 60,000 training and 10,000 test images of handwritten digits, 28 x 28 pixels, split as published.

    The first call fetches 12 MB; if it breaks off, the next one continues. Later calls need no network. The authors
    state no licence; Keras, which passes the images on, names CC BY-SA 3.0.

    Parameters
    ----------
    folder : path, optional
        Where ``mnist`` with its four files, compressed as published, lies or will lie. By default what the environment
        variable SHATTERED_DATA names, else the user's cache folder.

    Returns
    -------
    Split
        Shape (images, 1, 28, 28); 10 classes, each digit its own. 220 MB of memory.

    Raises
    ------
    ValueError
        If a file is not what was published, by size or SHA-256; the message says what to delete.
    ConnectionError
        If the download breaks off; the message says how to do without.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), *Gradient-based learning applied to document recognition*.

    Examples
    --------
    >>> sl.lab.data.mnist().train_inputs.shape  # doctest: +SKIP
    """
    train_images, train_labels, test_images, test_labels = map(_idx, _published.find(_published.MNIST, folder))
    return _scaled(train_images[:, None].float(), train_labels.long(), test_images[:, None].float(), test_labels.long())


def _idx(path: Path) -> Tensor:
    """The bytes of a file in IDX format: two zeros, a type, the number of axes, their lengths, and the content."""
    content = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(content, ">u4", count=content[3], offset=4)
    return torch.tensor(np.frombuffer(content, np.uint8, offset=4 + shape.nbytes).reshape(shape))


def cifar10(folder: str | os.PathLike[str] | None = None) -> Split:
    """CIFAR-10: 50,000 training and 10,000 test photographs, 32 x 32 pixels in colour, split as published.

    The first call fetches 170 MB and unpacks 184 MB; if it breaks off, the next one continues. Later calls need no
    network. Of several processes that call it at once, one fetches and the others wait.

    The author states no licence, and the collection that the images were chosen from, 80 Million Tiny Images, was
    withdrawn in 2020: the files are fetched from the author's page, and not passed on.

    Parameters
    ----------
    folder : path, optional
        Where ``cifar-10-batches-bin`` with its six files, or ``cifar-10-binary.tar.gz``, lies or will lie. By default
        what the environment variable SHATTERED_DATA names, else the user's cache folder.

    Returns
    -------
    Split
        Shape (images, 3, 32, 32) with channels red, green, blue; 10 classes. 740 MB of memory.

    Raises
    ------
    ValueError
        If a file or the archive is not what was published, by size or SHA-256; the message says what to delete.
    ConnectionError
        If the download breaks off; the message says how to do without.

    References
    ----------
    Krizhevsky (2009), *Learning Multiple Layers of Features from Tiny Images*; Birhane and Prabhu (2021) on the
    withdrawn collection. Used in the chapter *Convolutional networks and real images*.

    Examples
    --------
    >>> sl.lab.data.cifar10().train_inputs.shape  # doctest: +SKIP
    """
    *train, test = _published.find(_published.CIFAR_10, folder)
    return _scaled(*_records(train), *_records([test]))


def _records(paths: Iterable[Path]) -> tuple[Tensor, Tensor]:
    """Pixels and labels of files of records: a byte of label, then 32 x 32 of red, of green and of blue."""
    records = torch.from_numpy(np.concatenate([np.fromfile(path, np.uint8) for path in paths])).reshape(-1, 3073)
    return records[:, 1:].float().reshape(-1, 3, 32, 32), records[:, 0].long()


def _scaled(train_inputs: Tensor, train_labels: Tensor, test_inputs: Tensor, test_labels: Tensor) -> Split:
    """Each channel has mean 0 and variance 1 over the training images; the tensors given are changed."""
    std, mean = torch.std_mean(train_inputs, dim=(0, 2, 3), keepdim=True)
    for inputs in (train_inputs, test_inputs):
        inputs.sub_(mean).div_(std)
    return Split(train_inputs, train_labels, test_inputs, test_labels)


def validation(data: Split, *, generator: torch.Generator | None = None, share: float = 0.2) -> Split:
    """Split the training images once more, to choose settings on images that are neither trained nor tested on.

    Parameters
    ----------
    data : Split
        Its test images are left out of the result.
    generator : torch.Generator, optional
        Decides the split; by default torch's own.
    share : float
        Share of the training images to hold out, in (0, 1).

    Returns
    -------
    Split
        The held-out images stand in the places of the test images. Scaled as in ``data``.

    Raises
    ------
    ValueError
        If ``share`` is not between 0 and 1, or ``generator`` is not one.

    References
    ----------
    Used in the chapter *Looks linear*.

    Examples
    --------
    >>> data = sl.lab.data.validation(sl.lab.data.digits())
    >>> len(data.train_inputs), len(data.test_inputs)
    (1150, 288)
    """
    generator = drawn_by(generator)
    part("share", share)
    order = torch.randperm(len(data.train_inputs), generator=generator)
    held_out, train = order.tensor_split([round(share * len(order))])
    inputs, labels = data.train_inputs, data.train_labels
    return Split(inputs[train], labels[train], inputs[held_out], labels[held_out])
