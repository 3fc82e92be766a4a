import lzma
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def html() -> Path:
    """The book as built. These tests do not build it, so that a failure of the build is not theirs."""
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").is_file():
        pytest.fail("The book is not built: run `make book` first.")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks for the built pages needs them, however it is named."""
    for item in items:
        if "html" in getattr(item, "fixturenames", ()):
            item.add_marker("pages")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Small tensors gain nothing from threads, and lose much to them on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def cifar10_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where ``data.cifar10`` finds the real files: SHATTERED_DATA, or packed with xz beside the checkout.

    No test fetches 170 MB, and the data set cannot come with the project: without it the tests are skipped, even where
    SHATTERED_NO_SKIP=1.
    """
    folder = Path(os.environ.get("SHATTERED_DATA", ""))
    if (folder / "cifar-10-batches-bin").is_dir() or (folder / "cifar-10-binary.tar.gz").is_file():
        yield folder
        return
    packed = sorted((ROOT.parent / "shared" / "data" / "cifar-10-batches-bin").glob("*.bin.xz"))
    if len(packed) != 6:
        pytest.skip("CIFAR-10 is not on this machine: set SHATTERED_DATA to the folder that holds it.")
    folder = tmp_path_factory.mktemp("cifar10")
    (folder / "cifar-10-batches-bin").mkdir()
    for path in packed:
        with lzma.open(path) as source, open(folder / "cifar-10-batches-bin" / path.stem, "wb") as target:
            shutil.copyfileobj(source, target, 2**20)
    yield folder
    shutil.rmtree(folder)
