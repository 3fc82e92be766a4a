"""Images as tensors. The digits come with scikit-learn; MNIST and CIFAR-10 are fetched once, and verified."""

from ._images import Split, cifar10, digits, mnist, validation

__all__ = ["Split", "cifar10", "digits", "mnist", "validation"]


def __dir__() -> list[str]:
    return sorted(__all__)
