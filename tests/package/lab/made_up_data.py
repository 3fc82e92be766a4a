"""A made-up CIFAR-10, six small files in an archive, a made-up MNIST, four, and a server that publishes them."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from shattered_lite.lab import data
from shattered_lite.lab.data._published import File, Published

ARCHIVE = "cifar-10-binary.tar.gz"
FOLDER = "cifar-10-batches-bin"
NAMES = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]
RECORDS = 20  # of a made-up file
SIZE = RECORDS * 3073
Member = tuple[tarfile.TarInfo, bytes]


def as_published(name: str, content: bytes) -> File:
    return File(name, len(content), hashlib.sha256(content).hexdigest())


def made_up_files() -> dict[str, bytes]:
    records = np.random.default_rng(0).integers(256, size=(6, RECORDS, 3073), dtype=np.uint8)
    records[..., 0] %= 10
    return {name: each.tobytes() for name, each in zip(NAMES, records, strict=True)}


FILES = made_up_files()


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> Member:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, link
    return info, content


def members(files: dict[str, bytes] = FILES, folder: str = FOLDER) -> list[Member]:
    return [member(f"{folder}/{name}", content) for name, content in files.items()]


def pack(contents: list[Member]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for info, content in contents:
            if len(content) == info.size:
                tar.addfile(info, io.BytesIO(content))
            else:  # a header alone may claim any size
                tar.fileobj.write(info.tobuf())
    return buffer.getvalue()


PACKED = pack(members())


def made_up_mnist() -> dict[str, bytes]:
    """As its authors describe the format: a magic number, the number of images and of their rows and columns, bytes."""
    draw, files = np.random.default_rng(1), {}
    for part, count in (("train", 200), ("t10k", 20)):
        pixels = draw.integers(256, size=(count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) * 7 % 10).astype(np.uint8)
        images = b"".join(number.to_bytes(4, "big") for number in (2051, count, 28, 28)) + pixels.tobytes()
        files[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(images, mtime=0)
        header = b"".join(number.to_bytes(4, "big") for number in (2049, count))
        files[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(header + labels.tobytes(), mtime=0)
    return files


MNIST_FILES = made_up_mnist()


def snapshot(folder: Path) -> dict[str, tuple | None]:
    """Every path below a folder; of a file, its content and when it was changed."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) if path.is_file() else None
        for path in folder.rglob("*")
    }


NOWHERE = "http://127.0.0.1:9/"  # nobody listens there


def publish(monkeypatch: pytest.MonkeyPatch, packed: bytes = PACKED, url: str = NOWHERE) -> Published:
    """Let the made-up CIFAR-10, in an archive of these bytes at this address, be what the author publishes."""
    monkeypatch.delenv("SHATTERED_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    files = tuple(as_published(*each) for each in FILES.items())
    published = Published(url=url, folder=FOLDER, files=files, archive=as_published(ARCHIVE, packed))
    monkeypatch.setattr(data._published, "CIFAR_10", published)
    return published


def publish_mnist(monkeypatch: pytest.MonkeyPatch, url: str = NOWHERE) -> None:
    """Let the made-up MNIST be what is published, at this address."""
    monkeypatch.delenv("SHATTERED_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    files = tuple(as_published(*each) for each in MNIST_FILES.items())
    monkeypatch.setattr(data._published, "MNIST", Published(url=url, folder="mnist", files=files))


def put(root: Path, files: dict[str, bytes], folder: str = FOLDER) -> None:
    (root / folder).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (root / folder / name).write_bytes(content)
        os.utime(root / folder / name, (1e9, 1e9))


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@dataclass
class Host:
    """A web server with one file and the habits of bad ones."""

    content: bytes = PACKED
    ranges: bool = True  # whether it heeds the header Range
    says_length: bool = True
    hangs_up_after: int | None = None  # so many bytes, at the first request
    statuses: list[int] = field(default_factory=list)  # of its first answers
    headers: dict[str, str] = field(default_factory=dict)  # more of them, or others
    shift: int = 0  # by which the range that it sends is not the one asked for
    asked: list[str | None] = field(default_factory=list)  # header Range of each request
    encodings: list[str | None] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers["Range"]
        self.asked.append(wanted)
        self.encodings.append(request.headers["Accept-Encoding"])
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.ranges else 0
        start = max(0, start + self.shift) if wanted else 0
        status = self.statuses.pop(0) if self.statuses else 206 if wanted and self.ranges else 200
        body = self.content[start:] if status < 400 else b"no"
        request.send_response(status)
        length = {"Content-Length": str(len(body))} if self.says_length else {}
        for name, value in (length | self.headers).items():
            request.send_header(name, value)
        request.end_headers()
        body = body[: self.hangs_up_after] if len(self.asked) == 1 else body
        self.sent.append(len(body))
        request.wfile.write(body)


@contextlib.contextmanager
def serving(host: Host) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(ConnectionError):  # the reader may hang up
                host.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
