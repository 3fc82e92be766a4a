"""Published files: found on this machine or fetched, and trusted for their SHA-256 alone."""

from __future__ import annotations

import gzip
import itertools
import os
import shutil
import tarfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import requests
from filelock import FileLock
from tqdm import tqdm

from ..._files import put_in_place

GZIP = b"\x1f\x8b"  # how all that is fetched here begins, and no page of a server does
OVERLAP = 64  # bytes that are there and are asked for again: what goes on otherwise is not the rest of the file


@dataclass(frozen=True)
class File:
    """What a file was when it was published: size in bytes, and SHA-256 as 64 hexadecimal digits."""

    name: str
    size: int
    sha256: str

    def fault(self, path: Path) -> str | None:
        """What is wrong with the file there; None if nothing is."""
        if (found := path.stat().st_size) != self.size:
            return f"{found:,} bytes, but {self.size:,} are needed"
        import pooch

        if (digest := pooch.file_hash(str(path))) != self.sha256:
            return f"SHA-256 is {digest}, but {self.sha256} is needed"
        return None

    def verify(self, path: Path) -> None:
        """Refuse a wrong file, and leave it to its owner."""
        if fault := self.fault(path):
            raise ValueError(f"{path}: {fault}. Delete it and call again, and it is fetched anew.")


@dataclass(frozen=True, kw_only=True)
class Published:
    """A data set of one folder of files.

    Attributes
    ----------
    url : str
        What stands before the name of each file that is fetched.
    folder : str
        Holds the files, on this machine and in the archive.
    files : tuple of File
        Gzipped and fetched one by one, if there is no archive.
    archive : File, optional
        Of all the files: gzipped tar.
    """

    url: str
    folder: str
    files: tuple[File, ...]
    archive: File | None = None


CIFAR_10 = Published(
    url="https://www.cs.toronto.edu/~kriz/",
    folder="cifar-10-batches-bin",
    files=(
        File("data_batch_1.bin", 30_730_000, "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
        File("data_batch_2.bin", 30_730_000, "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
        File("data_batch_3.bin", 30_730_000, "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
        File("data_batch_4.bin", 30_730_000, "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
        File("data_batch_5.bin", 30_730_000, "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
        File("test_batch.bin", 30_730_000, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
    ),
    archive=File(
        "cifar-10-binary.tar.gz", 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
    ),
)
MNIST_FILES = (
    File("train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    File("train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    File("t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    File("t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
)
MNIST = Published(url="https://ossci-datasets.s3.amazonaws.com/mnist/", folder="mnist", files=MNIST_FILES)


def find(published: Published, folder: str | os.PathLike[str] | None = None) -> list[Path]:
    """Paths of a data set's files in their order, verified; what is missing is fetched, or unpacked from the archive.

    Both lie in ``folder``: by default what the environment variable SHATTERED_DATA names, else the user's cache folder.

    Raises
    ------
    ValueError
        If a file, the archive or what the server sends is not what was published. Nothing wrong is kept, and no file
        that was there before is touched.
    ConnectionError
        If the download breaks off. What has arrived is kept, and the next call continues there.
    OSError
        If the disk is full, or cannot be written.
    """
    import pooch  # only here: in a notebook without widgets its import prints a warning

    root = Path(folder or os.environ.get("SHATTERED_DATA") or pooch.os_cache("shattered_lite"))
    paths = {file: root / published.folder / file.name for file in published.files}
    if all(path.exists() for path in paths.values()):
        for file, path in paths.items():
            file.verify(path)
        return list(paths.values())
    root.mkdir(parents=True, exist_ok=True)
    lock = root / f".{published.folder}.lock"
    with FileLock(lock):  # of several processes one fetches, and the others find what it did
        try:
            _provide(published, root, paths)
        finally:
            with suppress(PermissionError):  # Windows removes it by itself
                lock.unlink(missing_ok=True)
    return list(paths.values())


def _provide(published: Published, root: Path, paths: dict[File, Path]) -> None:
    """Fetch or unpack what is missing, after a look at what is there."""
    missing = {file: path for file, path in paths.items() if not path.exists()}
    for file in paths.keys() - missing.keys():
        file.verify(paths[file])
    if not missing:
        return
    fetched = {published.archive: root / published.archive.name} if published.archive else missing
    for file, path in fetched.items():
        if path.exists():
            file.verify(path)
        else:
            path.parent.mkdir(exist_ok=True)
            _download(published, file, path)
    if published.archive:
        _unpack(published.folder, fetched[published.archive], missing)


def _download(published: Published, file: File, path: Path) -> None:
    """Fetch a file; it gets its name only once its SHA-256 is right."""
    url, part = published.url + file.name, path.with_name(path.name + ".part")
    if not part.exists() or file.fault(part):
        try:
            _transfer(url, file, part)
        except (requests.RequestException, ValueError) as error:
            kept = part.stat().st_size if part.exists() else 0
            kind = ConnectionError if isinstance(error, requests.RequestException) else ValueError
            raise kind(
                f"{url}: {error}. {kept:,} of {file.size:,} bytes are kept, and the next call continues there. "
                f"Offline, put {file.name} in {path.parent}, or set SHATTERED_DATA to a folder that has "
                f"{published.folder} with its {len(published.files)} files."
            ) from error
        if fault := file.fault(part):
            part.unlink()
            raise ValueError(f"{url}: {fault}. What arrived is deleted; call again, and it is fetched anew.")
    put_in_place(part, path)


def _transfer(url: str, file: File, part: Path) -> None:
    """Let ``part`` grow to the file's size; a server that does not continue it is asked for everything."""
    there = part.stat().st_size if part.exists() else 0
    if not (OVERLAP < there < file.size and _receive(url, file, part, there - OVERLAP)):
        _receive(url, file, part, 0)
    if part.stat().st_size < file.size:
        raise requests.ConnectionError("the connection was closed early")


def _receive(url: str, wanted: File, part: Path, start: int) -> bool:
    """Append what an answer holds beyond ``part``; False, with nothing changed, if it is not the file from there."""
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with requests.get(url, headers=headers, stream=True, timeout=30) as response:
        if start and response.status_code == requests.codes.requested_range_not_satisfiable:
            return False
        response.raise_for_status()
        start = start if response.status_code == requests.codes.partial_content else 0
        chunks = response.iter_content(2**16)
        first = next(chunks, b"")
        if start and not first:
            return False
        if not start:
            _check_beginning(wanted, response, first)
        with part.open("r+b" if part.exists() else "x+b") as file:
            bar = tqdm(total=wanted.size, initial=start, unit="B", unit_scale=True, desc=wanted.name)
            file.seek(start)
            with bar:
                for chunk in itertools.chain([first], chunks):
                    known = file.read(len(chunk))
                    if start and not chunk.startswith(known):
                        return False
                    if not chunk.startswith(known):  # the server has another file than the one begun
                        file.seek(-len(known), os.SEEK_CUR)
                        file.truncate()
                        known = b""
                    file.write(chunk[len(known) :])
                    bar.update(len(chunk))
                    if file.tell() >= wanted.size:
                        file.truncate(wanted.size)
                        break
    return True


def _check_beginning(wanted: File, response: requests.Response, first: bytes) -> None:
    """Refuse a page of a login, say, before it touches what has arrived."""
    offered = response.headers.get("Content-Length", "")
    if not first.startswith(GZIP):
        what = "nothing" if not first else "no gzip file, but perhaps a page that asks for a login"
    elif offered.isdecimal() and int(offered) != wanted.size:
        what = f"{int(offered):,} bytes, but {wanted.size:,} are needed"
    else:
        return
    raise ValueError(f"{response.url} sent {what}: open it in a browser to see, and call again once it is right")


def _unpack(folder: str, packed: Path, missing: dict[File, Path]) -> None:
    """Write the missing files, all of them or none. No path comes from the archive."""
    target, aside = packed.with_name(folder), packed.with_name(f".{folder}.new")
    shutil.rmtree(aside, ignore_errors=True)  # of a process that was killed here
    aside.mkdir()
    try:
        new = {file: aside / file.name for file in missing}
        try:
            _read_members(folder, packed, new)
        except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{packed}: not a whole archive ({error})") from error
        target.mkdir(exist_ok=True)
        for file, path in missing.items():
            put_in_place(new[file], path)
    finally:
        shutil.rmtree(aside)


def _read_members(folder: str, packed: Path, new: dict[File, Path]) -> None:
    """Write and verify each named member; everything else in the archive is passed over."""
    wanted = {f"{folder}/{file.name}": file for file in new}
    with tarfile.open(packed, "r:gz") as tar:
        for member in tar:
            if member.name not in wanted:
                continue
            file = wanted.pop(member.name)
            right = member.isreg() and member.size == file.size
            content = tar.extractfile(member) if right else None
            if content is None:
                raise ValueError(f"{packed}: {member.name}: a regular file of {file.size:,} bytes is needed")
            new[file].write_bytes(content.read(file.size))
            if fault := file.fault(new[file]):
                raise ValueError(f"{packed}: {member.name}: {fault}")
            if not wanted:
                return
    raise ValueError(f"{packed}: {', '.join(wanted)} missing")
