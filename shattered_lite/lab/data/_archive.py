"""Files of a published archive: found on this machine or fetched, and trusted for their SHA-256 alone."""

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

GZIP = b"\x1f\x8b"  # how every such archive begins, and no page of a server does
OVERLAP = 64  # bytes that are there and are asked for again: what goes on otherwise is not the rest of the archive


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A gzipped tar archive with one folder of equally long files.

    Attributes
    ----------
    url : str
        Where its author publishes it.
    size, sha256 : int, str
        Of the archive, in bytes and as 64 hexadecimal digits.
    folder : str
        Holds the files, in the archive and on this machine.
    file_size : int
        Of each file, in bytes.
    files : dict of str to str
        Name and SHA-256 of each file.
    """

    url: str
    size: int
    sha256: str
    folder: str
    file_size: int
    files: dict[str, str]

    @property
    def name(self) -> str:
        """Name of the archive's own file."""
        return self.url.rpartition("/")[2]


CIFAR_10 = Archive(
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    size=170_052_171,
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    folder="cifar-10-batches-bin",
    file_size=30_730_000,
    files={
        "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    },
)


def find(archive: Archive, folder: str | os.PathLike[str] | None = None) -> list[Path]:
    """Paths of an archive's files, verified; files that are missing are unpacked from the archive, fetched if need be.

    Parameters
    ----------
    archive : Archive
        What to look for.
    folder : path, optional
        Where ``archive.folder``, or the archive itself, lies or will lie. By default what the environment variable
        SHATTERED_DATA names, else the user's cache folder.

    Returns
    -------
    list of Path
        In the order of ``archive.files``.

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
    paths = {name: root / archive.folder / name for name in archive.files}
    if all(path.exists() for path in paths.values()):
        for name, path in paths.items():
            _verify(path, archive.file_size, archive.files[name])
        return list(paths.values())
    root.mkdir(parents=True, exist_ok=True)
    lock = root / f".{archive.name}.lock"
    with FileLock(lock):  # of several processes one fetches, and the others find what it did
        try:
            _provide(archive, root / archive.name, paths)
        finally:
            with suppress(PermissionError):  # Windows removes it by itself
                lock.unlink(missing_ok=True)
    return list(paths.values())


def _provide(archive: Archive, packed: Path, paths: dict[str, Path]) -> None:
    """Unpack what is missing, after a look at what is there."""
    missing = {name: path for name, path in paths.items() if not path.exists()}
    for name in paths.keys() - missing.keys():
        _verify(paths[name], archive.file_size, archive.files[name])
    if not missing:
        return
    if packed.exists():
        _verify(packed, archive.size, archive.sha256)
    else:
        _download(archive, packed)
    _unpack(archive, packed, missing)


def _fault(path: Path, size: int, sha256: str) -> str | None:
    """What is wrong with a file; None if nothing is."""
    if (found := path.stat().st_size) != size:
        return f"{found:,} bytes, but {size:,} are needed"
    import pooch

    if (digest := pooch.file_hash(str(path))) != sha256:
        return f"SHA-256 is {digest}, but {sha256} is needed"
    return None


def _verify(path: Path, size: int, sha256: str) -> None:
    """Refuse a wrong file, and leave it to its owner."""
    if fault := _fault(path, size, sha256):
        raise ValueError(f"{path}: {fault}. Delete it and call again, and it is fetched anew.")


def _download(archive: Archive, packed: Path) -> None:
    """Fetch the archive; it gets its name only once its SHA-256 is right."""
    part = packed.with_name(packed.name + ".part")
    if not part.exists() or _fault(part, archive.size, archive.sha256):
        try:
            _transfer(archive, part)
        except (requests.RequestException, ValueError) as error:
            kept = part.stat().st_size if part.exists() else 0
            kind = ConnectionError if isinstance(error, requests.RequestException) else ValueError
            raise kind(
                f"{archive.url}: {error}. {kept:,} of {archive.size:,} bytes are kept, and the next call continues "
                f"there. Offline, put {archive.name} in {packed.parent}, or its files in "
                f"{packed.parent / archive.folder}, or set SHATTERED_DATA to a folder that has either."
            ) from error
        if fault := _fault(part, archive.size, archive.sha256):
            part.unlink()
            raise ValueError(f"{archive.url}: {fault}. What arrived is deleted; call again, and it is fetched anew.")
    put_in_place(part, packed)


def _transfer(archive: Archive, part: Path) -> None:
    """Let ``part`` grow to the archive's size; a server that does not continue it is asked for everything."""
    there = part.stat().st_size if part.exists() else 0
    if not (OVERLAP < there < archive.size and _receive(archive, part, there - OVERLAP)):
        _receive(archive, part, 0)
    if part.stat().st_size < archive.size:
        raise requests.ConnectionError("the connection was closed early")


def _receive(archive: Archive, part: Path, start: int) -> bool:
    """Append what an answer holds beyond ``part``; False, with nothing changed, if it is not the archive from there."""
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with requests.get(archive.url, headers=headers, stream=True, timeout=30) as response:
        if start and response.status_code == requests.codes.requested_range_not_satisfiable:
            return False
        response.raise_for_status()
        start = start if response.status_code == requests.codes.partial_content else 0
        chunks = response.iter_content(2**16)
        first = next(chunks, b"")
        if start and not first:
            return False
        if not start:
            _check_beginning(archive, response, first)
        with part.open("r+b" if part.exists() else "x+b") as file:
            bar = tqdm(total=archive.size, initial=start, unit="B", unit_scale=True, desc=archive.name)
            file.seek(start)
            with bar:
                for chunk in itertools.chain([first], chunks):
                    known = file.read(len(chunk))
                    if start and not chunk.startswith(known):
                        return False
                    if not chunk.startswith(known):  # the server has another archive than the one begun
                        file.seek(-len(known), os.SEEK_CUR)
                        file.truncate()
                        known = b""
                    file.write(chunk[len(known) :])
                    bar.update(len(chunk))
                    if file.tell() >= archive.size:
                        file.truncate(archive.size)
                        break
    return True


def _check_beginning(archive: Archive, response: requests.Response, first: bytes) -> None:
    """Refuse a page of a login, say, before it touches what has arrived."""
    offered = response.headers.get("Content-Length", "")
    if not first.startswith(GZIP):
        what = "nothing" if not first else "no gzip archive, but perhaps a page that asks for a login"
    elif offered.isdecimal() and int(offered) != archive.size:
        what = f"{int(offered):,} bytes, but {archive.size:,} are needed"
    else:
        return
    raise ValueError(f"{response.url} sent {what}: open it in a browser to see, and call again once it is right")


def _unpack(archive: Archive, packed: Path, missing: dict[str, Path]) -> None:
    """Write the missing files, all of them or none. No path comes from the archive."""
    target, aside = packed.parent / archive.folder, packed.with_name(f".{archive.folder}.new")
    shutil.rmtree(aside, ignore_errors=True)  # of a process that was killed here
    aside.mkdir()
    try:
        new = {name: aside / name for name in missing}
        try:
            _read_members(archive, packed, new)
        except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{packed}: not a whole archive ({error})") from error
        target.mkdir(exist_ok=True)
        for name, path in missing.items():
            put_in_place(new[name], path)
    finally:
        shutil.rmtree(aside)


def _read_members(archive: Archive, packed: Path, new: dict[str, Path]) -> None:
    """Write and verify each named member; everything else in the archive is passed over."""
    wanted = {f"{archive.folder}/{name}": name for name in new}
    with tarfile.open(packed, "r:gz") as tar:
        for member in tar:
            if member.name not in wanted:
                continue
            name = wanted.pop(member.name)
            right = member.isreg() and member.size == archive.file_size
            content = tar.extractfile(member) if right else None
            if content is None:
                raise ValueError(f"{packed}: {member.name}: a regular file of {archive.file_size:,} bytes is needed")
            new[name].write_bytes(content.read(archive.file_size))
            if fault := _fault(new[name], archive.file_size, archive.files[name]):
                raise ValueError(f"{packed}: {member.name}: {fault}")
            if not wanted:
                return
    raise ValueError(f"{packed}: {', '.join(wanted)} missing")
