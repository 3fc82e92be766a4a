"""Images as tensors. The digits come with scikit-learn; CIFAR-10 is fetched once, from its author's page."""

from ._images import Split, cifar10, digits, validation

__all__ = ["Split", "cifar10", "digits", "validation"]


def __dir__() -> list[str]:
    return sorted(__all__)
