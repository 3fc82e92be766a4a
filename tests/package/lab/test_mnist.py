"""MNIST is read as its authors lay it out, and each of its files is fetched, verified and kept by itself."""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
import torch
from made_up_data import MNIST_FILES, Host, flipped, publish_mnist, put, serving, snapshot

from shattered_lite.lab import cli, data, records
from shattered_lite.lab.training import Run, _setup, load, train

NAMES = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
]
FIRST, SECOND, THIRD, _ = NAMES


@dataclass
class Shelf(Host):
    """A server of several files, all as published but for those that are said to be others."""

    others: dict[str, bytes] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)  # of the files asked for

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        name = request.path.removeprefix("/")
        self.names.append(name)
        self.content = (MNIST_FILES | self.others)[name]
        super().answer(request)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {name: state[0] for name, state in snapshot(folder).items() if state}


def assert_complete(folder: Path) -> None:
    assert contents(folder) == {f"mnist/{name}": content for name, content in MNIST_FILES.items()}


def assert_is_what_the_files_hold(split: data.Split) -> None:
    """Pixel by address: row i and column j of image n is byte 16 + 784 n + 28 i + j, and its label is byte 8 + n."""
    images, labels, test_images, test_labels = (gzip.decompress(MNIST_FILES[name]) for name in NAMES)
    train_bytes = np.frombuffer(images[16:], np.uint8)
    mean, std = train_bytes.mean(), train_bytes.std()
    for held, marks, inputs, targets in [(images, labels, *split[:2]), (test_images, test_labels, *split[2:])]:
        count = len(marks) - 8
        assert inputs.shape == (count, 1, 28, 28)
        assert (inputs.dtype, targets.dtype) == (torch.float32, torch.int64)
        assert targets.tolist() == list(marks[8:])
        pixels = (inputs.double().numpy() * std + mean).round()
        for image in range(count):
            start = 16 + 784 * image
            rows = [list(held[start + 28 * row : start + 28 * (row + 1)]) for row in range(28)]
            assert pixels[image, 0].tolist() == rows
    values = split.train_inputs.double()
    assert values.mean().item() == pytest.approx(0, abs=1e-5)
    assert values.var().item() == pytest.approx(1, rel=1e-5)


def test_made_up_files_are_read_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_mnist(monkeypatch)
    put(tmp_path, MNIST_FILES, "mnist")
    before = snapshot(tmp_path)
    assert_is_what_the_files_hold(data.mnist(tmp_path))
    monkeypatch.setenv("SHATTERED_DATA", str(tmp_path))
    assert_is_what_the_files_hold(data.mnist())
    assert snapshot(tmp_path) == before


def test_a_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    with serving(shelf := Shelf()) as url:
        publish_mnist(monkeypatch, url)
        assert_is_what_the_files_hold(data.mnist(tmp_path / "new" / "folder"))
    assert (shelf.names, shelf.asked) == (NAMES, [None] * 4)
    shown = capsys.readouterr().err
    assert all(f"{name}: 100%" in shown for name in NAMES)
    assert_complete(tmp_path / "new" / "folder")
    assert_is_what_the_files_hold(data.mnist(tmp_path / "new" / "folder"))  # the server is gone


def test_missing_files_alone_are_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {name: MNIST_FILES[name] for name in (FIRST, THIRD)}, "mnist")
    before = snapshot(tmp_path)
    with serving(shelf := Shelf()) as url:
        publish_mnist(monkeypatch, url)
        assert_is_what_the_files_hold(data.mnist(tmp_path))
    assert shelf.names == [NAMES[1], NAMES[3]]
    assert before.items() <= snapshot(tmp_path).items()
    assert_complete(tmp_path)


def test_a_download_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came whole is kept, and of the file that broke off only the rest is asked for."""
    size = len(MNIST_FILES[FIRST])
    with serving(shelf := Shelf(hangs_up_after=size // 2)) as url:
        publish_mnist(monkeypatch, url)
        with pytest.raises(ConnectionError, match=f"{url}{FIRST}: .* the next call continues there") as caught:
            data.mnist(tmp_path)
        [(part, content)] = contents(tmp_path).items()
        assert part == f"mnist/{FIRST}.part"
        assert 0 < len(content) <= size // 2
        assert MNIST_FILES[FIRST].startswith(content)
        assert f"{len(content):,} of {size:,} bytes are kept" in str(caught.value)
        assert_is_what_the_files_hold(data.mnist(tmp_path))
    assert shelf.names == [FIRST, *NAMES]
    assert shelf.asked == [None, f"bytes={len(content) - 64}-", None, None, None]
    assert_complete(tmp_path)


WRONG_ANSWERS = {
    "other content": (flipped(MNIST_FILES[THIRD], 1000), f"{THIRD}: SHA-256 is .* What arrived is deleted; call again"),
    "another length": (MNIST_FILES[THIRD] + b"more", "bytes, but .* are needed: open it in a browser"),
    "another of the files": (MNIST_FILES[FIRST], "bytes, but .* are needed: open it in a browser"),
    "a page": (b"<html>Please log in</html>", "sent no gzip file, but perhaps a page that asks for a login"),
    "not compressed": (gzip.decompress(MNIST_FILES[THIRD]), "sent no gzip file"),
}


@pytest.mark.parametrize("case", WRONG_ANSWERS)
def test_a_lying_server_is_refused_and_what_was_right_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    content, message = WRONG_ANSWERS[case]
    with serving(Shelf(others={THIRD: content})) as url:
        publish_mnist(monkeypatch, url)
        with pytest.raises(ValueError, match=message):
            data.mnist(tmp_path)
    assert contents(tmp_path) == {f"mnist/{name}": MNIST_FILES[name] for name in (FIRST, SECOND)}
    with serving(shelf := Shelf()) as url:
        publish_mnist(monkeypatch, url)
        assert_is_what_the_files_hold(data.mnist(tmp_path))
    assert shelf.names == NAMES[2:]
    assert_complete(tmp_path)


def test_a_dead_network_is_explained_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_mnist(monkeypatch)
    with pytest.raises(ConnectionError) as caught:
        data.mnist(tmp_path)
    advice = f"Offline, put {FIRST} in {tmp_path / 'mnist'}, or set SHATTERED_DATA to a folder that has mnist"
    assert f"{advice} with its 4 files." in str(caught.value)
    assert contents(tmp_path) == {}


WRONG_FILES = {
    "truncated": ({SECOND: MNIST_FILES[SECOND][:-1]}, SECOND, "bytes, but"),
    "corrupted": ({THIRD: flipped(MNIST_FILES[THIRD], 1000)}, THIRD, "SHA-256 is"),
    "compressed otherwise": (
        {FIRST: gzip.compress(gzip.decompress(MNIST_FILES[FIRST]), 0, mtime=0)},
        FIRST,
        "bytes, but",
    ),
}


@pytest.mark.parametrize("case", WRONG_FILES)
@pytest.mark.parametrize("missing", [[], NAMES[3:]], ids=["all there", "one missing"])
def test_a_wrong_file_is_named_and_left_to_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, missing: list[str]
) -> None:
    """Before anything is fetched."""
    wrong, name, fault = WRONG_FILES[case]
    put(tmp_path, {each: content for each, content in (MNIST_FILES | wrong).items() if each not in missing}, "mnist")
    before = snapshot(tmp_path)
    with serving(shelf := Shelf()) as url:
        publish_mnist(monkeypatch, url)
        with pytest.raises(ValueError, match=f"{name}: .*{fault}.* Delete it and call again, and it is fetched anew"):
            data.mnist(tmp_path)
    assert snapshot(tmp_path) == before
    assert shelf.names == []


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The made-up files, where a run looks for them; what it remembers of them is forgotten afterwards."""
    publish_mnist(monkeypatch)
    put(tmp_path, MNIST_FILES, "mnist")
    monkeypatch.setenv("SHATTERED_DATA", str(tmp_path))
    _setup._fetched.cache_clear()
    yield tmp_path
    _setup._fetched.cache_clear()


RUN = Run("plain", depth=2, width=8, batch_norm=True, data="mnist", epochs=2, batch_size=10)


def test_a_run_takes_rows_of_pixels_or_images(published: Path) -> None:
    split = data.mnist(published)
    flat = load(RUN, generator=torch.Generator())
    assert flat.train_inputs.shape == (200, 784)
    assert torch.equal(flat.train_inputs, split.train_inputs.reshape(200, 784))
    images = load(dataclasses.replace(RUN, convolutional=True), generator=torch.Generator())
    assert all(torch.equal(a, b) for a, b in zip(images, split, strict=True))
    some = load(dataclasses.replace(RUN, images=30), generator=torch.Generator())
    assert [len(part) for part in some] == [30, 30, 20, 20]
    with pytest.raises(ValueError, match="images=201: there are 200 training images"):
        load(dataclasses.replace(RUN, images=201), generator=torch.Generator())


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("patch", [None, 1, 7])
def test_a_run_learns_them_by_heart(patch: int | None) -> None:
    """Fully connected or convolutional, the loss falls far below that of ten equal guesses."""
    shape = {"convolutional": True, "patch": patch} if patch else {}
    record = train(dataclasses.replace(RUN, images=40, epochs=30, learning_rate=1e-2, **shape))
    assert record.losses[-1] < np.log(10) / 2
    assert len(record.accuracies) == 30


def test_the_files_are_read_once_for_all_runs_of_a_process(published: Path) -> None:
    first = train(RUN)
    for name in NAMES:
        (published / "mnist" / name).unlink()
    assert train(RUN).losses == first.losses


@pytest.mark.usefixtures("published")
def test_the_command_line_knows_them(capsys: pytest.CaptureFixture) -> None:
    try:
        assert cli.main(["train", "--kind", "plain", "--depth", "2", "--epochs", "1", "--data", "mnist"]) == 0
    finally:
        torch.set_flush_denormal(False)  # which a worker sets for its process
    assert records.loads(capsys.readouterr().out).run == Run("plain", 2, epochs=1, data="mnist")
